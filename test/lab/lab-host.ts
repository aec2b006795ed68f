import { createHash, randomBytes } from "node:crypto";
import { type AskOptions, askDocker, docker, type Outcome } from "./docker";
import { freePort } from "./free-port";
import { type LabRun, labRun, removeAtExit, removeContainer } from "./lab-run";
import { type Login, parseLogins } from "./login";
import { machinePower } from "./machine-power";
import { waitUntilUp } from "./ready";

/** Debian 12 or Debian 13. */
export type Suite = "bookworm" | "trixie";
/** `deploy` has sudo without a password, `limited` with one, `plain` has none. */
export type LabUser = "root" | "deploy" | "limited" | "plain";
/** The ports inside the host that are published; a container on the host answers there from outside. */
export type WebPort = 80 | 8080 | 8081;

/** A connection to a lab host, in the fields of Slipway's and of `@pulumi/command`'s connections. */
export interface LabConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly privateKey?: string;
  readonly password?: string;
  readonly hostKey: string;
}

/** Settings of a new lab host. */
export interface LabHostOptions {
  readonly suite: Suite;
  /** What it starts from, made of the suite's own. @default the suite's own */
  readonly image?: string;
  /** Whether process 1 is systemd. @default true */
  readonly hasSystemd?: boolean;
  /** @default a name with the suite and a few random letters */
  readonly name?: string;
  /** Let it live on after this process; `npm run lab -- down NAME` removes it. */
  readonly keep?: boolean;
}

/** Settings of a command on a lab host. */
export interface ExecOptions extends AskOptions {
  /** @default root */
  readonly user?: LabUser;
}

const WEB_PORTS: readonly WebPort[] = [80, 8080, 8081];
const START_ATTEMPTS = 5;

/** Starts a bare machine with systemd, sshd and apt, and returns when one can log in. */
export async function startLabHost(options: LabHostOptions): Promise<LabHost> {
  const started = performance.now();
  const { suite, keep = false, hasSystemd = true } = options;
  const run = await labRun({ keep });
  const name = options.name ?? `slipway-${suite}-${randomBytes(3).toString("hex")}`;
  const passwords = {
    limited: randomBytes(9).toString("base64url"),
    plain: randomBytes(9).toString("base64url"),
  };
  await mustBeFree(name);
  if (!keep) removeAtExit(name);
  const ports = await createContainer(name, options.image ?? `slipway-lab:${suite}`, run, passwords);
  try {
    const sshPort = portOf(ports, 22);
    await waitUntilUp(name, sshPort, hasSystemd);
    const hostKeyLine = await readHostKey(name);
    const internalAddress = await docker(["inspect", "--format", "{{.NetworkSettings.IPAddress}}", name]);
    const webPorts = { 80: portOf(ports, 80), 8080: portOf(ports, 8080), 8081: portOf(ports, 8081) };
    const startedInMs = performance.now() - started;
    return new LabHost({
      name,
      suite,
      hasSystemd,
      run,
      sshPort,
      webPorts,
      internalAddress,
      hostKeyLine,
      passwords,
      startedInMs,
    });
  } catch (error) {
    await removeContainer(name);
    throw error;
  }
}

interface LabHostFields {
  readonly name: string;
  readonly suite: Suite;
  readonly hasSystemd: boolean;
  readonly run: LabRun;
  readonly sshPort: number;
  readonly webPorts: Readonly<Record<WebPort, number>>;
  readonly internalAddress: string;
  readonly hostKeyLine: string;
  readonly passwords: Readonly<Record<"limited" | "plain", string>>;
  readonly startedInMs: number;
}

/** A running lab host. It is looked at and handled from outside, by other means than SSH. */
export class LabHost {
  readonly address = "127.0.0.1";
  readonly name: string;
  readonly suite: Suite;
  readonly sshPort: number;
  /** Port inside the host to port on 127.0.0.1. */
  readonly webPorts: Readonly<Record<WebPort, number>>;
  /** Where other lab hosts reach it. */
  readonly internalAddress: string;
  /** `ssh-ed25519 AAAA…` */
  readonly hostKeyLine: string;
  readonly passwords: Readonly<Record<"limited" | "plain", string>>;
  /** How long the start took until one could log in. */
  readonly startedInMs: number;
  readonly #run: LabRun;
  readonly #hasSystemd: boolean;

  constructor(fields: LabHostFields) {
    this.name = fields.name;
    this.suite = fields.suite;
    this.sshPort = fields.sshPort;
    this.webPorts = fields.webPorts;
    this.internalAddress = fields.internalAddress;
    this.hostKeyLine = fields.hostKeyLine;
    this.passwords = fields.passwords;
    this.startedInMs = fields.startedInMs;
    this.#run = fields.run;
    this.#hasSystemd = fields.hasSystemd;
  }

  /** The host key's fingerprint as ssh prints it: `SHA256:…` */
  get hostKeyFingerprint(): string {
    const key = Buffer.from(this.hostKeyLine.split(" ")[1] ?? "", "base64");
    return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
  }

  /** The host's line in a known_hosts file. */
  get knownHostsLine(): string {
    return `[${this.address}]:${this.sshPort} ${this.hostKeyLine}`;
  }

  /** The path of the private key that opens every user of this host. */
  get privateKeyPath(): string {
    return this.#run.privateKeyPath;
  }

  /** How a user reaches the host; by password only `limited` and `plain` can. */
  connection(user: LabUser = "root", by: "key" | "password" = "key"): LabConnection {
    const base = { host: this.address, port: this.sshPort, user, hostKey: this.hostKeyFingerprint };
    if (by === "key") return { ...base, privateKey: this.#run.privateKey };
    if (user !== "limited" && user !== "plain") throw new Error(`${user} of a lab host has no password`);
    return { ...base, password: this.passwords[user] };
  }

  /** `http://127.0.0.1:…` of a port inside the host. */
  url(port: WebPort = 80): string {
    return `http://${this.address}:${this.webPorts[port]}`;
  }

  /** Runs a command on the host without SSH; a non-zero exit is an answer. */
  exec(argv: readonly string[], options: ExecOptions = {}): Promise<Outcome> {
    const { user = "root", ...rest } = options;
    return askDocker(["exec", "--interactive", "--user", user, this.name, ...argv], rest);
  }

  /** Runs a command that has to succeed, and returns what it printed. */
  async must(argv: readonly string[], options: ExecOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.exec(argv, options);
    if (code !== 0)
      throw new Error(`${argv.join(" ")} on ${this.name}: exit ${code}: ${stderr.trim()} ${stdout.trim()}`);
    return stdout.trimEnd();
  }

  /** Every accepted SSH login since the first start, oldest first. */
  async logins(): Promise<readonly Login[]> {
    await this.must(["journalctl", "--sync"]);
    return parseLogins(await this.sshLog());
  }

  /** The logins that came after `mark`, which is the length of an earlier `logins()`. */
  async loginsSince(mark: number): Promise<readonly Login[]> {
    return (await this.logins()).slice(mark);
  }

  /** All that sshd logged. */
  async sshLog(): Promise<string> {
    const tags = ["sshd", "sshd-session", "sshd-auth"].flatMap((tag) => ["--identifier", tag]);
    const { stdout } = await this.exec(["journalctl", "--no-pager", "--quiet", "--output", "cat", ...tags]);
    return stdout;
  }

  /** The host's journal, of one unit or of all. */
  async journal(unit?: string): Promise<string> {
    const units = unit === undefined ? [] : ["--unit", unit];
    return this.must(["journalctl", "--no-pager", "--quiet", "--output", "short-iso", ...units]);
  }

  /** Freezes the whole machine: connections stay open and nothing answers. */
  async pause(): Promise<void> {
    await docker(["pause", this.name]);
  }

  async resume(): Promise<void> {
    await docker(["unpause", this.name]);
  }

  /** Shuts the machine down in order. */
  async stop(): Promise<void> {
    await docker(["stop", "--time", "30", this.name]);
  }

  /** Takes the power away. */
  async kill(): Promise<void> {
    await docker(["kill", this.name]);
  }

  /** Starts it again, on the same ports, and returns when one can log in. */
  async start(): Promise<void> {
    await docker(["start", this.name]);
    await waitUntilUp(this.name, this.sshPort, this.#hasSystemd);
  }

  /** Removes the machine with all its data. */
  async remove(): Promise<void> {
    await removeContainer(this.name);
  }
}

type Ports = ReadonlyMap<number, number>;

/** Between choosing a free port and taking it somebody else may take it: then it is tried with others. */
async function createContainer(
  name: string,
  image: string,
  run: LabRun,
  passwords: Readonly<Record<string, string>>,
): Promise<Ports> {
  const lines = Object.entries(passwords).map(([user, password]) => `${user}:${password}`);
  const args = [
    "--detach",
    "--name",
    name,
    "--hostname",
    name,
    ...run.labelArgs,
    ...(await machinePower(image)),
  ];
  args.push("--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec");
  args.push("--volume", "/var/lib/docker", "--volume", "/var/lib/containerd"); // nameless: they go with the container
  args.push("--env", `LAB_AUTHORIZED_KEY=${run.publicKey}`, "--env", `LAB_PASSWORDS=${lines.join("\n")}`);
  for (let attempt = 1; ; attempt += 1) {
    const ports = new Map<number, number>();
    for (const port of [22, ...WEB_PORTS]) ports.set(port, await freePort());
    const published = [...ports].flatMap(([inside, outside]) => [
      "--publish",
      `127.0.0.1:${outside}:${inside}`,
    ]);
    const { code, stderr } = await askDocker(["run", ...args, ...published, image]);
    if (code === 0) return ports;
    await askDocker(["rm", "--force", "--volumes", name]);
    const taken = /port is already allocated|address already in use/.test(stderr);
    if (!taken || attempt === START_ATTEMPTS)
      throw new Error(`lab host ${name} does not start: ${stderr.trim()}`);
  }
}

/** A start that fails clears its own leftovers by name: nothing that is somebody's may have it, in the lab or not. */
async function mustBeFree(name: string): Promise<void> {
  const { code } = await askDocker(["container", "inspect", name]);
  if (code === 0) throw new Error(`there is a container ${name} already; remove it, or give another name`);
}

function portOf(ports: Ports, inside: number): number {
  const port = ports.get(inside);
  if (port === undefined) throw new Error(`port ${inside} of a lab host is not published`);
  return port;
}

async function readHostKey(name: string): Promise<string> {
  const line = await docker(["exec", name, "cat", "/etc/ssh/ssh_host_ed25519_key.pub"]);
  return line.split(" ").slice(0, 2).join(" ");
}
