import { randomBytes } from "node:crypto";
import { isSlipwayError } from "../../errors";
import type { Redact } from "../../secret";
import { redactor } from "../../secret";
import { openCommandStream } from "../command/command-stream";
import { type Connection, secretsOf } from "../connection";
import { DIAL_STDIO, ENGINE_SOCKET, type EngineWay, type RouteMemory } from "../engine/engine-way";
import { EngineAgent } from "../engine/engine-agent";
import { type ExecContext, runCommand } from "../command/exec";
import type { HostFacts } from "../facts";
import { type OpenedStream, openedStream } from "../engine/lazy-channel";
import { FACTS_SCRIPT, parseFacts } from "../machine/facts-script";
import { scriptCommand } from "../command/command";
import { type RootRights, sudoCall } from "../command/sudo";
import type { Transport } from "./transport";

/** Forwarded sockets are no sessions: sshd's MaxSessions does not count them. */
const FORWARDED_CALLS = 20;
/** dial-stdio takes session channels: half of them are left to commands. */
const DIAL_STDIO_CALLS = 4;

/** How the engine is reached, and the API version to speak with it. */
export interface FoundEngine {
  readonly way: EngineWay;
  readonly version: string;
}

/** A live connection and what is shared by all that use it: the engine's channels and what is known of root's rights. */
export class LiveConnection {
  readonly connection: Connection;
  readonly transport: Transport;
  readonly memory: RouteMemory;
  readonly redact: Redact;
  /** A search for the engine that is under way; everybody who needs it waits for the same one. */
  engineSearch: Promise<FoundEngine> | undefined;
  private readonly agents = new Map<EngineWay, EngineAgent>();
  private rightsRead: Promise<RootRights> | undefined;
  private factsRead: Promise<HostFacts> | undefined;
  private sudoFound: HostFacts["sudo"] | undefined;

  constructor(connection: Connection, transport: Transport, memory: RouteMemory) {
    this.connection = connection;
    this.transport = transport;
    this.memory = memory;
    this.redact = redactor(secretsOf(connection));
    transport.onChannelPressure(() => this.agents.forEach((agent) => agent.closeIdle()));
    const onLost = (): void => this.agents.forEach((agent) => agent.destroy(transport.lost()));
    transport.closed.addEventListener("abort", onLost, { once: true });
  }

  get target(): string {
    return this.transport.target;
  }

  /** The shared agent of one way to the engine. */
  engineAgent(way: EngineWay): EngineAgent {
    const known = this.agents.get(way);
    if (known) return known;
    const lost = (): Error | undefined => (this.transport.closed.aborted ? this.transport.lost() : undefined);
    const agent =
      way === "streamlocal"
        ? new EngineAgent({
            open: () => this.forwardedEngine(),
            mayKeep: () => true,
            lost,
            calls: FORWARDED_CALLS,
          })
        : new EngineAgent({
            open: (long) => this.dialStdio(way === "sudo dial-stdio", long),
            mayKeep: () => !this.transport.channelsWanted,
            lost,
            calls: DIAL_STDIO_CALLS,
          });
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
    this.rightsRead ??= this.proveRights(context);
    this.rightsRead.catch((error: unknown) => {
      // a refused password is not tried again: some machines lock the account
      if (!isSlipwayError(error, "sudo-unavailable")) this.rightsRead = undefined;
    });
    return this.rightsRead;
  }

  /**
   * The facts, read once for all who share the connection, and so under nobody's signal; `fresh` reads them again. `sudo` is
   * what can be had without a password.
   */
  readFacts(context: ExecContext, fresh = false): Promise<HostFacts> {
    if (!fresh && this.factsRead !== undefined) return this.factsRead;
    const reading = this.askFacts(context);
    this.factsRead = reading;
    reading.catch(() => {
      if (this.factsRead === reading) this.factsRead = undefined;
    });
    return reading;
  }

  private async askFacts(context: ExecContext): Promise<HostFacts> {
    const { argv, stdin } = scriptCommand(FACTS_SCRIPT, [], context.nonce());
    const outcome = await runCommand(context, argv, { stdin }, undefined);
    if (outcome.kind !== "exited") throw this.transport.lost();
    const facts = parseFacts(outcome.stdout);
    this.sudoFound ??= facts.sudo;
    return facts;
  }

  /** With a password, one command tries it for all that wait. */
  private async proveRights(context: ExecContext): Promise<RootRights> {
    const rights = this.rightsOf(this.sudoFound ?? (await this.readFacts(context)).sudo);
    if (rights.kind !== "password") return rights;
    const outcome = await runCommand(context, ["true"], {}, sudoCall(rights, context.nonce()));
    if (outcome.kind === "lost") throw this.transport.lost();
    return rights;
  }

  private rightsOf(sudo: HostFacts["sudo"]): RootRights {
    const { sudoPassword } = this.connection;
    if (sudo === "root") return { kind: "root" };
    if (sudo === "none" && sudoPassword) return { kind: "password", password: sudoPassword };
    // where nothing is allowed, sudo's own words make the best message
    return { kind: "passwordless" };
  }

  private async forwardedEngine(): Promise<OpenedStream> {
    this.transport.quicken();
    return this.transport.streamLocal(ENGINE_SOCKET, (channel) => openedStream(channel, () => ""));
  }

  private async dialStdio(sudo: boolean, long: boolean): Promise<OpenedStream> {
    const context = this.quietContext();
    const call = sudo ? sudoCall(await this.rights(context), context.nonce()) : undefined;
    return openCommandStream(context, DIAL_STDIO, call, long ? "long" : "brief");
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
