import { PartialFailure, type Properties } from "../handler";
import { targetOf } from "../host/connection";
import type { MachineIds } from "../host/machine/machine-id";
import type { Wanted } from "./inputs";
import { recordedContainers, type RecordedOwnership } from "./outputs";

/** What a rollout starts from. */
export interface RolloutRequest {
  readonly wanted: Wanted;
  /** The inputs as they came; outputs repeat them. */
  readonly inputs: Properties;
  /** The old outputs; undefined at the first. */
  readonly olds: Properties | undefined;
}

/** What is known of a run whose work may leave containers behind. */
export interface RunInWork {
  readonly request: RolloutRequest;
  readonly recorded: RecordedOwnership;
  /** Target to fingerprint. */
  readonly hostKeys: Readonly<Record<string, string>>;
  readonly machineIds: MachineIds;
  /** Outputs as the hosts are now. */
  readonly look: () => Promise<Properties>;
}

/**
 * Does work that changes hosts. Where containers stay that the state would know nothing of, it is told what really runs.
 * @throws PartialFailure then, with the failure of `work` as its cause
 */
export async function orWhatRuns<T>(run: RunInWork, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { request, recorded } = run;
    const { olds, inputs, wanted } = request;
    const now = await run.look().catch(() => undefined);
    if (now === undefined) {
      if (olds !== undefined) throw error;
      throw new PartialFailure(wanted.service, { ...inputs, ...unseen(run) }, error);
    }
    const left = recordedContainers(now).filter(({ id }) => id !== "" && !recorded.ids.has(id));
    if (left.length === 0) throw error;
    const real = { ...now, ...(olds ?? inputs), containers: now.containers, previous: now.previous };
    throw new PartialFailure(wanted.service, real, error);
  }
}

/** A resource that the state has not is forgotten, with all that was made for it: refresh and destroy find that by label. */
function unseen({ request, hostKeys, machineIds }: RunInWork): Properties {
  const targets = request.wanted.hosts.map(targetOf);
  return { containers: [], previous: [], targets, hostKeys, machineIds };
}
