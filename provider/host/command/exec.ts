import { formatDuration } from "../../duration";
import { SlipwayError, isSlipwayError, messageOf } from "../../errors";
import { type Redact, stripControl, tail } from "../../secret";
import { type CommandShape, remoteLine, scriptCommand, shownCommand } from "./command";
import { Conversation } from "./conversation";
import { endUnderSudoScript } from "./end-under-sudo";
import { orAborted } from "../../or-aborted";
import type { CommandOptions, CommandOutcome } from "../session";
import type { SudoCall } from "./sudo";
import type { Transport } from "../transport/transport";

const DEFAULT_TIMEOUT_MS = 60_000;
/** How long the end of a command under sudo may take. */
const ENDING_TIMEOUT_MS = 5_000;

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
  const shown = `${sudo === undefined ? "" : "sudo "}${context.redact(shownCommand(argv))}`;
  let conversation: Conversation | undefined;
  const request = { isAsked: false };
  const end = async (opened: Conversation): Promise<void> => {
    // the user that sshd serves has power over sudo alone, not over what root runs below it
    if (sudo !== undefined) await endUnderSudo(context, marker, sudo);
    opened.end();
  };
  try {
    const opening = transport.exec(
      remoteLine(shape),
      (channel) => new Conversation(context, channel, marker, { ...options, sudo, signal }),
      { signal, onAsked: (asked) => (request.isAsked = asked) },
    );
    try {
      conversation = await orAborted(opening, signal);
    } catch (error) {
      opening.then(end).catch(() => {}); // it never opened: nothing to end
      throw error;
    }
    const outcome = await conversation.run();
    context.debug(describeOutcome(shown, outcome, context.now() - started, context.redact));
    return outcome;
  } catch (error) {
    const after = formatDuration(context.now() - started);
    context.debug(`$ ${shown}\n  failed after ${after}: ${context.redact(messageOf(error))}`);
    if (signal.aborted && sudo !== undefined && conversation?.started) await end(conversation);
    options.signal?.throwIfAborted();
    // it was asked for, and then the connection went: nobody heard whether it was started
    const isUnheard = conversation === undefined && isSlipwayError(error, "connection-lost");
    if (!timeout.aborted || isUnheard) throw startError(error, transport.target, shown);
    const inTime = `after ${after}, limit ${formatDuration(limitMs)}`;
    throw timeoutError(
      transport.target,
      shown,
      inTime,
      conversation ?? (request.isAsked ? "asked" : "queued"),
      error,
    );
  }
}

/** Ends a command of root's; when that fails, the log says so and the command goes on. */
async function endUnderSudo(context: ExecContext, marker: string, sudo: SudoCall): Promise<void> {
  if (context.transport.closed.aborted) return;
  const { argv, stdin } = scriptCommand(endUnderSudoScript(marker), [], context.nonce());
  try {
    await runCommand(context, argv, { stdin, timeoutMs: ENDING_TIMEOUT_MS }, sudo);
  } catch (error) {
    context.debug(`ending a command under sudo: ${context.redact(messageOf(error))}`);
  }
}

function timeoutError(
  target: string,
  shown: string,
  after: string,
  reached: Conversation | "queued" | "asked",
  cause: unknown,
): SlipwayError {
  const parts = {
    code: "command-timeout",
    what: `running "${cut(shown)}"`,
    host: target,
    after,
    cause,
  } as const;
  if (reached === "asked") {
    return new SlipwayError({
      ...parts,
      why: "the server did not answer in time when it was asked to start it",
      left: "It may have been started; when the server answers, it is told to end",
    });
  }
  if (reached === "queued") {
    return new SlipwayError({
      ...parts,
      why: "it waited in vain for its turn: the server opens no further session, or commands before it do not end",
      left: "It was not started",
    });
  }
  if (reached.started) {
    const left = "It was told to end, but may still be running there";
    return new SlipwayError({ ...parts, why: "it did not end in time", left });
  }
  return new SlipwayError({
    ...parts,
    why: "the login shell did not start it in time",
    left: "It was not started",
    next: "Look at what the user's login files (.bashrc and its like) do, and at what sudo waits for",
    evidence: reached.words(),
  });
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
