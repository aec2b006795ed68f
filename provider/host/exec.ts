import { pipeline } from "node:stream/promises";
import type { ClientChannel } from "ssh2";
import { formatDuration } from "../duration";
import { SlipwayError, messageOf } from "../errors";
import { type Redact, stripControl, tail } from "../secret";
import { type CommandShape, quoteAll, remoteLine } from "./command";
import { FramedOutput } from "./output";
import type { CommandOptions, CommandOutcome } from "./session";
import type { SudoCall } from "./sudo";
import { sudoError } from "./sudo-error";
import type { Transport } from "./transport";

const DEFAULT_TIMEOUT_MS = 60_000;

/** What running a command needs besides the command. */
export interface ExecContext {
  readonly transport: Transport;
  readonly redact: Redact;
  /** For markers and prompts: a few letters nobody can guess. */
  readonly nonce: () => string;
  readonly debug: (text: string) => void;
  readonly now: () => number;
}

/** Runs one command to its end, see `HostSession.exec`. */
export async function runCommand(
  context: ExecContext,
  argv: readonly string[],
  options: CommandOptions,
  sudo: SudoCall | undefined,
): Promise<CommandOutcome> {
  const { transport } = context;
  const marker = `<slipway-${context.nonce()}>`;
  const shape: CommandShape = { argv, env: options.env, marker, sudo: sudo?.shape };
  const limitMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const timeout = AbortSignal.timeout(limitMs);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  const started = context.now();
  const shown = `${sudo === undefined ? "" : "sudo "}${context.redact(quoteAll(argv))}`;
  try {
    const conversation = await transport.exec(
      remoteLine(shape),
      (channel) => new Conversation(context, channel, marker, options, sudo),
      signal,
    );
    const outcome = await conversation.run(signal);
    context.debug(describeOutcome(shown, outcome, context.now() - started, context.redact));
    return outcome;
  } catch (error) {
    const after = formatDuration(context.now() - started);
    context.debug(`$ ${shown}\n  failed after ${after}: ${context.redact(messageOf(error))}`);
    options.signal?.throwIfAborted();
    if (!timeout.aborted) throw startError(error, transport.target, shown);
    throw new SlipwayError({
      code: "command-timeout",
      what: `running "${cut(shown)}"`,
      host: transport.target,
      why: "it did not end in time",
      after: `after ${after}, limit ${formatDuration(limitMs)}`,
      left: "It was told to end, but may still be running there",
      cause: error,
    });
  }
}

/** One command's channel, from its start to its close. */
class Conversation {
  private readonly context: ExecContext;
  private readonly channel: ClientChannel;
  private readonly options: CommandOptions;
  private readonly sudo: SudoCall | undefined;
  private readonly stdout: FramedOutput;
  private readonly stderr: FramedOutput;
  private prompts = 0;
  private fed = false;
  private inputError: Error | undefined;
  private exit: { readonly code: number | null; readonly signal: string | undefined } | undefined;
  private readonly channelClosed: Promise<void>;

  constructor(
    context: ExecContext,
    channel: ClientChannel,
    marker: string,
    options: CommandOptions,
    sudo: SudoCall | undefined,
  ) {
    this.context = context;
    this.channel = channel;
    this.options = options;
    this.sudo = sudo;
    const onLine =
      options.onLine === undefined
        ? undefined
        : (line: string) => options.onLine?.(context.redact(stripControl(line)));
    this.stdout = new FramedOutput(marker, onLine);
    this.stderr = new FramedOutput(marker, onLine);
    this.channelClosed = new Promise((resolve) => {
      channel.once("close", () => resolve());
    });
    channel.on("exit", (code: number | null, name?: string) => {
      this.exit = { code, signal: name };
    });
    channel.on("data", (chunk: Buffer) => this.stdout.push(chunk));
    channel.stderr.on("data", (chunk: Buffer) => {
      this.stderr.push(chunk);
      this.listenToSudo();
    });
    channel.on("error", () => {}); // a write after the other side closed; `close` follows and tells the outcome
    // under sudo, standard input belongs to the password until the command has started
    if (sudo === undefined) this.feed();
  }

  async run(signal: AbortSignal): Promise<CommandOutcome> {
    await this.closed(signal);
    const { exit } = this;
    this.stdout.end();
    this.stderr.end();
    const output = { stdout: this.stdout.text(), stderr: this.stderr.text() };
    // sshd may send the exit code before the last of the output: without the channel's own close nobody knows what is missing
    if (exit === undefined || this.context.transport.closed.aborted) return { kind: "lost", ...output };
    this.mustHaveStarted(exit.code);
    if (this.inputError !== undefined && exit.code === 0) throw this.inputError;
    if (exit.code === null) return { kind: "killed", signal: exit.signal ?? "unknown", ...output };
    return { kind: "exited", code: exit.code, ...output };
  }

  /** Resolves when the channel closed or the connection was lost; rejects when `signal` ends it first. */
  private closed(signal: AbortSignal): Promise<void> {
    const { channel } = this;
    const { transport } = this.context;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        signal.removeEventListener("abort", onAbort);
        transport.closed.removeEventListener("abort", onClosed);
      };
      const onClosed = (): void => {
        settle();
        resolve();
      };
      const onAbort = (): void => {
        settle();
        // sshd hands the signal on; the close alone would leave the command running
        channel.signal("TERM");
        channel.close();
        reject(signal.reason as Error);
      };
      void this.channelClosed.then(onClosed);
      if (signal.aborted) return onAbort();
      if (transport.closed.aborted) return onClosed();
      signal.addEventListener("abort", onAbort, { once: true });
      transport.closed.addEventListener("abort", onClosed, { once: true });
    });
  }

  private listenToSudo(): void {
    if (this.sudo === undefined || this.fed) return;
    if (this.stderr.started) return this.feed();
    const { shape, password } = this.sudo;
    if (shape.kind !== "password" || password === undefined) return;
    const asked = this.stderr.noise().split(shape.prompt).length - 1;
    if (asked <= this.prompts) return;
    this.prompts = asked;
    // asked again: the password was wrong. One try only, so that no account is locked
    if (asked === 1) this.channel.write(`${password}\n`);
    else this.channel.end();
  }

  private feed(): void {
    this.fed = true;
    const { stdin } = this.options;
    if (stdin === undefined || typeof stdin === "string" || Buffer.isBuffer(stdin)) {
      this.channel.end(stdin);
      return;
    }
    pipeline(stdin, this.channel as NodeJS.WritableStream).catch((error: unknown) => {
      this.inputError = error instanceof Error ? error : new Error(String(error));
      this.channel.close();
    });
  }

  private mustHaveStarted(code: number | null): void {
    if (this.stdout.started || this.stderr.started) return;
    const { transport, redact } = this.context;
    const words = tail(redact(stripControl(`${this.stderr.noise()}\n${this.stdout.noise()}`.trim())));
    if (this.sudo !== undefined) throw sudoError(transport.target, this.sudo, this.prompts, words);
    throw new SlipwayError({
      code: "command-failed",
      what: "starting a command",
      host: transport.target,
      why: `the login shell did not start /bin/sh (exit code ${code ?? "none"})`,
      next: "The user needs a login shell that runs commands; a forced command in authorized_keys or sshd_config stands in the way too",
      evidence: words,
    });
  }
}

function startError(error: unknown, target: string, shown: string): unknown {
  if (error instanceof SlipwayError) return error;
  return new SlipwayError({
    code: "command-failed",
    what: `starting "${cut(shown)}"`,
    host: target,
    why: messageOf(error),
    cause: error,
  });
}

function describeOutcome(shown: string, outcome: CommandOutcome, ms: number, redact: Redact): string {
  const end =
    outcome.kind === "exited"
      ? `exit ${outcome.code}`
      : outcome.kind === "killed"
        ? `killed by ${outcome.signal}`
        : "lost";
  const output = tail(redact(stripControl(`${outcome.stdout}\n${outcome.stderr}`.trim())), 10, 2_000);
  return `$ ${shown}\n  ${end}, ${Math.round(ms)}ms${output === "" ? "" : `\n${indent(output)}`}`;
}

function indent(text: string): string {
  return text.replace(/^/gm, "  | ");
}

/** A command line as it may stand in a message. */
export function cut(shown: string): string {
  return shown.length > 200 ? `${shown.slice(0, 200)}…` : shown;
}
