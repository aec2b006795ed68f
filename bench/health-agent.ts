import { systemClock } from "../provider/clock";
import { installAgent } from "../provider/health-policy/agent/agent";
import { agentFolder, agentKey, formatSettings } from "../provider/health-policy/agent/settings";
import type { PolicyInputs } from "../provider/health-policy/inputs";
import { reachOf } from "../provider/health-policy/reach";
import { silentLog } from "../provider/log";
import type { LabHost } from "../test/lab/lab-host";
import { rounded } from "./median";

/** CPU time of one turn of the agent, on average. */
export interface AgentCost {
  /** Of the program itself, and of all that it starts. */
  readonly agentMs: number;
  /** Of dockerd and containerd meanwhile. */
  readonly engineMs: number;
}

const KEY = agentKey("bench/bench", "bench");
const UNIT = `slipway-health-${KEY}`;
const WARM_TURNS = 3;

/** Prints the program's user and system seconds, then the engine's clock ticks (hundredths). */
const MEASURE = `
ticks() {
  sum=0
  for pid in $(pidof dockerd containerd); do
    read -r stat <"/proc/$pid/stat"
    set -- \${stat##*) }
    sum=$((sum + \${12} + \${13}))
  done
  echo "$sum"
}
turns() { for ((turn = 0; turn < $1; turn++)); do sh "$folder/agent" "$folder"; done; }
folder=$1
turns ${WARM_TURNS}
before=$(ticks)
TIMEFORMAT='%U %S'
time turns "$2"
echo $(($(ticks) - before)) >&2
`;

/** Takes so many turns of an agent that has nothing to repair, one right after another. */
export async function measureAgent(policy: PolicyInputs, host: LabHost, turns: number): Promise<AgentCost> {
  const { signal } = new AbortController();
  const context = { log: silentLog, clock: systemClock, random: Math.random, signal };
  const reach = reachOf(policy.hosts, {}, context);
  const files = {
    settings: formatSettings(policy),
    ledger: "",
    notify: "",
    intervalMs: policy.watchIntervalMs,
  };
  for (const target of reach.targets)
    await reach.on(target, (session) => installAgent({ session, signal, clock: systemClock }, KEY, files));
  await host.must(["systemctl", "stop", `${UNIT}.timer`, `${UNIT}.service`]);
  const folder = agentFolder(KEY);
  const { code, stderr } = await host.exec(["bash", "-c", MEASURE, "measure", folder, String(turns)]);
  const [user = Number.NaN, system = Number.NaN, ticks = Number.NaN] = stderr.trim().split(/\s+/).map(Number);
  const log = await host.must(["cat", `${folder}/log`]);
  if (code !== 0 || log !== "") throw new Error(`the agent's turns: exit ${code}: ${stderr} ${log}`);
  return {
    agentMs: rounded(((user + system) * 1_000) / turns),
    engineMs: rounded((ticks * 10) / turns),
  };
}
