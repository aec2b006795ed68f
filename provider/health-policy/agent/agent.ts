import type { Clock } from "../../clock";
import { isSlipwayError, SlipwayError, withAdvice } from "../../errors";
import type { CommandOptions, CommandOutcome, HostSession } from "../../host/session";
import { stripControl, tail } from "../../secret";
import { EXIT, INSTALL_AGENT, NOTE_RESTART, REMOVE_AGENT, SHOW_AGENT, TURN_SECONDS } from "./install-script";
import { AGENT_PROGRAM } from "./program";
import { agentFolder } from "./settings";
import { parseShownAgent, type ShownAgent } from "./shown";

/** The machine of an agent, for one call. */
interface AgentMachine {
  readonly session: HostSession;
  readonly signal: AbortSignal;
}

/** The same, where times go over. */
export interface AgentHost extends AgentMachine {
  /** The machine's may be another one: budgets go over by the difference. */
  readonly clock: Clock;
}

/** What an agent is given. */
export interface AgentFiles {
  readonly settings: string;
  readonly ledger: string;
  /** Where its messages go; a secret. Empty: nowhere. */
  readonly notify: string;
  readonly intervalMs: number;
}

/** The scripts wait for a turn of the agent. */
const CALL_MS = (TURN_SECONDS + 60) * 1_000;

/**
 * Shows the agent of a policy, undefined when there is none, and holds it: until it is installed anew, or our connection ends, its
 * turns do nothing.
 * @throws SlipwayError sudo-unavailable, command-failed, connection-lost
 */
export async function holdAgent(host: AgentHost, key: string): Promise<ShownAgent | undefined> {
  const { bootId, sessionProcess } = await host.session.facts({ signal: host.signal });
  const holder = sessionProcess === "" ? "" : `${bootId} ${sessionProcess}`;
  return parseShownAgent(await call(host, key, "holding", SHOW_AGENT, [secondsOf(host), holder]));
}

/** As `holdAgent`, and lets it go on. */
export async function showAgent(host: AgentHost, key: string): Promise<ShownAgent | undefined> {
  return parseShownAgent(await call(host, key, "looking at", SHOW_AGENT, [secondsOf(host), ""]));
}

/** Installs the agent, or gives it what it is to go by from now on; it goes on then. */
export async function installAgent(host: AgentHost, key: string, files: AgentFiles): Promise<void> {
  const parts = [
    AGENT_PROGRAM,
    files.settings,
    files.ledger,
    files.notify === "" ? "" : `${files.notify}\n`,
  ].map((text) => Buffer.from(text));
  const seconds = Math.max(1, Math.round(files.intervalMs / 1_000));
  const args = [...[seconds, ...parts.map(({ length }) => length)].map(String), secondsOf(host)];
  await call(host, key, "installing", INSTALL_AGENT, args, { stdin: Buffer.concat(parts) });
}

/** Notes a restart that is about to be made in the budget of the agent, where there is one. */
export async function noteOnHost(host: AgentMachine, key: string, id: string): Promise<void> {
  await call(host, key, "telling of a restart to", NOTE_RESTART, [id]);
}

function secondsOf({ clock }: AgentHost): string {
  return String(Math.floor(clock.wall() / 1_000));
}

/** Takes the agent away. None to take is no mistake. */
export async function removeAgent(host: AgentMachine, key: string): Promise<void> {
  await call(host, key, "removing", REMOVE_AGENT, []);
}

async function call(
  { session, signal }: AgentMachine,
  key: string,
  verb: string,
  script: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const argv = ["/bin/sh", "-c", script, "slipway-health", agentFolder(key), ...args];
  const outcome = await session
    .exec(argv, { timeoutMs: CALL_MS, ...options, sudo: true, signal })
    .catch((error: unknown) => {
      throw withoutSudo(error, `${verb} the health agent ${key}`);
    });
  if (outcome.kind === "exited" && outcome.code === 0) return outcome.stdout;
  throw failureOf(session, `${verb} the health agent ${key}`, outcome);
}

/** Who may not become root may have a policy all the same. */
function withoutSudo(error: unknown, what: string): unknown {
  if (!isSlipwayError(error, "sudo-unavailable")) return error;
  const way = "The agent needs root's rights; with watch: false the policy needs none";
  return withAdvice(new SlipwayError({ ...error.parts, what }), way);
}

function failureOf(session: HostSession, what: string, outcome: CommandOutcome): SlipwayError {
  const parts = { what, host: session.target };
  if (outcome.kind !== "exited") {
    return new SlipwayError({
      ...parts,
      code: "connection-lost",
      why: "the command broke off, so its outcome is unknown",
      next: "Run pulumi up again: it looks anew",
    });
  }
  switch (outcome.code) {
    case EXIT.busy:
      return new SlipwayError({
        ...parts,
        code: "command-failed",
        why: "the agent is restarting something",
        after: `after ${TURN_SECONDS}s`,
        left: "Nothing was changed",
        next: "Run pulumi up again when that has ended",
      });
    case EXIT.without:
      return new SlipwayError({
        ...parts,
        code: "host-unsupported",
        why: "there is neither systemd nor OpenRC nor a cron that reads /etc/cron.d, so nothing would start it",
        left: "Nothing was changed",
        next: "Install cron, or set watch: false",
      });
    default:
      return new SlipwayError({
        ...parts,
        code: "command-failed",
        why: `the command ended with exit code ${outcome.code}`,
        evidence: tail(
          session.redact(stripControl(outcome.stderr.trim() === "" ? outcome.stdout : outcome.stderr)),
        ),
      });
  }
}
