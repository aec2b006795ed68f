import { docker } from "../test/lab/docker";
import type { LabHost } from "../test/lab/lab-host";
import type { Bench, Figures, Measured, Row } from "./bench";
import type { Contender } from "./contender";
import { startDelayProxy } from "./delay-proxy";
import { dockerCli, dockerCliControlMaster } from "./docker-cli";
import { dockerodeSsh } from "./dockerode-ssh";
import { createIdle, startEngineHost, targetOf } from "./engine-host";
import { rounded } from "./median";
import { ours } from "./ours";
import { plainSsh2 } from "./plain-ssh2";
import { SCENARIOS, type Scenario, measure } from "./scenario";
import { stopForty } from "./stop-forty";
import { measureRoundTrip } from "./wire";

const RTTS_MS = [0, 20, 80] as const;
/** The round trip that the figures are taken at. */
const FAR_MS = 80;
const LISTING = "200 listed" satisfies Scenario;
const CONTENDERS: readonly Contender[] = [ours, plainSsh2, dockerCliControlMaster, dockerCli, dockerodeSsh];

/** The SSH session layer beside what else speaks to an engine over SSH. */
export const hostBench: Bench = {
  columns: {
    rtt: "RTT ms",
    scenario: "scenario",
    contender: "by",
    ms: "median ms",
    samples: "samples",
    failures: "failures",
    logins: "logins",
  },
  bounds: [
    { figure: "warm_call_extra_ms", atMost: 3 },
    { figure: "docker_cli_round_trips", atLeast: 8 },
    { figure: "forty_calls_ms_at_80", atMost: 400 },
    { figure: "logins", atMost: 1, atLeast: 1 },
    { figure: "stop40_failures", atMost: 0 },
    { figure: "stop40_failures_docker_cli", atLeast: 2 },
  ],
  run: async (say) => {
    say("lab: starting a host with Docker (half a minute)");
    const host = await startEngineHost();
    try {
      return await runOn(host, say);
    } finally {
      await host.remove();
    }
  },
};

async function runOn(host: LabHost, say: (text: string) => void): Promise<Measured> {
  const roundTripMs = await measureRoundTrip(FAR_MS);
  const calls = SCENARIOS.filter((scenario) => scenario !== LISTING);
  const rows = await measureAll(calls, host, say);
  say("creating 200 containers (about a minute)");
  await createIdle(host);
  rows.push(...(await measureAll([LISTING], host, say)));
  say("40 containers stopped at once");
  const stopped = await stopForty(host, targetOf(host, host.sshPort));
  const stopRow = { rtt: 0, scenario: "40 stopped at once", samples: 1 };
  const { ms: ourMs, ...oursStopped } = stopped.ours;
  const { ms: cliMs, ...cliStopped } = stopped.cli;
  rows.push({ ...stopRow, contender: ours.name, ms: rounded(ourMs), ...oursStopped });
  rows.push({ ...stopRow, contender: dockerCli.name, ms: rounded(cliMs), ...cliStopped });
  const versions = {
    engine: await host.must(["docker", "version", "--format", "{{.Server.Version}}"]),
    sshd: await host.must(["dpkg-query", "--show", "--showformat", "${Version}", "openssh-server"]),
    docker_cli: await docker(["version", "--format", "{{.Client.Version}}"]),
  };
  const figures = figuresOf(rows, roundTripMs, stopped.ours.failures, stopped.cli.failures);
  return { rows, figures, versions };
}

async function measureAll(
  scenarios: readonly Scenario[],
  host: LabHost,
  say: (text: string) => void,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const rtt of RTTS_MS) {
    say(`round-trip time ${rtt} ms`);
    const proxy = await startDelayProxy(host.sshPort, rtt);
    try {
      const target = targetOf(host, proxy.port);
      for (const scenario of scenarios) {
        for (const contender of CONTENDERS) {
          const sampled = await measure(scenario, contender, target, host);
          if (sampled === undefined) continue;
          rows.push({ rtt, scenario, contender: contender.name, ...sampled });
          say(`  ${scenario}, ${contender.name}: ${sampled.ms} ms`);
        }
      }
    } finally {
      proxy.stop();
    }
  }
  return rows;
}

function figuresOf(
  rows: readonly Row[],
  roundTripMs: number,
  ourFailures: number,
  cliFailures: number,
): Figures {
  const at = (rtt: number, scenario: Scenario, { name }: Contender): number =>
    Number(rows.find((row) => row.rtt === rtt && row.scenario === scenario && row.contender === name)?.ms);
  const warm = at(FAR_MS, "call, warm", ours);
  const roundTrips = (scenario: Scenario, contender: Contender): number =>
    rounded((at(FAR_MS, scenario, contender) - at(0, scenario, contender)) / FAR_MS);
  const logins = rows.filter((row) => row.contender === ours.name).map((row) => Number(row.logins));
  return {
    round_trip_ms_at_80: roundTripMs,
    warm_call_extra_ms: rounded(warm - roundTripMs),
    docker_cli_ratio: rounded(at(FAR_MS, "call, cold", dockerCli) / warm),
    docker_cli_ratio_control_master: rounded(at(FAR_MS, "call, warm", dockerCliControlMaster) / warm),
    docker_cli_round_trips: roundTrips("call, cold", dockerCli),
    docker_cli_round_trips_control_master: roundTrips("call, warm", dockerCliControlMaster),
    login_round_trips: roundTrips("login", ours),
    forty_calls_ms_at_80: at(FAR_MS, "40 calls at once", ours),
    logins: Math.max(...logins),
    stop40_failures: ourFailures,
    stop40_failures_docker_cli: cliFailures,
  };
}
