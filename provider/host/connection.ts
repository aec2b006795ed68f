/**
 * How one machine is reached, as plain values. The field names are those of `@pulumi/command`'s remote connection;
 * what both know works in both.
 */
export interface Connection {
  /** Address or name; with `sshConfig` the alias. */
  readonly host: string;
  /** `host` is looked up in the user's ssh_config when the connection is used; what is given here goes before it. */
  readonly sshConfig?: boolean;
  /** @default 22 */
  readonly port?: number;
  /** @default "root"; with `sshConfig` what ssh would take */
  readonly user?: string;
  /** Key text (OpenSSH or PEM). Secret. */
  readonly privateKey?: string;
  /** Passphrase of the key. Secret. */
  readonly privateKeyPassword?: string;
  /** Path of a key file on the machine that runs Pulumi; read when used, never stored. `~` is the home folder. */
  readonly privateKeyPath?: string;
  /** Secret. */
  readonly password?: string;
  /** Secret. */
  readonly sudoPassword?: string;
  /** @default the environment's SSH_AUTH_SOCK */
  readonly agentSocketPath?: string;
  /** One key line (`ssh-ed25519 AAAA…`) or `SHA256:` fingerprint, or several for rotation. */
  readonly hostKey?: string | readonly string[];
  /** Path of a known_hosts file. @default the user's and the system's */
  readonly knownHosts?: string;
  /** @default "strict" */
  readonly hostKeyPolicy?: "strict" | "accept-new";
  /** The bastion, reached first; it may have one of its own. */
  readonly proxy?: Connection;
  /** Dial attempts. @default 10 */
  readonly dialErrorLimit?: number;
  /** Seconds for one dial. @default 15 */
  readonly perDialTimeout?: number;
}

/**
 * The clear name of a machine in outputs, plans and messages: `user@address:port`. One of ssh_config goes by its alias and
 * what the program itself gave (`web1`, `deploy@web1`), so that it is known without the file, also after a look-up.
 */
export function targetOf(connection: Connection & { readonly target?: string }): string {
  if (connection.target !== undefined) return connection.target;
  const address = connection.host.includes(":") ? `[${connection.host}]` : connection.host;
  if (connection.sshConfig === true) {
    const { user, port } = connection;
    return `${user === undefined ? "" : `${user}@`}${address}${port === undefined ? "" : `:${port}`}`;
  }
  return `${connection.user ?? "root"}@${address}:${connection.port ?? 22}`;
}

/** A machine's name that stays when its user or credentials change: `address:port`, or the alias. */
export function machineOf(connection: Connection): string {
  return machineOfTarget(targetOf(connection));
}

/** The machine of a recorded target, whoever logged in. */
export function machineOfTarget(target: string): string {
  return target.slice(target.lastIndexOf("@") + 1);
}

/** Every secret value of a connection, its bastions' included, for the redactor. */
export function secretsOf(connection: Connection): readonly string[] {
  const own = [
    connection.privateKey,
    connection.privateKeyPassword,
    connection.password,
    connection.sudoPassword,
  ];
  const values = own.filter((value): value is string => value !== undefined && value !== "");
  return connection.proxy === undefined ? values : [...values, ...secretsOf(connection.proxy)];
}
