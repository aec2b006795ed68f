import type { ContainerCreateOptions } from "dockerode";
import type { FileChange } from "../proxy/change";

/** One call, or one wait; data that prints. Containers go by the name that they have at that moment. */
export type Operation =
  | {
      readonly kind: "create-network";
      readonly name: string;
      readonly labels: Readonly<Record<string, string>>;
    }
  | { readonly kind: "remove-network"; readonly name: string }
  | { readonly kind: "write-files"; readonly proxy: string; readonly change: FileChange }
  | { readonly kind: "create"; readonly name: string; readonly options: ContainerCreateOptions }
  | { readonly kind: "start"; readonly name: string }
  | { readonly kind: "unpause"; readonly name: string }
  /** `interrupts`: nobody answers from here on. */
  | { readonly kind: "stop"; readonly name: string; readonly interrupts: boolean }
  | { readonly kind: "rename"; readonly name: string; readonly to: string }
  | {
      readonly kind: "restart-policy";
      readonly name: string;
      readonly policy: "always" | "no" | "unless-stopped";
    }
  /** Waits until the proxy's socket answers. */
  | { readonly kind: "verify"; readonly name: string; readonly proxy: string }
  | { readonly kind: "remove"; readonly name: string }
  | { readonly kind: "remove-folder"; readonly proxy: string };

/** An operation with its reason, and what takes it back. */
export interface Step {
  readonly operation: Operation;
  readonly cause: string;
  /** Run, last step first, when this step or a later one fails. */
  readonly undo?: readonly Operation[];
  /** From here on there is no way back. */
  readonly commit?: true;
}

/** `stop edge`, without any value of the user's. */
export function formatOperation(operation: Operation): string {
  switch (operation.kind) {
    case "create-network":
    case "remove-network":
      return `${operation.kind.replace("-", " ")} ${operation.name}`;
    case "write-files": {
      const { files, removed, reload } = operation.change;
      const names = [...[...files.keys()].sort(), ...removed.map((name) => `-${name}`)].map(withoutDigest);
      return `${reload ? "write and reload" : "write"} ${names.join(", ") || "the map of routes"}`;
    }
    case "rename":
      return `rename ${operation.name} to ${operation.to}`;
    case "restart-policy":
      return `restart policy of ${operation.name}: ${operation.policy}`;
    case "remove-folder":
      return `remove the folder of ${operation.proxy}`;
    case "create":
    case "start":
    case "unpause":
    case "stop":
    case "verify":
    case "remove":
      return `${operation.kind} ${operation.name}`;
  }
}

/** All steps, one a line, with what takes them back. */
export function formatSteps(steps: readonly Step[]): string {
  return steps
    .map(({ operation, cause, undo = [], commit }) => {
      const back = undo.map(formatOperation).join(", ");
      return `${commit === true ? "* " : ""}${formatOperation(operation)} (${cause})${back === "" ? "" : ` <- ${back}`}`;
    })
    .join("\n");
}

/** A key's digest tells nobody anything, but need not stand in a log. */
function withoutDigest(name: string): string {
  return name.replace(/-[0-9a-f]{12}\.pem$/, ".pem");
}
