/** How a machine is reached: through the delaying proxy, with the lab's key. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly privateKey: string;
  readonly privateKeyPath: string;
  /** SHA256 fingerprint. */
  readonly hostKey: string;
  /** `ssh-ed25519 AAAA…` */
  readonly hostKeyLine: string;
}

/** One way to reach an engine, from its login to its end. */
export interface Session {
  /** Runs `true` on the machine. */
  readonly exec?: () => Promise<unknown>;
  /** One API call: the containers that run. */
  readonly call: () => Promise<unknown>;
  /** All containers, running or not; how many there are. */
  readonly list: () => Promise<number>;
  readonly close: () => Promise<void> | void;
}

/** One of those that are measured side by side. */
export interface Contender {
  readonly name: string;
  /** A connection is kept between calls. Without, every call is a cold one. */
  readonly keeps: boolean;
  /** Samples of a scenario: fewer where a sample takes long. */
  readonly samples: number;
  /** Ready to be used; logged in where the connection is kept. */
  readonly open: (target: Target) => Promise<Session>;
}
