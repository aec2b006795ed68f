import type { ClientChannel } from "ssh2";
import { SlipwayError } from "../errors";
import { stripControl, tail } from "../secret";
import { remoteLine } from "./command";
import type { ExecContext } from "./exec";
import type { OpenedStream } from "./lazy-channel";
import { FramedOutput } from "./output";
import type { SudoCall } from "./sudo";
import { sudoError } from "./sudo-error";

/**
 * Starts a command and gives its channel as a plain stream (stdin and stdout) once the command runs: the login shell's
 * noise is gone by then, and sudo has had its password.
 */
export async function openCommandStream(
  context: ExecContext,
  argv: readonly string[],
  sudo: SudoCall | undefined,
): Promise<OpenedStream> {
  const { transport } = context;
  const marker = `<slipway-${context.nonce()}>`;
  const line = remoteLine({ argv, marker, sudo: sudo?.shape });
  const opening = await transport.exec(line, (channel) => ({
    started: started(context, channel, argv, marker, sudo),
  }));
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
  let prompts = 0;

  return new Promise((resolve, reject) => {
    const onOut = (chunk: Buffer): void => {
      stdout.push(chunk);
      if (!stdout.started) return;
      settle();
      channel.pause();
      channel.unshift(Buffer.from(stdout.bytes()));
      const complaint = (): string => tail(context.redact(stripControl(stderr.text())));
      resolve({ channel, complaint });
    };
    const onError = (chunk: Buffer): void => {
      stderr.push(chunk);
      if (stderr.started || sudo?.shape.kind !== "password") return;
      const asked = stderr.noise().split(sudo.shape.prompt).length - 1;
      if (asked <= prompts) return;
      prompts = asked;
      if (asked === 1) channel.write(`${sudo.password ?? ""}\n`);
      else channel.end();
    };
    const onClose = (): void => {
      settle();
      const words = tail(context.redact(stripControl(stderr.noise().trim())));
      if (transport.closed.aborted) reject(transport.lost());
      else if (sudo !== undefined) reject(sudoError(transport.target, sudo, prompts, words));
      else reject(notStarted(transport.target, argv, words));
    };
    const settle = (): void => {
      channel.off("data", onOut);
      channel.off("close", onClose);
      transport.closed.removeEventListener("abort", onClose);
    };
    channel.on("data", onOut);
    channel.stderr.on("data", onError);
    channel.on("close", onClose);
    transport.closed.addEventListener("abort", onClose, { once: true });
  });
}

function notStarted(target: string, argv: readonly string[], words: string): SlipwayError {
  return new SlipwayError({
    code: "command-failed",
    what: `starting "${argv.join(" ")}"`,
    host: target,
    why: "it did not start",
    evidence: words,
  });
}
