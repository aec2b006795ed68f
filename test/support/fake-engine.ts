import type Docker from "dockerode";
import type { HostSession } from "../../provider/host/session";
import { silentLog } from "../../provider/log";
import type { HostAccess } from "../../provider/rolling-container/host-access";
import { IdleClock } from "./idle-clock";

/** An engine that writes down each call about a container, and fails where it is told to. */
export class FakeEngine {
  readonly calls: string[] = [];
  /** Calls (as written down) that are answered with this status. */
  readonly failing = new Map<string, number>();
  /** Told about each call as it is made. */
  onCall: (call: string) => unknown = () => undefined;
  /** Calls that are never answered. */
  readonly hanging = new Set<string>();
  readonly clock = new IdleClock();

  /** What a run sees of it. */
  access(): HostAccess {
    const container = (id: string) => ({
      inspect: () => Promise.resolve(this.inspect(id)),
      logs: () => Promise.resolve(Buffer.alloc(0)),
      start: () => this.call(`start ${id}`),
      stop: () => this.call(`stop ${id}`),
      remove: () => this.call(`remove ${id}`),
      rename: ({ name }: { readonly name: string }) => this.call(`rename ${id} ${name}`),
      update: () => this.call(`update ${id}`),
    });
    const docker = {
      getContainer: container,
      getImage: () => ({ inspect: () => Promise.resolve({}), tag: () => Promise.resolve() }),
      createContainer: async ({ _query: { name } }: { readonly _query: { readonly name: string } }) => {
        await this.call(`create ${name}`);
        return { id: `id-${name}` };
      },
    };
    const session = { target: "root@host:22", redact: (text: string) => text };
    return {
      docker: docker as unknown as Docker,
      session: session as unknown as HostSession,
      clock: this.clock,
      random: () => 0.5,
      log: silentLog,
      signal: new AbortController().signal,
      machineId: "",
    };
  }

  private call(text: string): Promise<void> {
    this.calls.push(text);
    this.onCall(text);
    this.clock.advance(100);
    if (this.hanging.has(text)) return new Promise(() => {});
    const statusCode = this.failing.get(text);
    if (statusCode === undefined) return Promise.resolve();
    return Promise.reject(Object.assign(new Error("(HTTP)"), { statusCode, json: { message: "no" } }));
  }

  private inspect(id: string): unknown {
    const State = { Status: this.calls.at(-1) === `stop ${id}` ? "exited" : "running" };
    return { Id: id, Name: `/${id}`, Config: { Env: [] }, State, HostConfig: {}, NetworkSettings: {} };
  }
}
