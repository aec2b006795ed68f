import assert from "node:assert/strict";
import type Docker from "dockerode";
import { SlipwayError } from "../../../provider/errors";
import { PartialFailure, type Properties } from "../../../provider/handler";
import { AGENT_VERSION } from "../../../provider/health-policy/agent/program";
import { applyPolicy } from "../../../provider/health-policy/apply";
import type { reachOf } from "../../../provider/health-policy/reach";
import { targetOf } from "../../../provider/host/connection";
import type { HostSession } from "../../../provider/host/session";
import { handlerContext } from "../../support/handler-context";
import { IdleClock } from "../../support/idle-clock";

const [A, B] = ["root@a:22", "root@b:22"] as const;
const HOSTS = [{ host: "a" }, { host: "b" }];

/** What is wrong on a host; its one container, `web`, has exited, and runs when it is started again. */
interface Trouble {
  readonly restart?: string;
  readonly install?: string;
  /** What its agent shows. @default there is none */
  readonly shown?: string;
  /** It does not answer. */
  readonly isDown?: boolean;
  /** The machine's id. @default it has none */
  readonly machine?: string;
}

/** Hosts, and what was done to their agents. */
class Hosts {
  readonly calls: string[] = [];
  private readonly running = new Set<string>();
  private readonly troubles: Readonly<Record<string, Trouble>>;

  constructor(troubles: Readonly<Record<string, Trouble>> = {}) {
    this.troubles = troubles;
  }

  readonly reach: typeof reachOf = (connections) => ({
    targets: connections.map(targetOf),
    login: (target, use) => use(this.session(target)),
    on: (target, use) =>
      this.troubles[target]?.isDown === true
        ? Promise.reject(
            new SlipwayError({ code: "dial-failed", what: "dialling", host: target, why: "silence" }),
          )
        : use(this.session(target), this.engine(target)),
  });

  private session(target: string): HostSession {
    const { install, machine = "", shown = "@slipway absent\n" } = this.troubles[target] ?? {};
    const facts = { machineId: machine, bootId: "boot", sessionProcess: "1 1" };
    const exec = ([, , script = ""]: readonly string[]) => {
      const verb = ["Shows version", "tail -n"].some((word) => script.includes(word)) ? "show" : "install";
      const deed = script.startsWith("[ ! -f") ? "note" : verb;
      const call = script.includes("rm -rf") ? "remove" : deed;
      this.calls.push(`${call} ${target}`);
      if (call === "install" && install !== undefined) return Promise.reject(new Error(install));
      const stdout = call === "show" ? shown : "";
      return Promise.resolve({ kind: "exited", code: 0, stdout, stderr: "" });
    };
    return {
      ...{ target, hostKey: `SHA256:${target}`, redact: (text: string) => text },
      ...{ facts: () => Promise.resolve(facts), exec },
      // no proxy has a route to it
      script: () => Promise.resolve({ kind: "exited", code: 0, stdout: "", stderr: "" }),
    } as unknown as HostSession;
  }

  private engine(target: string): Docker {
    const { restart } = this.troubles[target] ?? {};
    const Labels = { "slipway.service": "web" };
    const state = (): string => (this.running.has(target) ? "running" : "exited");
    const entry = () => ({
      ...{ Id: `${target} web`, Names: ["/web"], Image: "web:1", ImageID: "sha256:1", Created: 0, Labels },
      ...{ State: state(), HostConfig: { NetworkMode: "none" }, NetworkSettings: { Networks: {} } },
    });
    return {
      listContainers: ({
        filters = {},
      }: {
        readonly filters?: Readonly<Record<string, readonly string[]>>;
      }) =>
        Promise.resolve(filters.name !== undefined || filters.health?.includes("unhealthy") ? [] : [entry()]),
      getContainer: (id: string) => ({
        inspect: () =>
          id.startsWith("slipway.lock")
            ? Promise.reject(Object.assign(new Error("none"), { statusCode: 404 }))
            : Promise.resolve({
                ...{
                  Id: id,
                  Name: "/web",
                  Config: { Labels, Env: [] },
                  State: { Status: state(), ExitCode: 1 },
                },
                HostConfig: { RestartPolicy: { Name: "unless-stopped" } },
              }),
        logs: () => Promise.resolve(Buffer.alloc(0)),
        restart: () => {
          if (restart !== undefined) return Promise.reject(new Error(restart));
          this.running.add(target);
          return Promise.resolve();
        },
      }),
      getImage: () => ({
        inspect: () => Promise.reject(Object.assign(new Error("none"), { statusCode: 404 })),
      }),
      info: () => Promise.resolve({ SystemTime: "2026-01-01T00:00:10Z" }),
    } as unknown as Docker;
  }

  apply(inputs: Properties = {}, olds: Properties = {}): Promise<Properties> {
    const context = { ...handlerContext("health"), clock: new IdleClock(), stack: "p/s" };
    const all = { name: "health", hosts: HOSTS, window: "24h", ...inputs };
    return applyPolicy("health", all, olds, context, this.reach);
  }

  /** What the state has of a run that failed. */
  async broken(inputs: Properties = {}): Promise<Properties> {
    const failed: unknown = await this.apply(inputs).then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.ok(failed instanceof PartialFailure, String(failed));
    return failed.outputs;
  }
}

/** One container on each host is sick, which is no crowd where each counts for itself. */
const ONE = { hosts: [HOSTS[0]] };

describe("applying a HealthPolicy", () => {
  it("must record the agent and the restarts of a run whose agents could not all be installed", async () => {
    const hosts = new Hosts({ [A]: { install: "no space left" } });
    const outputs = await hosts.broken({ ...ONE, watch: true });
    assert.match(String(outputs.__agent), /^health-/);
    assert.equal(outputs.agentVersion, "");
    assert.deepEqual(Object.keys(outputs.__restarts as object), [`${A} web`]);
  });

  it("must count a restart of which nobody heard the end, and leave the agents with it", async () => {
    const hosts = new Hosts({ [A]: { restart: "socket hang up" } });
    const outputs = await hosts.broken({ ...ONE, watch: true });
    assert.deepEqual(Object.keys(outputs.__restarts as object), [`${A} web`]);
    assert.deepEqual(hosts.calls.at(-1), `install ${A}`);
    assert.deepEqual(hosts.calls.at(-2), `note ${A}`);
  });

  it("must keep what is known of a host that is passed over", async () => {
    const hosts = new Hosts({ [B]: { isDown: true } });
    const olds = { hosts: HOSTS, hostKeys: { [B]: "SHA256:b", "root@c:22": "SHA256:c" } };
    const outputs = await hosts.apply({ abandonUnreachable: true }, olds);
    assert.deepEqual(outputs.hostKeys, { [A]: `SHA256:${A}`, [B]: "SHA256:b" });
    const watched = await hosts.apply({ abandonUnreachable: true, watch: true }, olds);
    assert.deepEqual(watched.__agentHosts, [A]);
  });

  it("must keep the agent of a machine that has another user or address, and take away that of one that is left", async () => {
    const machine = "1".repeat(32);
    const deploy = { host: "a", user: "deploy" };
    const hosts = new Hosts({ "deploy@a:22": { machine } });
    const olds = {
      hosts: [{ host: "a" }, { host: "old" }, { host: "b" }],
      machineIds: { "root@old:22": machine, [B]: "2".repeat(32) },
      __agent: "health-0",
      watch: true,
      agentVersion: AGENT_VERSION,
    };
    const outputs = await hosts.apply({ hosts: [deploy], watch: true }, olds);
    assert.equal(outputs.agentVersion, AGENT_VERSION);
    assert.deepEqual(
      hosts.calls.filter((call) => call.startsWith("remove")),
      [`remove ${B}`],
    );
  });

  it("must take the agents away from all its hosts when it watches no more", async () => {
    const shown = "@slipway version 1\n@slipway ledger\na1 60\n@slipway log\n";
    const hosts = new Hosts({ [A]: { shown } });
    const olds = { hosts: HOSTS, __agent: "health-0", watch: true };
    const outputs = await hosts.apply({ repair: false, failOnUnhealthy: false }, olds);
    assert.equal("__agent" in outputs, false);
    assert.deepEqual(
      hosts.calls.filter((call) => call.startsWith("remove")),
      [`remove ${A}`, `remove ${B}`],
    );
    // what they spent is spent
    assert.deepEqual(outputs.__restarts, { a1: [60_000] });
  });
});
