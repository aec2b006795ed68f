/** What the demo sees when it looks at a machine by other means than Slipway's. */
export interface Look {
  readonly code: number;
  readonly out: string;
}

/** The machine that the demo runs on: a lab host, or one of the user's. */
export interface DemoHost {
  /** How a person would name it. */
  readonly label: string;
  /** Configuration of the example for this host. */
  readonly config: Readonly<Record<string, string>>;
  /** The Docker version to expect there; undefined: any that satisfies the example's range. */
  readonly dockerVersion: string | undefined;
  /** Where the example's page answers. */
  readonly url: string;
  /** Runs a POSIX sh script there as a user who may use Docker. */
  look(script: string): Promise<Look>;
  /** Removes what the demo made around the host. */
  dispose(): Promise<void>;
}
