/** An argument list; all of an init system's are for root. */
export type Command = readonly string[];

/** What starts the daemon of a machine, and at boot. Nothing but words: who runs them is `service.ts`. */
export interface InitSystem {
  readonly kind: "systemd" | "openrc" | "sysv";
  /** What the facts call it: see `HostFacts.init`. */
  readonly processOne: string;
  /** As people call it, for messages. */
  readonly title: string;
  /** Its part of the look at a machine: calls `isActive` and prints `enabled yes` and `masked SERVICE`, each where it is so. */
  readonly look: string;
  /** Has the daemon start at boot. */
  readonly enable: readonly Command[];
  /** Forgets earlier failures, where they would keep the daemon from being started or removed; its exit code says nothing. */
  readonly forgive: Command | undefined;
  /** Ends the daemon, with the socket that would start it again; nothing where neither is there. Not every package does so when it goes. */
  readonly stop: Command;
  readonly start: Command;
  readonly restart: Command;
  /** The same with the containerd and the socket under it, where those are services of their own; containers go on. */
  readonly restartWithRuntime: Command;
  /**
   * Whether it runs, by its exit code, where `start` and `restart` only set it going; undefined where they end when it takes calls,
   * or fail.
   */
  readonly status: Command | undefined;
  /** Has the running daemon read daemon.json again. */
  readonly reload: Command;
  /** The last lines that the daemon wrote. */
  readonly lastLines: Command;
  /** Where a person sees what the daemon wrote, and how it is started; for messages. */
  readonly log: string;
  readonly definition: string;
}
