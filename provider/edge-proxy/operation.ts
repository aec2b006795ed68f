import type { ContainerCreateOptions } from "dockerode";
import type { FileChange } from "../proxy/change";
import type { ObservedNetwork, ObservedSwitch } from "../switch/observed-switch";
import type { PublishedBinding } from "../switch/switch-order";
import type { RunFolder } from "./desired";

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
  /** Waits until a container's HAProxy answers, and listens on a port. */
  | {
      readonly kind: "verify";
      readonly name: string;
      readonly proxy: string;
      readonly run: RunFolder;
      readonly port: number;
    }
  | ExchangeOperation
  /** An exchange that is at work is followed to its end; `recover`: one that died is finished or taken back. */
  | {
      readonly kind: "follow-exchange";
      readonly proxy: string;
      readonly recover: boolean;
      readonly limitMs: number;
    }
  /** The host's timer that saves certificates from an ACME server. */
  | { readonly kind: "install-keeper"; readonly proxy: string }
  | { readonly kind: "remove-keeper"; readonly proxy: string }
  /** Rules that no exchange accounts for. */
  | { readonly kind: "clear-rules"; readonly proxy: string }
  /** Its files on the host. */
  | { readonly kind: "end-exchange"; readonly proxy: string }
  | { readonly kind: "remove"; readonly name: string }
  | { readonly kind: "remove-folder"; readonly proxy: string };

/** The program on the host stops the one and starts the other, or goes back by itself. */
export interface ExchangeOperation {
  readonly kind: "exchange";
  readonly proxy: string;
  /** The one that is to serve. */
  readonly next: string;
  /** Its policy, given back to it when it stays. */
  readonly restart: string;
  readonly way:
    | { readonly kind: "plain"; readonly why: string }
    | {
        readonly kind: "bridged";
        readonly copy: string;
        readonly host: ObservedSwitch;
        readonly network: ObservedNetwork;
      };
  /** What both hold. */
  readonly ports: readonly PublishedBinding[];
  /** TCP ports of the old one in its container. */
  readonly oldTcp: readonly number[];
  readonly drainMs: number;
}

/** An operation with its reason, and what takes it back. */
export interface Step {
  readonly operation: Operation;
  readonly cause: string;
  /** Run, last step first, when this step or a later one fails. */
  readonly undo?: readonly Operation[];
  /** Of an exchange: what is done instead when the host finds that it cannot go that way. */
  readonly otherwise?: readonly Step[];
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
    case "exchange": {
      const { proxy, next, way, ports } = operation;
      const by = way.kind === "bridged" ? ` by way of ${way.copy}` : "";
      const places = [...new Set(ports.map(({ host, protocol }) => `${host}/${protocol}`))].join(", ");
      return `exchange ${proxy} for ${next}${by}, ports ${places || "none of both"} (${way.kind})`;
    }
    case "follow-exchange":
      return `${operation.recover ? "recover" : "follow"} the exchange of ${operation.proxy}`;
    case "clear-rules":
      return `clear rules of ${operation.proxy}`;
    case "end-exchange":
      return `remove the files of the exchange of ${operation.proxy}`;
    case "install-keeper":
    case "remove-keeper":
      return `${operation.kind === "install-keeper" ? "install" : "remove"} the timer for certificates of ${operation.proxy}`;
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
    .map(({ operation, cause, undo = [], otherwise = [], commit }) => {
      const back = undo.map(formatOperation).join(", ");
      const else_ = otherwise.length === 0 ? "" : `\n${formatSteps(otherwise).replace(/^/gm, "  else ")}`;
      return `${commit === true ? "* " : ""}${formatOperation(operation)} (${cause})${back === "" ? "" : ` <- ${back}`}${else_}`;
    })
    .join("\n");
}

/** A key's digest tells nobody anything, but need not stand in a log. */
function withoutDigest(name: string): string {
  return name.replace(/-[0-9a-f]{12}\.pem$/, ".pem");
}

export function step(operation: Operation, cause: string): Step {
  return { operation, cause };
}

/** The wait for one of the proxy's containers. */
export function verify(name: string, proxy: string, port: number, run: RunFolder = "run"): Step {
  return step({ kind: "verify", name, proxy, run, port }, "it has to answer");
}
