import { createHash } from "node:crypto";
import { stripControl } from "../../secret";
import { type KnownHost, knownHostName } from "./known-hosts";
import { keyTypeIn } from "../login/openssh-key";

/** What must be true of the key that a machine presents. Any one of `accepted` will do, none of `revoked`. */
export interface HostKeyDemand {
  readonly accepted: readonly AcceptedKey[];
  readonly revoked: readonly KnownHost[];
  /** An unknown machine is taken as it is, once (hostKeyPolicy accept-new, nothing recorded yet). */
  readonly acceptNew: boolean;
  /** The keys come from known_hosts files; false when `hostKey` or a recorded key goes before them. */
  readonly fromFiles: boolean;
  /** Where we looked: `hostKey`, the recorded key, or the files. */
  readonly source: string;
  /** A certificate authority speaks for the host, alone or beside plain keys: certificates cannot be checked. */
  readonly authority: "none" | "beside" | "only";
}

/** A whole key, or the SHA256 fingerprint of one. */
export type AcceptedKey =
  | { readonly kind: "key"; readonly type: string; readonly fingerprint: string }
  | { readonly kind: "fingerprint"; readonly fingerprint: string };

/** What the verdict on a presented key was. */
export type HostKeyVerdict =
  | { readonly kind: "accepted" }
  | { readonly kind: "unknown" }
  | { readonly kind: "mismatch"; readonly expected: readonly string[] }
  | { readonly kind: "revoked"; readonly where: string };

const TYPE_TO_ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
};

/** `SHA256:…`, as OpenSSH prints it. */
export function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/** The key type written inside a public key (`ssh-ed25519`). */
export function keyTypeOf(blob: Buffer): string {
  const type = keyTypeIn(blob);
  return type === undefined || type.length > 64 ? "unknown" : stripControl(type);
}

/**
 * Reads one `hostKey` value; undefined when it is neither a key line nor a SHA256 fingerprint. A line with a known_hosts
 * marker is none: `@revoked` says the opposite of trust.
 */
export function parseHostKey(text: string): AcceptedKey | undefined {
  const trimmed = text.trim();
  const sha256 = /^(?:SHA256:)([A-Za-z0-9+/]{43})=?$/.exec(trimmed);
  if (sha256) return { kind: "fingerprint", fingerprint: `SHA256:${sha256[1] ?? ""}` };
  if (trimmed.startsWith("@")) return undefined;
  const words = trimmed.split(/\s+/);
  // a whole known_hosts line or `ssh-keyscan` output works too: the name in front is passed over
  const at = words.findIndex((word) => word in TYPE_TO_ALGORITHMS);
  const [type, key] = at === -1 ? [] : words.slice(at);
  if (type === undefined || key === undefined) return undefined;
  const blob = Buffer.from(key, "base64");
  return keyTypeOf(blob) === type ? { kind: "key", type, fingerprint: fingerprintOf(blob) } : undefined;
}

/** Judges a presented key. */
export function judgeHostKey(demand: HostKeyDemand, presented: Buffer): HostKeyVerdict {
  const fingerprint = fingerprintOf(presented);
  const revoked = demand.revoked.find(
    (entry) => fingerprintOf(Buffer.from(entry.key, "base64")) === fingerprint,
  );
  if (revoked) return { kind: "revoked", where: `line ${revoked.line} of known_hosts` };
  if (demand.accepted.some((key) => key.fingerprint === fingerprint)) return { kind: "accepted" };
  if (demand.accepted.length > 0) {
    return { kind: "mismatch", expected: demand.accepted.map(describeKey) };
  }
  return demand.acceptNew ? { kind: "accepted" } : { kind: "unknown" };
}

/**
 * The host key algorithms to offer: only those we hold keys for, or else a server may present a type we lack. `all` when
 * nothing says which (fingerprints, unknown hosts); SHA-1 signatures are never among them.
 */
export function hostKeyAlgorithms(demand: HostKeyDemand): readonly string[] {
  const all = Object.values(TYPE_TO_ALGORITHMS).flat();
  if (demand.accepted.length === 0 || demand.accepted.some((key) => key.kind === "fingerprint")) return all;
  const types = demand.accepted.flatMap((key) => (key.kind === "key" ? [key.type] : []));
  const held = Object.entries(TYPE_TO_ALGORITHMS).flatMap(([type, algorithms]) =>
    types.includes(type) ? algorithms : [],
  );
  return held.length === 0 ? all : held;
}

/** The algorithms without those of one key type: what is left to ask for after that type did not match. */
export function withoutKeyType(algorithms: readonly string[], type: string): readonly string[] {
  const dropped = TYPE_TO_ALGORITHMS[type] ?? [];
  return algorithms.filter((algorithm) => !dropped.includes(algorithm));
}

/** The line to add to known_hosts for a presented key. */
export function knownHostsLine(host: string, port: number, presented: Buffer): string {
  return `${knownHostName(host, port)} ${keyTypeOf(presented)} ${presented.toString("base64")}`;
}

function describeKey(key: AcceptedKey): string {
  return key.kind === "key" ? `${key.fingerprint} (${key.type})` : key.fingerprint;
}
