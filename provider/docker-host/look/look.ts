import type { HostFacts } from "../../host/facts";
import { parseFacts } from "../../host/machine/facts-script";
import type { PackageState, SnapStore } from "./observed";
import { readRsaKeys } from "../packages/rsa-key";
import { readSigningKeys } from "../packages/signing-key";

/** What one look brought; see {@link lookScript}. */
export interface Look {
  /** Root's rights are not known by a look: `none` stands for it. */
  readonly facts: HostFacts;
  readonly packages: PackageState;
  readonly daemonConfig: string;
  readonly active: boolean;
  readonly enabled: boolean;
  /** Services of Docker that somebody forbade to start. */
  readonly masked: readonly string[];
  /** Rules of a restart of ours that was killed. */
  readonly restartRules: boolean;
  /** Where the docker snap's store stands; undefined without that snap. */
  readonly snap: SnapStore | undefined;
  /** Users whose own rootless engine runs. */
  readonly rootless: readonly string[];
  /** Path of a dockerd that no package owns. */
  readonly unpackaged: string | undefined;
  /** Ids of containers whose daemon does not answer. */
  readonly outlived: readonly string[];
  readonly users: Readonly<Record<string, "member" | "not a member" | "missing">>;
  /** What may not be read by the one who looked. */
  readonly closed: readonly string[];
  /** The engine's own words, a JSON text a line: version, info, containers that are not stopped; undefined when it was not heard. */
  readonly engine: string | undefined;
  /** Bytes. */
  readonly memory: number;
  /** Bytes of the file system that holds Docker's root directory. */
  readonly disk: number;
}

/** The answer of the look script; undefined when it was cut off. */
export function parseLook(text: string): Look | undefined {
  const start = text.lastIndexOf("\n== look\n");
  const lines = text
    .slice(start + 1)
    .split("\n")
    .map((line) => line.split(" "));
  const all = (key: string): readonly (readonly string[])[] =>
    lines.filter((line) => line[0] === key).map((line) => line.slice(1));
  const one = (key: string): string | undefined => all(key)[0]?.join(" ");
  if (start === -1 || one("end") === undefined) return undefined;
  const engine = one("engine");
  return {
    facts: parseFacts(text.slice(0, start)),
    packages: packagesOf(all, one),
    daemonConfig: decode(one("config") ?? "").toString("utf8"),
    active: one("active") !== undefined,
    enabled: one("enabled") !== undefined,
    masked: all("masked").map(([name = ""]) => name),
    restartRules: one("restart-rules") !== undefined,
    snap: snapStoreOf(one("snap")),
    rootless: [...new Set(all("rootless").map(([name = ""]) => name))].sort(),
    // what a run of ours that was cut off has laid there may be in no package yet
    unpackaged: one("ours") === undefined ? one("unpackaged") : undefined,
    outlived: [...new Set(all("outlived").map(([id = ""]) => id))].sort(),
    users: Object.fromEntries(
      all("user").map(([name = "", state]) => [name, state === "not" ? "not a member" : memberOr(state)]),
    ),
    closed: all("closed").map((words) => words.join(" ")),
    engine: engine === undefined ? undefined : decode(engine).toString("utf8"),
    memory: bytes(one("memory")),
    disk: bytes(one("disk")),
  };
}

function packagesOf(
  all: (key: string) => readonly (readonly string[])[],
  one: (key: string) => string | undefined,
): PackageState {
  const rows = all("package");
  const installed = Object.fromEntries(
    rows.filter((row) => row[2] === "installed").map(([name = "", version = ""]) => [name, version]),
  );
  const source = one("source");
  const key = one("key");
  const half = rows.filter(([, , status = ""]) => /^(half|unpacked|trig)/.test(status));
  // what is half done while somebody does it is not interrupted
  const isBusy = one("busy") !== undefined;
  const isInterrupted = !isBusy && (one("interrupted") !== undefined || half.length > 0);
  const isMarked = one("ours") !== undefined;
  return {
    installed,
    held: heldOf(all("held"), installed),
    half: half.map(([name = ""]) => name),
    interrupted: isInterrupted ? (isMarked ? "by us" : "by somebody") : "no",
    hasStaleMark: isMarked && !isInterrupted && !isBusy,
    missingTools: all("missing").map(([name = ""]) => name),
    sourceFile: source === undefined ? undefined : decode(source).toString("utf8"),
    keyFingerprints: key === undefined ? [] : fingerprintsOf(decode(key)),
    otherSourceFiles: all("other").map((words) => words.join(" ")),
  };
}

/** A hold of a version holds only while that version, and no other beside it, is the installed one. */
function heldOf(
  rows: readonly (readonly string[])[],
  installed: Readonly<Record<string, string>>,
): readonly string[] {
  const isHeld = (name: string): boolean =>
    rows.every(([each, version]) => each !== name || version === undefined || version === installed[name]);
  return [...new Set(rows.map(([name = ""]) => name))].filter(isHeld);
}

function fingerprintsOf(key: Buffer): readonly string[] {
  const rsa = readRsaKeys(key.toString("latin1"));
  return rsa.length > 0 ? rsa : readSigningKeys(key);
}

function snapStoreOf(word: string | undefined): SnapStore | undefined {
  if (word === undefined) return undefined;
  return word === "movable" || word === "taken" || word === "apart" ? word : "none";
}

function memberOr(state: string | undefined): "member" | "missing" {
  return state === "member" ? "member" : "missing";
}

function bytes(kilobytes: string | undefined): number {
  const value = Number(kilobytes);
  return Number.isSafeInteger(value) ? value * 1_024 : 0;
}

function decode(base64: string): Buffer {
  return Buffer.from(base64, "base64");
}
