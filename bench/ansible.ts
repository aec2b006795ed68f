import { execFile } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import type { DockerRepository } from "../test/lab/docker-repository";
import type { LabHost } from "../test/lab/lab-host";
import { labFolder } from "../test/lab/lab-run";

const run = promisify(execFile);

/** The package of PyPI; one version, so that two runs of the bench measure the same. */
const PACKAGE = "ansible==12.3.0";
const PLAYBOOKS = path.join(__dirname, "ansible");

/** A playbook of `bench/ansible`. */
export type Playbook = "docker" | "nothing";

/** How it speaks to the machine: as it comes, or with its own setting for fewer round trips. */
export type AnsibleSettings = "defaults" | "pipelining";

/** Ansible against one machine through one port of this one. */
export interface Ansible {
  readonly version: string;
  /** Runs a playbook to its end. @returns how many tasks changed something */
  play(playbook: Playbook, settings: AnsibleSettings): Promise<number>;
}

/** The first time installs it into a virtual environment of the cache folder, which takes a minute. */
export async function prepareAnsible(): Promise<string> {
  const folder = labFolder(PACKAGE);
  const command = path.join(folder, "bin/ansible-playbook");
  if (existsSync(command)) return command;
  await run("python3", ["-m", "venv", folder]);
  await run(path.join(folder, "bin/pip"), ["install", "--quiet", PACKAGE], { maxBuffer: 2 ** 24 });
  return command;
}

/** What the role's modules want on the machine, which no playbook of ours installs. */
export async function makeReadyForAnsible(host: LabHost): Promise<void> {
  const names = ["python3", "python3-apt", "python3-debian", "ca-certificates"];
  await host.must(["apt-get", "update", "-qq"]);
  const install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", ...names];
  await host.must(["env", "DEBIAN_FRONTEND=noninteractive", ...install]);
}

/** `folder` takes the inventory and the machine's key. */
export async function ansibleFor(
  host: LabHost,
  { port, version, repository, folder }: AnsibleTarget,
): Promise<Ansible> {
  const command = await prepareAnsible();
  const knownHosts = path.join(folder, `known_hosts-${port}`);
  const config = path.join(folder, "ansible.cfg");
  writeFileSync(config, ""); // nobody's settings but the defaults
  writeFileSync(knownHosts, `[${host.address}]:${port} ${host.hostKeyLine}\n`);
  const pin = (name: string): string => `${name}=5:${version}-1~debian.13~trixie`;
  const variables = {
    ansible_port: port,
    ansible_user: "root",
    ansible_ssh_private_key_file: host.privateKeyPath,
    ansible_ssh_common_args: `-o UserKnownHostsFile=${knownHosts} -o IdentityAgent=none`,
    ansible_python_interpreter: "/usr/bin/python3",
    docker_repo_url: repository.url,
    docker_apt_gpg_key: repository.keys.right,
    docker_packages: [pin("docker-ce"), pin("docker-ce-cli"), "containerd.io", "docker-buildx-plugin"],
  };
  const { stdout } = await run(command, ["--version"]);
  return {
    version: /core ([\d.]+)/.exec(stdout)?.[1] ?? "",
    async play(playbook, settings) {
      const env = {
        ...process.env,
        ANSIBLE_CONFIG: config,
        ANSIBLE_HOME: path.join(folder, "ansible"),
        ANSIBLE_PIPELINING: settings === "pipelining" ? "1" : "0",
      };
      const file = path.join(PLAYBOOKS, `${playbook}.yml`);
      const args = ["--inventory", `${host.address},`, "--extra-vars", JSON.stringify(variables), file];
      const done = await run(command, args, { env, maxBuffer: 2 ** 24 });
      return Number(/changed=(\d+)/.exec(done.stdout)?.[1] ?? 0);
    },
  };
}

/** What a play is told. */
export interface AnsibleTarget {
  readonly port: number;
  /** Upstream version of the engine. */
  readonly version: string;
  readonly repository: DockerRepository;
  readonly folder: string;
}
