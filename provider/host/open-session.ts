import { SlipwayError, isSlipwayError, messageOf } from "../errors";
import { stripControl, tail } from "../secret";
import { scriptCommand, shownCommand, writeFileCommand } from "./command/command";
import { connectEngine } from "./engine/docker-client";
import { type ExecContext, cut, runCommand } from "./command/exec";
import type { HostFacts } from "./facts";
import { readyScript } from "./command/ready-script";
import { forwardFrom } from "./transport/forward";
import { fingerprintOf } from "./host-key/host-key";
import type { LiveConnection } from "./transport/live-connection";
import { nonce } from "../nonce";
import { orAborted, streamOrAborted } from "../or-aborted";
import type { CommandOptions, CommandOutcome, HostSession } from "./session";
import { sudoCall } from "./command/sudo";
import type { WithHostOptions } from "./with-host-options";

/** A session for one borrower of a connection, with its own log and signal. */
export function openSession(live: LiveConnection, options: WithHostOptions): HostSession {
  const { transport, redact } = live;
  const { log, clock, random } = options;
  const context: ExecContext = {
    transport,
    redact,
    nonce: () => nonce(random),
    debug: (text) => log.debug(`${live.target} ${text}`),
    now: () => clock.now(),
  };
  const joined = (signal?: AbortSignal): AbortSignal =>
    signal === undefined ? options.signal : AbortSignal.any([options.signal, signal]);

  const exec = async (argv: readonly string[], how: CommandOptions = {}): Promise<CommandOutcome> => {
    const signal = joined(how.signal);
    const call =
      how.sudo === true
        ? sudoCall(await orAborted(live.rights(context), signal), context.nonce())
        : undefined;
    return runCommand(context, argv, { ...how, signal }, call);
  };

  const run = async (argv: readonly string[], how: CommandOptions = {}): Promise<string> => {
    const outcome = await exec(argv, how);
    if (outcome.kind === "exited" && outcome.code === 0) return outcome.stdout;
    throw commandError(live, argv, outcome);
  };

  const facts = async (fresh: boolean): Promise<HostFacts> => {
    const found = await live.readFacts(context, fresh);
    if (found.sudo !== "none" || !live.connection.sudoPassword) return found;
    try {
      await live.rights(context);
      return { ...found, sudo: "password" };
    } catch (error) {
      if (isSlipwayError(error, "sudo-unavailable")) return found;
      throw error;
    }
  };

  return {
    target: live.target,
    hostKey: fingerprintOf(transport.presentedKey),
    redact,
    exec,
    run,
    async script(text, args = [], how = {}) {
      const { argv, stdin } = scriptCommand(text, args, context.nonce());
      context.debug(redact(`script ${shownCommand(args)}\n${text.trim().replace(/^/gm, "  | ")}`));
      return exec(argv, { ...how, stdin });
    },
    ready(args, how = {}) {
      const onPressure = (giveUp: () => void): (() => void) => transport.onChannelPressure(giveUp);
      const { now } = context;
      return readyScript({ exec, onPressure, now, end: `slipway ${context.nonce()}` }, args, how);
    },
    async facts({ fresh = false, signal } = {}) {
      const either = joined(signal);
      either.throwIfAborted();
      return orAborted(facts(fresh), either);
    },
    async docker(signal) {
      return connectEngine(live, log, joined(signal));
    },
    async forward(address, port, signal) {
      const either = joined(signal);
      either.throwIfAborted();
      return streamOrAborted(forwardFrom(transport, address, port), either);
    },
    async writeFile(path, content, { mode = 0o644, sudo = false } = {}) {
      const bytes = Buffer.from(content as string);
      const argv = writeFileCommand(path, context.nonce(), mode, bytes.length);
      const outcome = await exec(argv, { stdin: bytes, sudo });
      if (outcome.kind !== "exited" || outcome.code !== 0) {
        throw commandError(live, ["write", path], outcome, `writing ${path}`);
      }
    },
  };
}

function commandError(
  live: LiveConnection,
  argv: readonly string[],
  outcome: CommandOutcome,
  what?: string,
): SlipwayError {
  const shown = live.redact(shownCommand(argv));
  const words = tail(live.redact(stripControl(outcome.stderr.trim() || outcome.stdout.trim())));
  const parts = { what: what ?? `running "${cut(shown)}"`, host: live.target, evidence: words };
  if (outcome.kind === "lost") {
    return new SlipwayError({
      ...parts,
      code: "connection-lost",
      why: `the connection was lost before it ended (${messageOf(live.transport.closed.reason ?? "closed")}), so its outcome is unknown`,
      next: "The next run looks at the machine again and goes on from there",
      cause: live.transport.closed.reason,
    });
  }
  const why = outcome.kind === "killed" ? `it was killed by ${outcome.signal}` : `exit code ${outcome.code}`;
  return new SlipwayError({ ...parts, code: "command-failed", why });
}
