import { type TestKey, testKey } from "./test-key";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { askDocker, docker } from "./docker";

const LABEL = "slipway.lab";
const MACHINE_LABEL = "slipway.lab.machine";
const KEPT = "kept";
const ENDING = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const;

/** What the lab objects of one process share: who owns them, and the key that opens their hosts. */
export interface LabRun {
  /** The process that answers for the objects, or `kept`: those stay until they are removed by name. */
  readonly id: string;
  readonly privateKey: string;
  readonly privateKeyPath: string;
  readonly publicKey: string;
  /** The arguments that mark a lab object for its owner. */
  readonly labelArgs: readonly string[];
}

const runs = new Map<string, Promise<LabRun>>();
const containers = new Set<string>();

/** The lab run of this process; the first call sweeps away what dead processes left. */
export function labRun(options: { readonly keep?: boolean } = {}): Promise<LabRun> {
  const id = options.keep === true ? KEPT : ownId();
  const existing = runs.get(id);
  if (existing !== undefined) return existing;
  const run = startRun(id);
  runs.set(id, run);
  return run;
}

/** Removes a container at the end of this process even when nobody else did. */
export function removeAtExit(container: string): void {
  containers.add(container);
}

/** Removes a lab container with its volumes, now; one that is gone already is fine. */
export async function removeContainer(container: string): Promise<void> {
  await docker(["rm", "--force", "--volumes", container]);
  containers.delete(container);
}

/** Names of the lab's containers, of all owners. */
export async function listContainers(filter: readonly string[] = []): Promise<readonly string[]> {
  const filters = [`label=${LABEL}`, ...filter].flatMap((one) => ["--filter", one]);
  const out = await docker(["ps", "--all", "--format", "{{.Names}}", ...filters]);
  return out.split("\n").filter((name) => name !== "");
}

/** The lab's folder in the cache. */
export function labFolder(...parts: readonly string[]): string {
  const folder = path.join(process.env.SLIPWAY_CACHE ?? path.join(tmpdir(), "slipway"), "lab", ...parts);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

async function startRun(id: string): Promise<LabRun> {
  await sweep();
  const folder = labFolder(id);
  const privateKeyPath = path.join(folder, "id_ed25519");
  if (id !== KEPT) leaveAtExit(folder);
  const labelArgs = ["--label", `${LABEL}=${id}`, "--label", `${MACHINE_LABEL}=${hostname()}`];
  return { id, privateKeyPath, ...readOrMakeKey(privateKeyPath), labelArgs };
}

function readOrMakeKey(file: string): TestKey {
  try {
    return { privateKey: readFileSync(file, "utf8"), publicKey: readFileSync(`${file}.pub`, "utf8").trim() };
  } catch {
    const made = testKey("ed25519", "slipway-lab");
    writeFileSync(`${file}.pub`, `${made.publicKey}\n`);
    writeFileSync(file, made.privateKey, { mode: 0o600 });
    return made;
  }
}

function leaveAtExit(folder: string): void {
  process.once("exit", () => leave(folder));
  for (const [signal, code] of ENDING) {
    // A test runner that handles the signal comes to its exit by itself.
    if (process.listenerCount(signal) === 0) process.once(signal, () => process.exit(code));
  }
}

/** The end of a process allows no waiting: a test run that was interrupted cleans up here. */
function leave(folder: string): void {
  if (containers.size > 0) {
    try {
      execFileSync("docker", ["rm", "--force", "--volumes", ...containers], { stdio: "ignore" });
    } catch {
      // the next run sweeps
    }
  }
  rmSync(folder, { recursive: true, force: true });
}

async function sweep(): Promise<void> {
  const format = `{{.ID}} {{.Label "${LABEL}"}}`;
  const filters = ["--filter", `label=${LABEL}`, "--filter", `label=${MACHINE_LABEL}=${hostname()}`];
  const lines = (await docker(["ps", "--all", "--no-trunc", "--format", format, ...filters])).split("\n");
  const orphans = lines.flatMap((line) => {
    const [container, owner] = line.split(" ");
    return container !== undefined && owner !== undefined && !isOwned(owner) ? [container] : [];
  });
  // Several runs may sweep at the same time: what another one removed first is no failure.
  if (orphans.length > 0) await askDocker(["rm", "--force", "--volumes", ...orphans]);
  for (const owner of readdirSync(labFolder())) {
    if (!isOwned(owner)) rmSync(path.join(labFolder(), owner), { recursive: true, force: true });
  }
}

function ownId(): string {
  return `${process.pid}-${startOf(process.pid)}`;
}

/** Does the process that is named in the label live? Anything not ours to judge counts as owned. */
function isOwned(owner: string): boolean {
  const match = /^(\d+)-(\d+)$/.exec(owner);
  if (match?.[1] === undefined) return true;
  const pid = Number(match[1]);
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
  }
  return startOf(pid) === match[2];
}

/** When a process was started, in the kernel's ticks: a number that is used again then names another process. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "0";
  } catch {
    return "0"; // no /proc on this system: the number alone has to do
  }
}
