import { randomBytes } from "node:crypto";
import { systemClock } from "../../provider/clock";
import { until } from "../lab/until";
import { type HandlerContext, PartialFailure, type Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { rollingContainerHandler as handler } from "../../provider/rolling-container/handler";
import { canonicalJson } from "../../provider/values";
import { type DeployEnd, DeployProcess } from "./deploy-process";
import type { Site } from "./site";
import type { Way } from "./way";

/** Stands in the environment of every container, and nowhere else. */
export const CANARY = `canary-${randomBytes(8).toString("hex")}`;

const SALT = "00112233445566778899aabbccddeeff";
let count = 0;

/** A service of one stack, with the state that Pulumi would have of it. */
export class Service {
  readonly site: Site;
  readonly way: Way;
  readonly name: string;
  readonly port: number | undefined;
  readonly stack: string;
  /** Everything that was logged, and every error. */
  readonly lines: string[] = [];
  private state: Properties | undefined;

  constructor(site: Site, way: Way, like?: Service) {
    this.site = site;
    this.way = way;
    if (like === undefined) count += 1;
    this.name = like?.name ?? `svc${count}x`;
    this.port = way.entrance === "port" ? 20_000 + count : undefined;
    this.stack = like === undefined ? "faults/one" : "faults/two";
  }

  /** What the program says for a version. */
  inputs(image: string, more: Properties = {}): Properties {
    const { update = {}, ...rest } = more;
    return {
      name: this.name,
      hosts: [this.site.host.connection()],
      image: image.includes(":") ? image : `page:${image}`,
      ...(this.way.entrance === "route" ? { route: this.site.edge.route(this.name) } : {}),
      ports: this.port === undefined ? [] : [{ container: 3000, host: this.port }],
      healthcheck: { http: { port: 3000, path: "/" } },
      env: { TOKEN: CANARY },
      update: {
        minHealthyTime: "1s",
        healthyDeadline: "20s",
        lockWait: "20s",
        ...this.way.update,
        ...(update as Properties),
      },
      __salt: SALT,
      ...rest,
    };
  }

  /** An up that has to succeed. */
  async up(image: string, more: Properties = {}): Promise<void> {
    const error = await this.tryUp(image, more);
    if (error !== undefined) throw new Error(`up to ${image} failed: ${error}`);
  }

  /** An up; gives why it failed. The state gets what Pulumi would keep. */
  tryUp(image: string, more: Properties = {}): Promise<string | undefined> {
    return this.called(async (context) => {
      const { inputs, failures } = await handler.check({}, this.inputs(image, more), context);
      if (failures.length > 0) throw new Error(JSON.stringify(failures));
      this.state =
        this.state === undefined
          ? (await handler.create(inputs, context)).outputs
          : await handler.update(this.name, this.state, inputs, context);
    });
  }

  /** Why a refresh and an up would change something; undefined when they would not. */
  async changesOf(image: string, more: Properties = {}): Promise<string | undefined> {
    const before = this.state ?? {};
    let why: string | undefined;
    let standing = "";
    await until("the copy to have answered what it took", async () => {
      standing = await this.site.containers(this.name);
      return !standing.includes(`/${this.name}.try `);
    });
    const failed = await this.called(async (context) => {
      const { inputs } = await handler.check({}, this.inputs(image, more), context);
      const read = await handler.read(this.name, before, context);
      if (canonicalJson(read?.outputs) !== canonicalJson(before))
        why = `a refresh shows ${difference(before, read?.outputs ?? {})}`;
      const changed = Object.keys(inputs).filter(
        (key) => canonicalJson(inputs[key]) !== canonicalJson(before[key]),
      );
      if (changed.length > 0) why ??= `the inputs ${changed.join(", ")} differ from the state`;
      const { changes } = await handler.diff(this.name, before, inputs, context);
      if (changes === true) why ??= "the diff says so";
      const outputs = await handler.update(this.name, before, inputs, context);
      if (canonicalJson(outputs) !== canonicalJson(before))
        why ??= `an up gives ${difference(before, outputs)}`;
    });
    const now = await this.site.containers(this.name);
    if (now !== standing) why ??= `the containers were\n${standing}\nand are\n${now}`;
    return failed ?? why;
  }

  destroy(): Promise<string | undefined> {
    return this.called(async (context) => {
      await handler.delete(this.name, this.state ?? this.inputs("v1"), context);
      this.state = undefined;
    });
  }

  /** A deployer of its own that stands still after the operations `halts`. `settle` with its end keeps the state. */
  deploy(image: string, halts: readonly string[] = [], more: Properties = {}): DeployProcess {
    const job = { service: this.name, olds: this.state, news: this.inputs(image, more), stack: this.stack };
    return new DeployProcess({ ...job, holder: `${this.stack}, somebody@here`, halts });
  }

  /** Waits for the end of a deployer, and does with the state what Pulumi does. */
  async settle(deployer: DeployProcess): Promise<DeployEnd> {
    const end = await deployer.ended;
    this.lines.push(...deployer.lines);
    if (end.kind === "failed") this.lines.push(`error ${end.message}`);
    if (end.kind !== "killed" && end.outputs !== undefined) this.state = end.outputs;
    return end;
  }

  /** The state without the values that Pulumi encrypts. */
  get openState(): string {
    const encrypted: ReadonlySet<string> = new Set(["env", "hosts"]);
    return JSON.stringify(Object.entries(this.state ?? {}).filter(([key]) => !encrypted.has(key)));
  }

  served(): Promise<readonly string[]> {
    return this.site.served(this.name, this.port ?? this.way.entrance);
  }

  /** One call in this process, as a process of its own would make it: with new connections. */
  private async called(call: (context: HandlerContext) => Promise<void>): Promise<string | undefined> {
    const say =
      (level: string) =>
      (text: string): void => {
        this.lines.push(`${level} ${text}`);
      };
    try {
      await call({
        urn: "",
        name: this.name,
        log: { progress: say("progress"), keep: say("keep"), warn: say("warn"), debug: say("debug") },
        clock: systemClock,
        random: Math.random,
        signal: new AbortController().signal,
        holder: `${this.stack}, somebody@here`,
        stack: this.stack,
      });
      return undefined;
    } catch (error) {
      if (error instanceof PartialFailure) this.state = error.outputs;
      const message = error instanceof Error ? error.message : String(error);
      this.lines.push(`error ${message}`);
      return message;
    } finally {
      closeConnections();
    }
  }
}

function difference(before: Properties, now: Properties): string {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return keys
    .filter((key) => canonicalJson(before[key]) !== canonicalJson(now[key]))
    .map((key) => `${key}: ${canonicalJson(before[key])} -> ${canonicalJson(now[key])}`)
    .join("; ");
}
