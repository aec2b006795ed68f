import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { Contender, Session, Target } from "./contender";

const run = promisify(execFile);

/** The docker command over `ssh://`, with this machine's ssh. */
export const dockerCli: Contender = {
  name: "docker CLI over ssh://",
  keeps: false,
  samples: 3,
  open: (target) => Promise.resolve(openCli(target, false)),
};

/** The same with a ControlMaster that keeps its connection. */
export const dockerCliControlMaster: Contender = {
  name: "docker CLI, ControlMaster",
  keeps: true,
  samples: 3,
  open: async (target) => {
    const cli = openCli(target, true);
    try {
      await cli.exec();
      return cli;
    } catch (error) {
      await cli.close();
      throw error;
    }
  },
};

/** The docker command of one target, with an ssh configuration of its own. */
export interface CliSession extends Session {
  readonly exec: () => Promise<unknown>;
  readonly docker: (argv: readonly string[]) => Promise<string>;
}

/** Opens nothing yet: every command logs in, or starts the ControlMaster that all later ones use. */
export function openCli(target: Target, controlMaster: boolean): CliSession {
  const folder = mkdtempSync(path.join(tmpdir(), "slipway-bench-"));
  const controlPath = path.join(folder, "cm");
  const config = writeConfig(folder, target, controlMaster ? controlPath : undefined);
  // docker calls `ssh` by its name, and ssh takes its home folder from the user database: so a config file it is
  writeFileSync(path.join(folder, "ssh"), `#!/bin/sh\nexec ${onPath("ssh")} -F ${config} "$@"\n`, {
    mode: 0o755,
  });
  const { host, port, user } = target;
  const env = {
    ...process.env,
    PATH: `${folder}${path.delimiter}${process.env.PATH ?? ""}`,
    DOCKER_HOST: `ssh://${user}@${host}:${port}`,
    DOCKER_CONFIG: folder,
  };
  const ssh = (...argv: readonly string[]): Promise<unknown> =>
    run(path.join(folder, "ssh"), ["-l", user, "-p", String(port), ...argv], { env });
  const docker = async (argv: readonly string[]): Promise<string> =>
    (await run("docker", argv, { env, maxBuffer: 1 << 26 })).stdout;
  return {
    docker,
    exec: () => ssh(host, "true"),
    call: () => docker(["ps", "--quiet"]),
    list: async () => (await docker(["ps", "--all", "--quiet"])).trim().split("\n").length,
    close: async () => {
      // without a master, because it could not open or has ended, nothing has to be told
      if (controlMaster && existsSync(controlPath)) await ssh("-O", "exit", host);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function writeConfig(folder: string, target: Target, controlPath: string | undefined): string {
  const knownHosts = path.join(folder, "known_hosts");
  writeFileSync(knownHosts, `bench ${target.hostKeyLine}\n`);
  const lines = [
    "Host *",
    `IdentityFile ${target.privateKeyPath}`,
    "IdentitiesOnly yes",
    "HostKeyAlias bench",
    `UserKnownHostsFile ${knownHosts}`,
    "StrictHostKeyChecking yes",
    ...(controlPath === undefined
      ? []
      : ["ControlMaster auto", `ControlPath ${controlPath}`, "ControlPersist 60"]),
  ];
  const config = path.join(folder, "config");
  writeFileSync(config, `${lines.join("\n")}\n`);
  return config;
}

function onPath(name: string): string {
  for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // the next folder
    }
  }
  throw new Error(`the bench needs ${name} on PATH (on Debian: apt-get install openssh-client)`);
}
