import { isObject } from "../../provider/values";

/** One step of a `pulumi preview --json`, without what differs from run to run. */
export interface PlannedStep {
  readonly op: string;
  /** Last part of the type, and the name: `DockerHost server`. */
  readonly resource: string;
  /** What the state would hold as inputs. */
  readonly inputs: unknown;
}

/** Reads the steps out of what `pulumi preview --json` printed; warnings before the document are passed over. */
export function readPlan(output: string): readonly PlannedStep[] {
  const start = output.search(/^\{/m);
  const parsed: unknown = JSON.parse(output.slice(start, output.lastIndexOf("}") + 1));
  const steps = isObject(parsed) && Array.isArray(parsed.steps) ? (parsed.steps as unknown[]) : [];
  return steps.filter(isObject).map((step) => {
    const urn = String(step.urn);
    const state = isObject(step.newState) ? step.newState : {};
    const [type = "", name = ""] = urn.split("::").slice(-2);
    return {
      op: String(step.op),
      resource: `${type.split(/[:$/]/).at(-1) ?? ""} ${name}`,
      inputs: state.inputs,
    };
  });
}

/** The steps as lines, one each: `create DockerHost server`. */
export function formatPlan(steps: readonly PlannedStep[]): readonly string[] {
  return steps.map((step) => `${step.op} ${step.resource}`);
}
