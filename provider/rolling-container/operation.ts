import type { ContainerCreateOptions } from "dockerode";
import type { Limits } from "../container/limits";
import { formatDuration } from "../duration";
import type { Check, ContainerRef } from "./container-ref";
import { formatRouteOperation, type RouteOperation } from "./route-operation";
import { formatSwitch, type SwitchOperation } from "./switch-operation";

export interface GateOperation {
  readonly kind: "gate";
  readonly container: ContainerRef;
  readonly check: Check;
  readonly minHealthyMs: number;
  readonly deadlineMs: number;
  /** From its first good probe on the service is served again. */
  readonly serves: boolean;
}

/** One call of the Engine API, or one wait; data that prints and holds everything that the call needs. */
export type Operation =
  | { readonly kind: "create-network"; readonly name: string; readonly labels: Labels }
  | { readonly kind: "remove-network"; readonly name: string }
  | { readonly kind: "create-volume"; readonly name: string; readonly labels: Labels }
  | { readonly kind: "create"; readonly container: ContainerRef; readonly options: ContainerCreateOptions }
  | {
      readonly kind: "connect";
      readonly container: ContainerRef;
      readonly network: string;
      readonly aliases: readonly string[];
    }
  | { readonly kind: "disconnect"; readonly container: ContainerRef; readonly network: string }
  | { readonly kind: "remove-volume"; readonly name: string }
  /** `files`: name to content, secret. */
  | {
      readonly kind: "write-files";
      readonly container: ContainerRef;
      readonly path: string;
      readonly files: Readonly<Record<string, string>>;
    }
  | { readonly kind: "start"; readonly container: ContainerRef }
  /** Waits for its process to end; `mustSucceed`: with exit code 0. */
  | {
      readonly kind: "await-exit";
      readonly container: ContainerRef;
      readonly deadlineMs: number;
      readonly mustSucceed: boolean;
    }
  | { readonly kind: "unpause"; readonly container: ContainerRef }
  /** `interrupts`: nobody serves from here on. */
  | { readonly kind: "stop"; readonly container: ContainerRef; readonly interrupts: boolean }
  | { readonly kind: "rename"; readonly container: ContainerRef; readonly to: string }
  | { readonly kind: "restart-policy"; readonly container: ContainerRef; readonly restart: string }
  | { readonly kind: "limits"; readonly container: ContainerRef; readonly limits: Limits }
  | GateOperation
  | SwitchOperation
  | RouteOperation
  /** Waits for the end of the program that exchanges containers; `recover`: one that died is started again first. */
  | {
      readonly kind: "follow-switch";
      readonly service: string;
      readonly recover: boolean;
      readonly deadlineMs: number;
    }
  /** Takes the rules of a switch off. */
  | { readonly kind: "clear-rules"; readonly service: string }
  /** Ends what is left of a switch: a program that watches, the rules, its files. */
  | { readonly kind: "end-switch"; readonly service: string }
  /** `volumes`: its anonymous volumes too, which it made itself and nobody else knows. */
  | { readonly kind: "remove"; readonly container: ContainerRef; readonly volumes?: true }
  | { readonly kind: "tag"; readonly imageId: string; readonly tag: string }
  | { readonly kind: "untag"; readonly tag: string };

type Labels = Readonly<Record<string, string>>;

/** An operation with its reason, and what takes it back. */
export interface Step {
  readonly operation: Operation;
  readonly cause: string;
  /** Run, last step first, when this step or a later one fails. */
  readonly undo?: readonly Operation[];
  /** It is taken back for what it finds out, and not when the run is stopped before: then all stays as it was found. */
  readonly isVerdict?: true;
  /** From here on there is no way back: an interrupted run is carried forward by the next. */
  readonly commit?: boolean;
  /** With this step the live one begins to be touched; until then all can be taken back without anybody noticing. */
  readonly touchesLive?: boolean;
  /** It may run at the same time as the step before it: neither needs what the other brings about, in whatever order they end. */
  readonly beside?: boolean;
  /** A commit lets go of what its own slot would take back, where the steps of several run together. */
  readonly slot?: number;
  /** What is done in its place when the operation finds that its conditions do not hold. */
  readonly otherwise?: readonly Step[];
}

/** The first step with all that may run beside it, and those that come after. */
export function stepsAtOnce(steps: readonly Step[]): {
  readonly group: readonly Step[];
  readonly rest: readonly Step[];
} {
  const next = steps.findIndex(({ beside }, at) => at > 0 && beside !== true);
  const end = next < 0 ? steps.length : next;
  return { group: steps.slice(0, end), rest: steps.slice(end) };
}

/** The same steps, to run at once. */
export function atOnce(steps: readonly Step[]): readonly Step[] {
  return steps.map((step, at) => (at === 0 ? step : { ...step, beside: true }));
}

/** One line, without any value of the user's. */
export function formatOperation(operation: Operation): string {
  switch (operation.kind) {
    case "create-network":
      return `create network ${operation.name}`;
    case "remove-network":
      return `remove network ${operation.name}`;
    case "create-volume":
      return `create volume ${operation.name}`;
    case "remove-volume":
      return `remove volume ${operation.name}`;
    case "write-files":
      return `write ${Object.keys(operation.files).length} files into ${operation.container.name}`;
    case "await-exit":
      return `wait for ${operation.container.name} to end, at most ${formatDuration(operation.deadlineMs)}`;
    case "create":
      return `create ${operation.container.name}`;
    case "connect":
      return `connect ${operation.container.name} to ${operation.network}`;
    case "disconnect":
      return `disconnect ${operation.container.name} from ${operation.network}`;
    case "rename":
      return `rename ${operation.container.name} to ${operation.to}`;
    case "restart-policy":
      return `restart policy of ${operation.container.name}: ${operation.restart}`;
    case "limits":
      return `update limits of ${operation.container.name}`;
    case "gate":
      return `gate ${operation.container.name}: ${formatCheck(operation.check)} for ${formatDuration(operation.minHealthyMs)}`;
    case "switch":
      return formatSwitch(operation);
    case "follow-switch":
      return `${operation.recover ? "let the host finish" : "wait for"} the switch of ${operation.service}`;
    case "clear-rules":
      return `remove the rules of ${operation.service}`;
    case "end-switch":
      return `end the switch of ${operation.service}`;
    case "write-route":
    case "ready-server":
    case "drain-server":
    case "await-drained":
    case "remove-server":
    case "remove-route":
      return formatRouteOperation(operation);
    case "tag":
      return `tag image ${operation.tag}`;
    case "untag":
      return `remove tag ${operation.tag}`;
    case "start":
    case "unpause":
    case "stop":
    case "remove":
      return `${operation.kind} ${operation.container.name}`;
  }
}

/** `stop web (makes way for web.next)`. */
export function formatStep(step: Step): string {
  return `${formatOperation(step.operation)} (${step.cause})`;
}

/** A whole list of steps, one a line, with what takes them back; `+`: beside the one before. */
export function formatSteps(steps: readonly Step[]): string {
  return steps
    .map((step) => {
      const how = step.isVerdict ? "if it fails: " : "";
      const undo = (step.undo ?? []).map(formatOperation).join(", ");
      const line = `${step.beside ? "+ " : ""}${step.commit ? "* " : ""}${formatStep(step)}${undo === "" ? "" : ` <- ${how}${undo}`}`;
      const otherwise = formatSteps(step.otherwise ?? []);
      return otherwise === "" ? line : `${line}\n${otherwise.replace(/^/gm, "  else ")}`;
    })
    .join("\n");
}

function formatCheck(check: Check): string {
  if (check === "none") return "running";
  if (check === "docker") return "healthy by its HEALTHCHECK";
  switch (check.test.kind) {
    case "http":
      return `http :${check.test.port}${check.test.path.replace(/\?.*$/, "?…")}`;
    case "tcp":
      return `tcp :${check.test.port}`;
    case "command":
      return "healthy by its command";
  }
}
