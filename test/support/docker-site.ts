import { systemClock } from "../../provider/clock";
import { dockerHostHandler as handler } from "../../provider/docker-host/handler";
import { type HandlerContext, PartialFailure, type Properties } from "../../provider/handler";
import type { DockerRepository } from "../lab/docker-repository";
import { type LabHost, startLabHost } from "../lab/lab-host";

/** A bare Debian 13 machine whose only package source is a lab's Docker repository, and a DockerHost on it. */
export interface DockerSite {
  readonly host: LabHost;
  /** What was said, oldest first; the test empties it. */
  readonly lines: string[];
  /** As the provider of a stack gives it; `onLine` hears what is said as it is said. */
  context(holder?: string, onLine?: (line: string) => void): HandlerContext;
  inputs(dockerVersion: string, more?: Properties, source?: Properties): Properties;
  /** Creates the DockerHost, or updates it; the outputs are the next one's, those of a partial failure too. */
  up(inputs: Properties, context?: HandlerContext): Promise<Properties>;
  /** What a refresh reads; the next `up` goes on from there. */
  refresh(): Promise<Properties>;
  outputs(): Properties;
  /** Upstream version of the daemon that answers. */
  running(): Promise<string>;
  held(): Promise<readonly string[]>;
  /** dpkg's words, `name version`, of the five packages. */
  installed(): Promise<readonly string[]>;
  /** How often systemd has started the daemon since this was asked for the last time. */
  starts(): Promise<number>;
  /** Files of ours below /etc/apt. */
  ours(): Promise<string>;
}

/** Docker's packages, in the order of the alphabet. */
export const PACKAGES = [
  "containerd.io",
  "docker-buildx-plugin",
  "docker-ce",
  "docker-ce-cli",
  "docker-compose-plugin",
];
/** What an upgrade or a downgrade asks for. */
export const CONSENT = { allowDaemonRestart: true, allowDowngrade: true };

/** A bare Debian 13 machine that has no package source yet. */
export async function bareDockerHost(image?: string): Promise<LabHost> {
  const host = await startLabHost({ suite: "trixie", ...(image === undefined ? {} : { image }) });
  await host.must(["rm", "/etc/apt/sources.list"]);
  await host.must(["sh", "-c", "echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/lab"]);
  return host;
}

/** Starts the machine, of an image of its own where one is given. */
export async function startDockerSite(repository: DockerRepository, image?: string): Promise<DockerSite> {
  const host = await bareDockerHost(image);
  const lines: string[] = [];
  let outputs: Properties | undefined;
  const context = (holder = "e2e", onLine?: (line: string) => void): HandlerContext => {
    const write = (line: string): void => {
      lines.push(line);
      onLine?.(line);
    };
    return {
      urn: "",
      name: "host",
      log: { progress: write, keep: write, warn: write, debug: () => {} },
      clock: systemClock,
      random: Math.random,
      signal: new AbortController().signal,
      holder,
      stack: "p/s",
    };
  };
  let startsSeen = 0;
  const words = async (argv: readonly string[]): Promise<readonly string[]> =>
    (await host.must(argv)).split("\n").filter((line) => line !== "");
  return {
    host,
    lines,
    context,
    inputs: (dockerVersion, more = {}, source = {}) => {
      const { url, keys, fingerprint } = repository;
      const own = { url, suite: "trixie", key: keys.right, keyFingerprint: fingerprint, ...source };
      return { connection: host.connection("deploy"), dockerVersion, source: own, ...more };
    },
    up: async (inputs, given = context()) => {
      const step =
        outputs === undefined
          ? handler.create(inputs, given).then((created) => created.outputs)
          : handler.update("id", outputs, inputs, given);
      const done = await step.catch((error: unknown) => {
        if (error instanceof PartialFailure) outputs = error.outputs;
        throw error;
      });
      outputs = done;
      return done;
    },
    refresh: async () => {
      const seen = await handler.read("id", outputs ?? {}, context());
      outputs = seen?.outputs;
      return outputs ?? {};
    },
    outputs: () => outputs ?? {},
    running: async () =>
      (await host.must(["docker", "version", "--format", "{{.Server.Version}}"])).split("+")[0] ?? "",
    held: () => words(["apt-mark", "showhold"]),
    installed: () => words(["dpkg-query", "-W", "-f", "${Package} ${Version}\\n", ...PACKAGES]),
    starts: async () => {
      const journal = await host.journal("docker.service");
      const all = journal.split("\n").filter((line) => line.includes("]: Starting docker.service")).length;
      const fresh = all - startsSeen;
      startsSeen = all;
      return fresh;
    },
    ours: () => host.must(["find", "/etc/apt", "-name", "slipway-*"]),
  };
}
