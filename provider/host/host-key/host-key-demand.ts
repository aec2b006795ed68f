import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { SlipwayError, messageOf } from "../../errors";
import { targetOf } from "../connection";
import { type AcceptedKey, type HostKeyDemand, fingerprintOf, parseHostKey } from "./host-key";
import { expandHome } from "../ssh-config/expand-home";
import { entriesFor, parseKnownHosts } from "./known-hosts";
import type { Route } from "../ssh-config/route";

/** Where OpenSSH keeps the keys of known hosts, of the user and of the system. */
function defaultKnownHosts(home = homedir()): readonly string[] {
  return [
    `${home}/.ssh/known_hosts`,
    `${home}/.ssh/known_hosts2`,
    "/etc/ssh/ssh_known_hosts",
    "/etc/ssh/ssh_known_hosts2",
  ];
}

/**
 * Gathers what must be true of a machine's key: its `hostKey`, else what an earlier run recorded, else
 * known_hosts; what known_hosts revokes is never right.
 * @throws SlipwayError invalid-input (a `hostKey` that is none, a known_hosts file that cannot be read)
 */
export async function demandFor(
  connection: Route,
  recordedHostKey: string | undefined,
): Promise<HostKeyDemand> {
  const target = targetOf(connection);
  const files =
    connection.knownHosts === undefined
      ? (connection.knownHostsFiles ?? defaultKnownHosts())
      : [expandHome(connection.knownHosts)];
  const entries = (await Promise.all(files.map((file) => readEntries(file, connection)))).flat();
  // a key is revoked for everybody, whoever says that it is right
  const revoked = entries.filter((entry) => entry.marker === "revoked");
  const nothing = { revoked, acceptNew: false, authority: "none", fromFiles: false } as const;
  const given = connection.hostKey === undefined ? [] : [connection.hostKey].flat();
  if (given.length > 0) {
    return { ...nothing, accepted: given.map((text) => parseGiven(text, target)), source: "hostKey" };
  }
  if (recordedHostKey !== undefined) {
    const accepted: readonly AcceptedKey[] = [{ kind: "fingerprint", fingerprint: recordedHostKey }];
    return { ...nothing, accepted, source: "the key recorded by an earlier run" };
  }
  const plain = entries.filter((entry) => entry.marker === "none");
  const certified = entries.some((entry) => entry.marker === "cert-authority");
  return {
    accepted: plain.map(({ type, key }) => ({
      kind: "key",
      type,
      fingerprint: fingerprintOf(Buffer.from(key, "base64")),
    })),
    revoked,
    acceptNew: connection.hostKeyPolicy === "accept-new",
    authority: !certified ? "none" : plain.length === 0 ? "only" : "beside",
    fromFiles: true,
    source: files.join(", "),
  };
}

/** The name and port under which known_hosts has a machine's key: that of the address, or HostKeyAlias without a port. */
export function keyNameOf(route: Route): { readonly name: string; readonly port: number } {
  return route.hostKeyAlias === undefined
    ? { name: route.host, port: route.port ?? 22 }
    : { name: route.hostKeyAlias, port: 22 };
}

function parseGiven(text: string, target: string): AcceptedKey {
  const key = parseHostKey(text);
  if (key !== undefined) return key;
  throw new SlipwayError({
    code: "invalid-input",
    what: "reading hostKey",
    host: target,
    why: `"${text.slice(0, 60)}" is neither a public key line nor a SHA256 fingerprint`,
    next: `Give "ssh-ed25519 AAAA…" or "SHA256:…" (ssh-keyscan shows the one, ssh-keygen -lf the other)`,
  });
}

async function readEntries(file: string, connection: Route): Promise<ReturnType<typeof entriesFor>> {
  try {
    const text = await readFile(file, "utf8");
    const { name, port } = keyNameOf(connection);
    return entriesFor(parseKnownHosts(text), name, port);
  } catch (error) {
    const missing = ["ENOENT", "ENOTDIR"].includes(String((error as NodeJS.ErrnoException).code));
    // the default files may be absent; a file that the program names must be there
    if (missing && connection.knownHosts === undefined) return [];
    throw new SlipwayError({
      code: "invalid-input",
      what: "reading knownHosts",
      host: targetOf(connection),
      why: messageOf(error),
      cause: error,
    });
  }
}
