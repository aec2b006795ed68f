import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { HandlerContext, Properties } from "../provider/handler";
import { closeConnections } from "../provider/host/pool";
import { remoteImageHandler as handler } from "../provider/remote-image/handler";
import { readContext } from "../provider/remote-image/read-context";
import { docker } from "../test/lab/docker";
import type { LabHost } from "../test/lab/lab-host";
import { handlerContext } from "../test/support/handler-context";
import { startDockerHost } from "../test/support/web-host";
import type { Bench, Figures, Measured, Row } from "./bench";
import { type DelayProxy, startDelayProxy } from "./delay-proxy";
import { openCli } from "./docker-cli";
import { targetOf } from "./engine-host";
import { changeLine, FILES, fillContext } from "./image-context";
import { median, rounded } from "./median";

const RTT_MS = 20;
const [COLD, CHANGED, UNCHANGED] = ["first build", "one line changed", "nothing changed"];
const [OURS, CLI] = ["ours", "docker CLI over ssh://"];

/** A build whose context lies here and whose engine is far away, beside the docker command's. */
export const imageBench: Bench = {
  columns: {
    what: `${FILES} files, 200 MB`,
    by: "by",
    ms: "median ms",
    bytes: "bytes on the line",
    samples: "samples",
  },
  bounds: [
    { figure: "bytes_ratio", atLeast: 10 },
    { figure: "time_ratio", atLeast: 3 },
    { figure: "unchanged_ms", atMost: 100 },
    { figure: "unchanged_connections", atMost: 0 },
    { figure: "hash_5000_ms", atMost: 1_000 },
  ],
  run: async (say, { quick }) => {
    say("lab: a host with Docker and buildx (half a minute), and a context of 200 MB");
    const host = await startDockerHost("trixie");
    const folder = mkdtempSync(path.join(tmpdir(), "slipway-bench-"));
    const { XDG_CACHE_HOME } = process.env;
    process.env.XDG_CACHE_HOME = path.join(folder, "cache");
    const line = await startDelayProxy(host.sshPort, RTT_MS);
    try {
      const install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "docker-buildx"];
      await host.must(["env", "DEBIAN_FRONTEND=noninteractive", ...install]);
      const context = path.join(folder, "context");
      fillContext(context);
      return await runOn({ host, line, folder, context, samples: quick ? 1 : 5, say });
    } finally {
      if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
      closeConnections();
      line.stop();
      rmSync(folder, { recursive: true, force: true });
      await host.remove();
    }
  },
};

interface Stage {
  readonly host: LabHost;
  readonly line: DelayProxy;
  readonly folder: string;
  readonly context: string;
  readonly samples: number;
  readonly say: (text: string) => void;
}

interface Taken {
  readonly ms: number;
  readonly bytes: number;
  readonly connections: number;
}

async function runOn(stage: Stage): Promise<Measured> {
  const { host, samples, say } = stage;
  const hashMs = await measureHash(stage);
  const ours = ourSide(stage);
  const cli = cliSide(stage);
  const rows: Row[] = [];
  const note = (what: string | undefined, by: string | undefined, taken: readonly Taken[]): void => {
    const ms = Math.round(median(taken.map((each) => each.ms)));
    const bytes = Math.round(median(taken.map((each) => each.bytes)));
    const connections = Math.max(...taken.map((each) => each.connections));
    const row: Row = { what: what ?? "", by: by ?? "", ms, bytes, connections, samples: taken.length };
    say(`  ${JSON.stringify(row)}`);
    rows.push(row);
  };
  say("first builds");
  note(COLD, OURS, [await ours.build()]);
  note(COLD, CLI, [await cli.build()]);
  say("one line changed");
  const changed: { readonly ours: Taken[]; readonly cli: Taken[] } = { ours: [], cli: [] };
  for (let at = 0; at < samples; at++) {
    // each has a change of its own, so that neither finds what the other built
    changeLine(stage.context, 2 * at);
    changed.ours.push(await ours.build());
    changeLine(stage.context, 2 * at + 1);
    changed.cli.push(await cli.build());
  }
  note(CHANGED, OURS, changed.ours);
  note(CHANGED, CLI, changed.cli);
  await ours.build();
  const unchanged: Taken[] = [];
  for (let at = 0; at <= samples; at++) unchanged.push(await ours.look());
  note(UNCHANGED, OURS, unchanged.slice(1)); // what was written a moment ago is read once more
  note(UNCHANGED, CLI, [await cli.build()]);
  const versions = {
    engine: await host.must(["docker", "version", "--format", "{{.Server.Version}}"]),
    buildx: (await host.must(["docker", "buildx", "version"])).split(" ")[1] ?? "",
    docker_cli: await docker(["version", "--format", "{{.Client.Version}}"]),
    docker_cli_builder: (await cli.hasBuildKit()) ? "buildkit" : "classic",
  };
  return { rows, figures: figuresOf(rows, hashMs), versions };
}

function figuresOf(rows: readonly Row[], hashMs: number): Figures {
  const at = (what: string | undefined, by: string | undefined, key: string): number =>
    Number(rows.find((row) => row.what === what && row.by === by)?.[key]);
  const ratio = (what: string | undefined, key: string): number =>
    rounded(at(what, CLI, key) / at(what, OURS, key));
  return {
    bytes_ratio: ratio(CHANGED, "bytes"),
    time_ratio: ratio(CHANGED, "ms"),
    unchanged_ms: at(UNCHANGED, OURS, "ms"),
    unchanged_connections: at(UNCHANGED, OURS, "connections"),
    hash_5000_ms: hashMs,
    changed_bytes: at(CHANGED, OURS, "bytes"),
    first_bytes_ratio: ratio(COLD, "bytes"),
    first_time_ratio: ratio(COLD, "ms"),
  };
}

/** Nothing is remembered of an earlier run. */
async function measureHash({ context, folder, samples }: Stage): Promise<number> {
  const times: number[] = [];
  for (let at = 0; at < Math.max(samples, 2); at++) {
    const memoryFolder = path.join(folder, `memory-${at}`);
    const started = performance.now();
    await readContext({ folder: context, dockerfile: "Dockerfile", wall: Date.now, memoryFolder });
    times.push(performance.now() - started);
  }
  return Math.round(median(times.slice(1)));
}

/** What the two sides build, as a run of theirs does it: from the look at the files to the image, its login included. */
function ourSide({ host, line, context }: Stage) {
  const given = {
    host: { ...host.connection(), port: line.port },
    ...{ name: "ours", context, builder: "auto", __salt: "5a".repeat(16) },
  };
  let olds: Properties | undefined;
  const run = handlerContext();
  const check = async (with_: HandlerContext): Promise<Properties> => {
    const { inputs, failures } = await handler.check({}, given, with_);
    if (failures.length > 0) throw new Error(JSON.stringify(failures));
    return inputs;
  };
  return {
    build: () =>
      taken(line, async () => {
        const inputs = await check(run);
        olds =
          olds === undefined
            ? (await handler.create(inputs, run)).outputs
            : await handler.update("ours", olds, inputs, run);
        closeConnections();
      }),
    /** What a second up does: Pulumi calls nothing else when check gives the same as before. */
    look: () =>
      taken(line, async () => {
        const inputs = await check(run);
        if (olds === undefined || inputs.ref !== olds.ref) throw new Error("something changed");
        const { changes } = await handler.diff("ours", olds, inputs, run);
        if (changes === true) throw new Error("something is to be done");
      }),
  };
}

/** The docker command with what it has: without its buildx plugin it has the classic builder. */
function cliSide({ host, line, context }: Stage) {
  const cli = openCli(targetOf(host, line.port), false);
  return {
    build: () => taken(line, () => cli.docker(["build", "--quiet", "--tag", "theirs", context])),
    hasBuildKit: () =>
      cli.docker(["buildx", "version"]).then(
        () => true,
        () => false,
      ),
  };
}

async function taken(line: DelayProxy, run: () => Promise<unknown>): Promise<Taken> {
  const before = await line.traffic();
  const started = performance.now();
  await run();
  const ms = performance.now() - started;
  const after = await line.traffic();
  return { ms, bytes: after.bytes - before.bytes, connections: after.connections - before.connections };
}
