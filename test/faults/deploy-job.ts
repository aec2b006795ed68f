import type { Properties } from "../../provider/handler";

/** One call that a deployer's process makes. */
export interface DeployJob {
  readonly service: string;
  /** The outputs that the state has; undefined: it knows nothing yet. */
  readonly olds: Properties | undefined;
  /** Undefined: the service is deleted. */
  readonly news: Properties | undefined;
  readonly stack: string;
  readonly holder: string;
  /** The operations after which it stands still, once each; see cut.ts. */
  readonly halts: readonly string[];
}

/** What the process says, one JSON a line. */
export type DeployEvent =
  | { readonly kind: "line"; readonly level: string; readonly text: string }
  | { readonly kind: "halted"; readonly cut: string }
  | { readonly kind: "ended"; readonly outputs: Properties }
  /** `outputs`: of a partial failure, which the state gets. */
  | { readonly kind: "failed"; readonly message: string; readonly outputs?: Properties };
