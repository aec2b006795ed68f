import { SlipwayError } from "../errors";
import { Fields, UNKNOWN, isObject } from "../values";
import { type Connection, machineOf, targetOf } from "./connection";
import { readAddress, readKeyField, readPath } from "./connection-texts";
import { parseHostKey } from "./host-key/host-key";

/** Names that other tools have for the same. */
const MEANT: Readonly<Record<string, string>> = {
  address: "host",
  hostname: "host",
  hostName: "host",
  ip: "host",
  username: "user",
  userName: "user",
  key: "privateKey",
  sshKey: "privateKey",
  keyPath: "privateKeyPath",
  keyFile: "privateKeyPath",
  identityFile: "privateKeyPath",
  privateKeyFile: "privateKeyPath",
  passphrase: "privateKeyPassword",
  privateKeyPassphrase: "privateKeyPassword",
  agent: "agentSocketPath",
  agentSocket: "agentSocketPath",
  hostKeys: "hostKey",
  knownHostsFile: "knownHosts",
  bastion: "proxy",
  jumpHost: "proxy",
  proxyJump: "proxy",
  timeout: "perDialTimeout",
};

const POLICIES = ["strict", "accept-new"] as const;

/** Reads a connection from inputs; undefined when its host is not known yet or mistakes were found. */
export function readConnection(fields: Fields): Connection | undefined {
  return readRoute(fields, "machine");
}

function readRoute(fields: Fields, what: "machine" | "bastion"): Connection | undefined {
  const before = fields.failures.length;
  const host = readAddress(fields);
  const bastion = fields.object("proxy");
  const connection = {
    host,
    sshConfig: fields.boolean("sshConfig"),
    port: fields.integer("port", { min: 1, max: 65_535 }),
    user: fields.string("user"),
    privateKey: readKeyField(fields),
    privateKeyPassword: fields.string("privateKeyPassword"),
    privateKeyPath: readPath(fields, "privateKeyPath"),
    password: fields.string("password"),
    sudoPassword: fields.string("sudoPassword"),
    agentSocketPath: readPath(fields, "agentSocketPath"),
    hostKey: readHostKey(fields),
    knownHosts: readPath(fields, "knownHosts"),
    hostKeyPolicy: fields.oneOf("hostKeyPolicy", POLICIES),
    proxy: bastion === undefined ? undefined : readRoute(bastion, "bastion"),
    dialErrorLimit: fields.integer("dialErrorLimit", { min: -1 }),
    perDialTimeout: fields.integer("perDialTimeout", { min: 0 }),
  };
  fields.rejectOthers([], MEANT);
  // learned keys are kept by machine, in the outputs: a bastion's would be learned anew by every run
  if (what === "bastion" && connection.hostKeyPolicy === "accept-new") {
    fields.fail("hostKeyPolicy", "cannot be accept-new for a bastion: give its hostKey, or knownHosts");
  }
  if (host === undefined || fields.failures.length > before) return undefined;
  return withoutUndefined({ ...connection, host });
}

/** Reads `host` and `hosts` (either may be given) as connections, in the program's order. */
export function readHosts(fields: Fields, options: { readonly required: boolean }): readonly Connection[] {
  const single = fields.object("host");
  const several = fields.objects("hosts", readConnection) ?? [];
  const connection = single === undefined ? undefined : readConnection(single);
  const all = connection === undefined ? several : [connection, ...several];
  if (options.required && !fields.has("host") && (!fields.has("hosts") || isEmptyList(fields.raw("hosts")))) {
    fields.fail("hosts", "needs at least one host");
  }
  const machines = all.map(machineOf);
  all.forEach((each, index) => {
    // under whatever user: one machine has one engine, and we would wait for our own lock
    if (machines.indexOf(machines[index] ?? "") !== index)
      fields.fail("hosts", `names ${targetOf(each)} twice`);
  });
  return all;
}

/** The clear `targets` of inputs, for display; a host that is not known yet stays out. */
export function targetsOf(connections: readonly Connection[]): readonly string[] {
  return connections.map(targetOf);
}

/**
 * Connections as recorded in outputs, which were checked when they were inputs.
 * @throws SlipwayError invalid-input when one cannot be read: to leave it out would forget what runs there
 */
export function recordedHosts(outputs: Readonly<Record<string, unknown>>): readonly Connection[] {
  const list = [
    outputs.connection,
    outputs.host,
    ...(Array.isArray(outputs.hosts) ? (outputs.hosts as unknown[]) : []),
  ];
  return list.flatMap((value) => {
    if (!isObject(value)) return [];
    const fields = new Fields(value);
    const connection = readConnection(fields);
    if (fields.failures.length > 0) throw unreadable(fields);
    return connection === undefined ? [] : [connection];
  });
}

function readHostKey(fields: Fields): string | readonly string[] | undefined {
  const several = Array.isArray(fields.raw("hostKey"));
  const keys = several ? fields.strings("hostKey") : fields.string("hostKey");
  for (const key of keys === undefined ? [] : [keys].flat()) {
    if (key === UNKNOWN || parseHostKey(key) !== undefined) continue;
    fields.fail(
      "hostKey",
      `must be a public key line or a SHA256 fingerprint (ssh-keyscan shows the one, ssh-keygen -lf the other), not "${key.split("\n", 1)[0]?.slice(0, 60) ?? ""}"`,
    );
  }
  return keys;
}

function unreadable({ failures }: Fields): SlipwayError {
  return new SlipwayError({
    code: "invalid-input",
    what: "reading a recorded connection",
    why: failures.map(({ property, reason }) => `${property} ${reason}`).join("; "),
    next: "The state is of another release, or was edited by hand: mend it with pulumi state edit",
  });
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as never;
}
