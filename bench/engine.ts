import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { dockerHostHandler } from "../provider/docker-host/handler";
import type { Properties } from "../provider/handler";
import { closeConnections, withHost } from "../provider/host/pool";
import { type DockerRepository, startDockerRepository } from "../test/lab/docker-repository";
import { type LabHost, startLabHost } from "../test/lab/lab-host";
import { borrower } from "../test/support/borrow";
import { handlerContext } from "../test/support/handler-context";
import {
  ansibleFor,
  type AnsibleSettings,
  makeReadyForAnsible,
  type Playbook,
  prepareAnsible,
} from "./ansible";
import type { Bench, Figures, Measured, Row } from "./bench";
import { startDelayProxy } from "./delay-proxy";
import { dockerHostArgs, dockerHostStack, emptyStack } from "./engine-stack";
import { median } from "./median";
import { startTurnCounter, type TurnCounter } from "./rollout-turns";

const FAR_MS = 80;
const RTTS_MS = [0, FAR_MS] as const;
/** Until the last words of a connection have come by. */
const SETTLE_MS = 200;
const SETTINGS: readonly AnsibleSettings[] = ["defaults", "pipelining"];

/** A second run on a machine that needs nothing, beside Ansible's. */
export const engineBench: Bench = {
  columns: {
    rtt: "RTT ms",
    what: "second run",
    by: "by",
    ms: "median ms",
    ownMs: "on the machine",
    logins: "logins",
    roundTrips: "round trips",
    samples: "samples",
  },
  bounds: [
    { figure: "noop_logins", atLeast: 1, atMost: 1 },
    { figure: "noop_round_trips", atMost: 3 },
    { figure: "ansible_ratio", atLeast: 10 },
  ],
  run: async (say, { quick }) => {
    say("lab: an apt repository of Docker's packages, two bare hosts, Ansible (minutes the first time)");
    await prepareAnsible();
    const repository = await startDockerRepository();
    const [ours, theirs] = await Promise.all([
      startLabHost({ suite: "trixie" }),
      startLabHost({ suite: "trixie" }),
    ]);
    const folder = mkdtempSync(path.join(tmpdir(), "slipway-bench-"));
    try {
      await makeReadyForAnsible(theirs);
      for (const host of [ours, theirs]) await host.must(["rm", "-f", "/etc/apt/sources.list"]);
      return await runOn({ ours, theirs, repository, folder, samples: quick ? 1 : 3, say });
    } finally {
      closeConnections();
      rmSync(folder, { recursive: true, force: true });
      await Promise.all([ours.remove(), theirs.remove(), repository.remove()]);
    }
  },
};

interface Stage {
  readonly ours: LabHost;
  readonly theirs: LabHost;
  readonly repository: DockerRepository;
  readonly folder: string;
  readonly samples: number;
  readonly say: (text: string) => void;
}

async function runOn(stage: Stage): Promise<Measured> {
  const { say, ours } = stage;
  const rows: Row[] = [];
  const versions: Record<string, string> = {};
  rows.push({
    what: "an empty program",
    by: "pulumi up",
    ms: await measureEmpty(stage),
    samples: stage.samples,
  });
  for (const rtt of RTTS_MS) {
    const own = await measureOurs(stage, rtt);
    for (const row of own) say(`  ${JSON.stringify(row)}`);
    rows.push(...own);
    const { rows: other, version } = await measureTheirs(stage, rtt);
    for (const row of other) say(`  ${JSON.stringify(row)}`);
    rows.push(...other);
    versions.ansible_core = version;
  }
  versions.engine = await ours.must(["docker", "version", "--format", "{{.Server.Version}}"]);
  return { rows, figures: figuresOf(rows), versions };
}

function figuresOf(rows: readonly Row[]): Figures {
  const value = (rtt: number, by: string, what: string, key: string): number =>
    Number(rows.find((row) => row.rtt === rtt && row.by === by && row.what === what)?.[key]);
  const ratio = (rtt: number, settings: AnsibleSettings, key: string): number =>
    Math.round(
      (10 * value(rtt, `ansible, ${settings}`, "docker.yml", key)) / value(rtt, "ours", REFRESHED, key),
    ) / 10;
  return {
    noop_logins: value(FAR_MS, "ours", REFRESHED, "logins"),
    noop_round_trips: value(FAR_MS, "ours", REFRESHED, "roundTrips"),
    noop_logins_without_refresh: value(FAR_MS, "ours", PLAIN, "logins"),
    ansible_ratio: ratio(0, "defaults", "ownMs"),
    ansible_ratio_pipelining: ratio(0, "pipelining", "ownMs"),
    ansible_ratio_at_80: ratio(FAR_MS, "defaults", "ownMs"),
    ansible_ratio_whole: ratio(0, "defaults", "ms"),
    ansible_ratio_whole_at_80: ratio(FAR_MS, "defaults", "ms"),
  };
}

const PLAIN = "pulumi up";
const REFRESHED = "pulumi up --refresh";

/** Pulumi itself, with nothing to do. */
async function measureEmpty({ samples, say }: Stage): Promise<number> {
  const { stack, dispose } = await emptyStack();
  try {
    await stack.must(["up", "--yes", "--skip-preview", "--stack", stack.name]);
    const times = await sampled(samples, () => stack.up({ args: ["--refresh"] }));
    say(`  an empty program: ${Math.round(median(times))} ms`);
    return Math.round(median(times));
  } finally {
    await dispose();
  }
}

async function measureOurs(stage: Stage, rtt: number): Promise<readonly Row[]> {
  const { ours, repository, samples, say } = stage;
  return behindLine(ours, rtt, async (counter) => {
    const [, , version] = repository.engines;
    const args = dockerHostArgs(ours, { port: counter.port, version, repository });
    const { stack, dispose } = await dockerHostStack(args);
    try {
      say(`DockerHost at ${rtt} ms`);
      const first = await stack.up();
      if (first.code !== 0) throw new Error(first.output);
      const look = await measureLook(args, { host: ours, counter, rtt, samples });
      const refreshed = rtt === 0 ? { ownMs: look.ms } : { ownMs: look.ms, roundTrips: look.roundTrips };
      const rows: Row[] = [];
      for (const [what, options] of [
        [PLAIN, []],
        [REFRESHED, ["--refresh"]],
      ] as const) {
        const logins: number[] = [];
        const times = await sampled(samples, async () => {
          const before = (await ours.logins()).length;
          const fromMs = performance.now();
          const run = await stack.up({ args: options });
          if (run.code !== 0 || !run.output.includes("2 unchanged")) throw new Error(run.output);
          const toMs = performance.now();
          logins.push((await ours.loginsSince(before)).length);
          return toMs - fromMs;
        });
        const ms = Math.round(median(times));
        rows.push({
          ...{ rtt, what, by: "ours", ms, ...(what === REFRESHED ? refreshed : {}) },
          ...{ logins: Math.max(...logins), samples },
        });
      }
      return rows;
    } finally {
      await dispose();
    }
  });
}

interface Line {
  readonly host: LabHost;
  readonly counter: TurnCounter;
  readonly rtt: number;
  readonly samples: number;
}

/**
 * What a refresh does on the machine, by itself and in this process: beside a whole run it would be lost in the noise of the
 * CLI, and a process that is still loading its code tears one turn into several.
 */
async function measureLook(
  args: Properties,
  { host, counter, rtt, samples }: Line,
): Promise<{ readonly ms: number; readonly roundTrips: number }> {
  const { id, outputs } = await dockerHostHandler.create(args, handlerContext());
  closeConnections();
  const taken = async (
    use: () => Promise<unknown>,
  ): Promise<{ readonly ms: number; readonly turns: number }> => {
    const fromMs = performance.now();
    await use();
    const ms = performance.now() - fromMs;
    closeConnections();
    await wait(2 * rtt + SETTLE_MS); // its goodbye
    return { ms, turns: counter.turns({ fromMs, toMs: performance.now() }, [], rtt) };
  };
  const connection = { ...host.connection(), port: counter.port };
  const logins: number[] = [];
  const looks: { readonly ms: number; readonly turns: number }[] = [];
  for (let at = 0; at < samples; at++) {
    logins.push((await taken(() => withHost(connection, borrower().options, () => Promise.resolve()))).turns);
    looks.push(
      await taken(async () => {
        const seen = await dockerHostHandler.read(id, outputs, handlerContext());
        if (JSON.stringify(seen?.outputs.drift) !== "[]") throw new Error("something is to be done");
      }),
    );
  }
  const turns = median(looks.map((look) => look.turns)) - median(logins);
  return { ms: Math.round(median(looks.map(({ ms }) => ms))), roundTrips: turns };
}

async function measureTheirs(
  { theirs, repository, folder, samples, say }: Stage,
  rtt: number,
): Promise<{ readonly rows: readonly Row[]; readonly version: string }> {
  return behindLine(theirs, rtt, async ({ port }) => {
    const [, , version] = repository.engines;
    const ansible = await ansibleFor(theirs, { port, version, repository, folder });
    say(`ansible at ${rtt} ms`);
    await ansible.play("docker", "defaults");
    const rows: Row[] = [];
    for (const settings of SETTINGS) {
      const timed = async (playbook: Playbook): Promise<number> => {
        const times = await sampled(samples, async () => {
          const changed = await ansible.play(playbook, settings);
          if (changed > 0) throw new Error(`${changed} tasks of a second run changed something`);
        });
        return Math.round(median(times));
      };
      const emptyMs = await timed("nothing");
      const ms = await timed("docker");
      const by = `ansible, ${settings}`;
      rows.push({ rtt, what: "docker.yml", by, ms, ownMs: ms - emptyMs, samples });
    }
    return { rows, version: ansible.version };
  });
}

async function behindLine<T>(
  host: LabHost,
  rtt: number,
  use: (counter: TurnCounter) => Promise<T>,
): Promise<T> {
  const line = await startDelayProxy(host.sshPort, rtt);
  const counter = await startTurnCounter(line.port);
  try {
    return await use(counter);
  } finally {
    counter.stop();
    line.stop();
  }
}

/** How long each took: by its own clock where it says so, else from its call to its end. */
async function sampled(samples: number, run: () => Promise<unknown>): Promise<readonly number[]> {
  const times: number[] = [];
  for (let at = 0; at < samples; at++) {
    const started = performance.now();
    const own = await run();
    times.push(typeof own === "number" ? own : performance.now() - started);
  }
  return times;
}
