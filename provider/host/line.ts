import { randomBytes } from "node:crypto";
import type { Redact } from "../secret";
import { redactor } from "../secret";
import { openCommandStream } from "./command-stream";
import { type Connection, secretsOf } from "./connection";
import type { EngineWay, RouteMemory } from "./engine-way";
import { EngineAgent } from "./engine-agent";
import { type ExecContext, runCommand } from "./exec";
import type { HostFacts } from "./facts";
import { FACTS_SCRIPT, parseFacts } from "./facts-script";
import { scriptCommand } from "./command";
import { type RootRights, sudoCall } from "./sudo";
import type { Transport } from "./transport";

/** Where the engine listens. */
const ENGINE_SOCKET = "/var/run/docker.sock";

/** A live connection and what is shared by all that use it: the engine's channels and what is known of root's rights. */
export class Line {
  readonly connection: Connection;
  readonly transport: Transport;
  readonly memory: RouteMemory;
  readonly redact: Redact;
  private readonly agents = new Map<EngineWay, EngineAgent>();
  private rightsRead: Promise<RootRights> | undefined;

  constructor(connection: Connection, transport: Transport, memory: RouteMemory) {
    this.connection = connection;
    this.transport = transport;
    this.memory = memory;
    this.redact = redactor(secretsOf(connection));
    transport.onChannelPressure(() => this.agents.forEach((agent) => agent.closeIdle()));
    transport.closed.addEventListener("abort", () => this.agents.forEach((agent) => agent.destroy()), {
      once: true,
    });
  }

  get target(): string {
    return this.transport.target;
  }

  /** The shared agent of one way to the engine. */
  engineAgent(way: EngineWay): EngineAgent {
    const known = this.agents.get(way);
    if (known) return known;
    // dial-stdio takes session channels: half of them are left to commands
    const agent =
      way === "streamlocal"
        ? new EngineAgent(
            async () => ({
              channel: await this.transport.streamLocal(ENGINE_SOCKET),
              complaint: () => "",
            }),
            () => true,
          )
        : new EngineAgent(
            () => this.dialStdio(way === "sudo dial-stdio"),
            () => !this.transport.channelsWanted,
            4,
          );
    this.agents.set(way, agent);
    return agent;
  }

  /** Forgets an agent that led nowhere. */
  dropEngineAgent(way: EngineWay): void {
    this.agents.get(way)?.destroy();
    this.agents.delete(way);
  }

  /** How root's rights can be had, found out once a connection. */
  rights(context: ExecContext): Promise<RootRights> {
    if ((this.connection.user ?? "root") === "root") return Promise.resolve({ kind: "root" });
    this.rightsRead ??= this.readFacts(context).then(({ sudo }) => this.rightsOf(sudo));
    this.rightsRead.catch(() => {
      this.rightsRead = undefined;
    });
    return this.rightsRead;
  }

  /** Reads the facts; `sudo` is what can be had without a password. */
  async readFacts(context: ExecContext, signal?: AbortSignal): Promise<HostFacts> {
    const { argv, stdin } = scriptCommand(FACTS_SCRIPT, [], context.nonce());
    const outcome = await runCommand(context, argv, { stdin, ...(signal && { signal }) }, undefined);
    if (outcome.kind !== "exited") throw this.transport.lost();
    const facts = parseFacts(outcome.stdout);
    this.rightsRead ??= Promise.resolve(this.rightsOf(facts.sudo));
    return facts;
  }

  private rightsOf(sudo: HostFacts["sudo"]): RootRights {
    const { sudoPassword } = this.connection;
    if (sudo === "root") return { kind: "root" };
    if (sudo === "none" && sudoPassword) return { kind: "password", password: sudoPassword };
    // where nothing is allowed, sudo's own words make the best message
    return { kind: "passwordless" };
  }

  private async dialStdio(sudo: boolean): ReturnType<typeof openCommandStream> {
    const context = this.quietContext();
    const call = sudo ? sudoCall(await this.rights(context), context.nonce()) : undefined;
    const argv = ["docker", "--host", `unix://${ENGINE_SOCKET}`, "system", "dial-stdio"];
    return openCommandStream(context, argv, call);
  }

  private quietContext(): ExecContext {
    return {
      transport: this.transport,
      redact: this.redact,
      nonce: randomNonce,
      debug: () => {},
      now: () => performance.now(),
    };
  }
}

function randomNonce(): string {
  return randomBytes(8).toString("hex");
}
