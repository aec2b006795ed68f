import type { ClientChannel } from "ssh2";
import { formatDuration } from "../../duration";
import { SlipwayError } from "../../errors";
import { stripControl, tail } from "../../secret";
import type { ChannelUse } from "../transport/channel-queue";
import { remoteLine } from "./command";
import type { ExecContext } from "./exec";
import { type OpenedStream, openedStream } from "../engine/lazy-channel";
import { FramedOutput } from "./output";
import type { SudoCall } from "./sudo";
import { sudoError } from "./sudo-error";
import { SudoPrompt } from "./sudo-prompt";

/** A login file that never ends must not hold up what waits for the stream. */
const START_LIMIT_MS = 60_000;

/**
 * Starts a command and gives its channel as a plain stream (stdin and stdout) once the command runs: the login shell's
 * noise is gone by then, and sudo has had its password.
 */
export async function openCommandStream(
  context: ExecContext,
  argv: readonly string[],
  sudo: SudoCall | undefined,
  use: ChannelUse = "brief",
): Promise<OpenedStream> {
  const { transport } = context;
  const marker = `<slipway-${context.nonce()}>`;
  const line = remoteLine({ argv, marker, sudo: sudo?.shape });
  const start = (channel: ClientChannel): { readonly started: Promise<OpenedStream> } => ({
    started: started(context, channel, argv, marker, sudo),
  });
  const opening = await transport.exec(line, start, { use });
  return opening.started;
}

function started(
  context: ExecContext,
  channel: ClientChannel,
  argv: readonly string[],
  marker: string,
  sudo: SudoCall | undefined,
): Promise<OpenedStream> {
  const { transport } = context;
  const stdout = new FramedOutput(marker);
  const stderr = new FramedOutput(marker);
  const prompt = new SudoPrompt(sudo);
  let code: number | null = null;
  const opened = openedStream(channel, () => tail(context.redact(stripControl(stderr.text()))));
  const words = (): string =>
    tail(context.redact(stripControl(`${stderr.noise()}\n${stdout.noise()}`.trim())));

  return new Promise((resolve, reject) => {
    const onOut = (chunk: Buffer): void => {
      stdout.push(chunk);
      if (!stdout.started) return;
      settle();
      channel.pause();
      channel.unshift(Buffer.from(stdout.bytes()));
      resolve(opened);
    };
    const onError = (chunk: Buffer): void => {
      stderr.push(chunk);
      if (!stderr.started) prompt.answer(stderr.noise(), channel);
    };
    const onClose = (): void => {
      settle();
      if (transport.closed.aborted) reject(transport.lost());
      else if (sudo !== undefined) reject(sudoError(transport.target, sudo, prompt.asked, code, words()));
      else reject(notStarted(transport.target, argv, "it did not start", words()));
    };
    const onLate = (): void => {
      settle();
      channel.close();
      const why = `the login shell did not start it within ${formatDuration(START_LIMIT_MS)}`;
      reject(notStarted(transport.target, argv, why, words()));
    };
    const late = setTimeout(onLate, START_LIMIT_MS).unref();
    const settle = (): void => {
      clearTimeout(late);
      channel.off("data", onOut);
      channel.off("close", onClose);
      transport.closed.removeEventListener("abort", onClose);
    };
    channel.on("exit", (status: number | null) => {
      code = status;
    });
    channel.on("error", () => {}); // a write after the other side closed; `close` follows
    channel.on("data", onOut);
    channel.stderr.on("data", onError);
    channel.on("close", onClose);
    transport.closed.addEventListener("abort", onClose, { once: true });
  });
}

function notStarted(target: string, argv: readonly string[], why: string, words: string): SlipwayError {
  return new SlipwayError({
    code: "command-failed",
    what: `starting "${argv.join(" ")}"`,
    host: target,
    why,
    evidence: words,
  });
}
