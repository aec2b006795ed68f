import { closeConnections, withHost } from "../../provider/host/pool";
import type { HostSession } from "../../provider/host/session";
import type { LabHost, LabUser, Suite, WebPort } from "../lab/lab-host";
import { type Probe, type ProbeOptions, startProbe } from "../lab/probe";
import { type AppMode, buildApp } from "./app-host";
import { borrower } from "./borrow";
import { clear, eventsOn } from "./switch-host";
import { startDockerHost } from "./web-host";

/** What is on the host before the first test. */
export interface LoadHostOptions {
  /** @default "bookworm" */
  readonly suite?: Suite;
  /** Versions of the app, each with how it behaves. */
  readonly apps?: Readonly<Record<string, AppMode>>;
}

/** A lab host whose clients are counted, while the tests of one `describe` run. */
export class LoadHost {
  private lab: LabHost | undefined;
  private readonly probes = new Set<Probe>();

  get host(): LabHost {
    if (this.lab === undefined) throw new Error("the lab host is there from the first `before` on");
    return this.lab;
  }

  async start({ suite = "bookworm", apps = {} }: LoadHostOptions): Promise<void> {
    this.lab = await startDockerHost(suite);
    for (const [version, mode] of Object.entries(apps)) await buildApp(this.lab, version, mode);
  }

  /** Asks for the page from outside the host, to the end of the test at most. */
  probe({ port = 80, ...options }: ProbeOptions & { readonly port?: WebPort }): Probe {
    const probe = startProbe(this.host.url(port), options);
    this.probes.add(probe);
    return probe;
  }

  async stopProbes(): Promise<void> {
    const probes = [...this.probes];
    this.probes.clear();
    await Promise.all(probes.map((probe) => probe.stop()));
  }

  /** Does something over a connection of `user`'s. */
  onHost<T>(use: (session: HostSession) => Promise<T>, user: LabUser = "root"): Promise<T> {
    return withHost(this.host.connection(user), borrower().options, use);
  }

  async remove(): Promise<void> {
    closeConnections();
    await this.lab?.remove();
  }
}

/** Called in a `describe`: its tests find the host started, and no probe of theirs outlives them. */
export function loadHost(options: LoadHostOptions = {}): LoadHost {
  const load = new LoadHost();
  before(() => load.start(options));
  afterEach(() => load.stopProbes());
  after(() => load.remove());
  return load;
}

/** Called in a `describe` after {@link loadHost}: what a switch left goes after each test, and its log is shown where one failed. */
export function clearSwitchAfterEach(load: LoadHost): void {
  afterEach(async function () {
    if (this.currentTest?.state === "failed") console.log(await eventsOn(load.host, "web"));
    await clear(load.host);
  });
}
