import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ClientChannel } from "ssh2";
import { SlipwayError, messageOf } from "../../errors";
import { type Redact, stripControl, tail } from "../../secret";
import { FramedOutput } from "./output";
import { sendTerm } from "./send-term";
import type { CommandOptions, CommandOutcome } from "../session";
import type { SudoCall } from "./sudo";
import { sudoError } from "./sudo-error";
import { SudoPrompt } from "./sudo-prompt";
import type { Transport } from "../transport/transport";

/** What a conversation needs besides the command. */
export interface ConversationContext {
  readonly transport: Transport;
  readonly redact: Redact;
}

/** How the command is to be run; its signal ends it, and from then on nothing is fed or handed over. */
export interface ConversationOptions extends Pick<CommandOptions, "stdin" | "onLine" | "stdout"> {
  readonly sudo: SudoCall | undefined;
  readonly signal: AbortSignal;
}

/** One command's channel, from its start to its close. */
export class Conversation {
  private readonly context: ConversationContext;
  private readonly channel: ClientChannel;
  private readonly options: ConversationOptions;
  private readonly prompt: SudoPrompt;
  private readonly stdout: FramedOutput;
  private readonly stderr: FramedOutput;
  private fed = false;
  private inputError: Error | undefined;
  private exit: { readonly code: number | null; readonly signal: string | undefined } | undefined;
  private readonly channelClosed: Promise<void>;

  constructor(
    context: ConversationContext,
    channel: ClientChannel,
    marker: string,
    options: ConversationOptions,
  ) {
    this.context = context;
    this.channel = channel;
    this.options = options;
    this.prompt = new SudoPrompt(options.sudo);
    const hand = options.onLine;
    const onLine =
      hand &&
      ((line: string): void => {
        if (!options.signal.aborted) hand(context.redact(stripControl(line)));
      });
    this.stdout = new FramedOutput(marker, onLine, options.stdout && pacedBy(options.stdout, channel));
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
    if (options.sudo === undefined) this.feed();
  }

  /** Waits for the end. @throws the signal's reason */
  async run(): Promise<CommandOutcome> {
    await this.closed(this.options.signal);
    const { exit, inputError } = this;
    this.stdout.end();
    this.stderr.end();
    const output = { stdout: this.stdout.text(), stderr: this.stderr.text() };
    // sshd may send the exit code before the last of the output: without the channel's own close nobody knows what is missing
    const { transport } = this.context;
    if (transport.closed.aborted) return { kind: "lost", ...output };
    // what the command made of a part of its input says nothing
    if (inputError !== undefined && !isEndOfReader(inputError))
      throw brokenInput(transport.target, inputError);
    if (exit === undefined) return { kind: "lost", ...output };
    this.mustHaveStarted(exit.code);
    if (inputError !== undefined && exit.code === 0) throw brokenInput(transport.target, inputError);
    if (exit.code === null) return { kind: "killed", signal: exit.signal ?? "unknown", ...output };
    return { kind: "exited", code: exit.code, ...output };
  }

  /** Tells the command to end, and gives the channel back. */
  end(): void {
    // sshd hands the signal on; the close alone would leave the command running
    sendTerm(this.channel);
    this.channel.close();
  }

  /** Resolves when the channel closed or the connection was lost; rejects when `signal` ends it first. */
  private closed(signal: AbortSignal): Promise<void> {
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
        // root's command is ended first, see `runCommand`: sudo would pass the signal to the first process alone, and go
        if (this.options.sudo === undefined || !this.started) this.end();
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
    const { sudo, signal } = this.options;
    if (sudo === undefined || this.fed || signal.aborted) return;
    if (this.stderr.started) this.feed();
    else this.prompt.answer(this.stderr.noise(), this.channel);
  }

  private feed(): void {
    const { stdin, signal } = this.options;
    if (signal.aborted) return; // it opened too late, and will be ended
    this.fed = true;
    if (stdin === undefined || typeof stdin === "string" || Buffer.isBuffer(stdin)) {
      this.channel.end(stdin);
      return;
    }
    pipeline(stdin, this.channel as NodeJS.WritableStream).catch((error: unknown) => {
      this.inputError = error instanceof Error ? error : new Error(String(error));
      this.channel.close();
    });
  }

  /** True once the login shell, and sudo, have started the command. */
  get started(): boolean {
    return this.stdout.started || this.stderr.started;
  }

  /** What was said before the command started, for messages. */
  words(): string {
    const { redact } = this.context;
    return tail(redact(stripControl(`${this.stderr.noise()}\n${this.stdout.noise()}`.trim())));
  }

  private mustHaveStarted(code: number | null): void {
    if (this.started) return;
    const { transport } = this.context;
    const words = this.words();
    const { sudo } = this.options;
    if (sudo !== undefined) throw sudoError(transport.target, sudo, this.prompt.asked, code, words);
    throw new SlipwayError({
      code: "command-failed",
      what: "starting a command",
      host: transport.target,
      why: `the login shell did not start /bin/sh (exit code ${code ?? "none"})`,
      next: "The user needs a login shell that runs commands; a login file (.bashrc) that exits stands in the way, and so does a forced command in authorized_keys or sshd_config",
      evidence: words,
    });
  }
}

/** Hands bytes on as fast as they are taken. */
function pacedBy(reader: Writable, channel: ClientChannel): (chunk: Buffer) => void {
  reader.on("drain", () => channel.resume());
  reader.on("close", () => channel.resume()); // nobody reads any more: the command is to hear its end all the same
  return (chunk) => {
    if (reader.destroyed || reader.write(chunk)) return;
    channel.pause();
  };
}

/** True when it was the other side that closed, before it had read to the end. */
function isEndOfReader(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === "ERR_STREAM_PREMATURE_CLOSE";
}

function brokenInput(target: string, error: Error): SlipwayError {
  return new SlipwayError({
    code: "command-failed",
    what: "feeding a command's standard input",
    host: target,
    why: isEndOfReader(error) ? "it ended before it had read all of it" : messageOf(error),
    left: "The command was told to end",
    cause: error,
  });
}
