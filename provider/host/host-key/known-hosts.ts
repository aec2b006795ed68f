import { matchesPatterns } from "../ssh-config/pattern-list";
import { createHmac, timingSafeEqual } from "node:crypto";

/** One line of a known_hosts file. */
export interface KnownHost {
  readonly marker: "none" | "revoked" | "cert-authority";
  /** The first field: patterns separated by commas, or one hashed name. */
  readonly hosts: string;
  /** `ssh-ed25519`, … */
  readonly type: string;
  /** The key as base64, as in the file. */
  readonly key: string;
  readonly line: number;
}

/** Reads a known_hosts file; comments, blank and broken lines are left out, as OpenSSH does. */
export function parseKnownHosts(text: string): readonly KnownHost[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const words = line.trim().split(/[ \t]+/);
    if (line.trim() === "" || line.trim().startsWith("#")) return [];
    const marker = markerOf(words[0]);
    if (marker === undefined) return [];
    const [hosts, type, key] = marker === "none" ? words : words.slice(1);
    if (hosts === undefined || type === undefined || key === undefined) return [];
    if (!isKeyOf(type, key)) return [];
    return [{ marker, hosts, type, key, line: index + 1 }];
  });
}

/** The name under which a host stands in known_hosts: the port only when it is not 22. */
export function knownHostName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

/** The entries that speak for this host, of any marker. */
export function entriesFor(entries: readonly KnownHost[], host: string, port: number): readonly KnownHost[] {
  const name = knownHostName(host, port);
  return entries.filter((entry) => matchesHosts(entry.hosts, name));
}

function matchesHosts(hosts: string, name: string): boolean {
  if (hosts.startsWith("|")) return matchesHashed(hosts, name);
  return matchesPatterns(hosts.toLowerCase().split(","), name);
}

function matchesHashed(hosts: string, name: string): boolean {
  const [, scheme, salt, hash] = hosts.split("|");
  if (scheme !== "1" || salt === undefined || hash === undefined) return false;
  const wanted = Buffer.from(hash, "base64");
  const found = createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest();
  return wanted.length === found.length && timingSafeEqual(wanted, found);
}

function markerOf(word: string | undefined): KnownHost["marker"] | undefined {
  if (word === "@revoked") return "revoked";
  if (word === "@cert-authority") return "cert-authority";
  return word?.startsWith("@") ? undefined : "none";
}

/** The type is written twice, in clear and inside the key; they must agree. */
function isKeyOf(type: string, key: string): boolean {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(key)) return false;
  const blob = Buffer.from(key, "base64");
  return blob.length > 4 && blob.toString("latin1", 4, 4 + blob.readUInt32BE(0)) === type;
}
