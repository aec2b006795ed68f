import { type Created, type Handler, PartialFailure, type Properties } from "../handler";
import { allEnded, oneErrorOf } from "../all-ended";
import { type Connection, targetOf } from "../host/connection";
import { refuseSameMachineTwice } from "../host/machine/reconnect";
import { leftOf, recordedMachines } from "../host/machine/same-machine";
import { checkImage } from "./check";
import { ensureEverywhere } from "./ensure-everywhere";
import { observeImage, type Wish } from "./ensure-image";
import { leaveHost } from "./leave-host";
import { type ImageOnHost, type RecordedImage, imageOutputs, readRecorded } from "./recorded";
import { untouched } from "./untouched";
import { readSpec } from "./spec";

/** Builds an image on each of its hosts; the ref says what is in it, so that what is there is never built again. */
export const remoteImageHandler: Handler = {
  check: (olds, news, context) => checkImage(olds, news, context),

  diff(_id, olds) {
    const { hosts, imageIds } = readRecorded(olds);
    const gone = hosts.some((host) => imageIds[targetOf(host)] === "");
    return Promise.resolve({ changes: gone ? true : undefined, replaces: [] });
  },

  async create(inputs, context) {
    const wish = wishOf(inputs, {});
    await refuseSameMachineTwice(wish.spec.hosts, {}, context);
    const outcomes = await ensureEverywhere(wish, context);
    const found = outcomes.map((outcome, index) => resultOf(outcome, wish.spec.hosts[index], wish));
    const outputs = imageOutputs(inputs, found);
    const failure = failureIn(outcomes);
    if (failure === undefined) return { id: wish.name, outputs };
    if (found.every((host) => host.image === undefined)) throw failure;
    throw new PartialFailure(wish.name, outputs, failure);
  },

  async read(id, outputs, context): Promise<Created> {
    const recorded = readRecorded(outputs);
    const found = await Promise.all(recorded.hosts.map((host) => observeImage(host, recorded, context)));
    for (const { connection, image } of found) {
      if (image === undefined) context.log.warn(`${recorded.ref} is not on ${targetOf(connection)} any more`);
    }
    return { id, outputs: imageOutputs(outputs, found, recorded) };
  },

  async update(_id, olds, news, context) {
    const recorded = readRecorded(olds);
    const wish = wishOf(news, olds, recorded);
    const quiet = await untouched(olds, news, recorded, wish, context);
    if (quiet !== undefined) return quiet;
    await refuseSameMachineTwice(wish.spec.hosts, olds, context);
    const outcomes = await ensureEverywhere(wish, context);
    const failure = failureIn(outcomes);
    // what other hosts built meanwhile is found by its label and used, or removed, by the next run
    if (failure !== undefined) throw failure;
    const found = outcomes.map((outcome, index) => resultOf(outcome, wish.spec.hosts[index], wish));
    const outputs = imageOutputs(news, found, { builder: recorded.builder });
    const now = recordedMachines(outputs);
    const staying = new Set(Object.values(now.machineIds));
    const { abandonUnreachable } = wish.spec;
    const left = leftOf(wish.before, now);
    await allEnded(
      left.map((host) => leaveHost(host, { ...recorded, abandonUnreachable }, staying, context)),
    );
    return outputs;
  },

  async delete(_id, outputs, context) {
    const recorded = readRecorded(outputs);
    const staying = new Set<string>();
    await allEnded(recorded.hosts.map((host) => leaveHost(host, recorded, staying, context)));
  },
};

function wishOf(inputs: Properties, olds: Properties, recorded?: RecordedImage): Wish {
  const spec = readSpec(inputs);
  const { name, ref, contextHash, commit } = readRecorded(inputs);
  const wanted = [ref, ...spec.tags];
  const dropped = [...(recorded?.tags ?? []), ...(recorded === undefined ? [] : [recorded.ref])];
  return {
    spec,
    name,
    ref,
    contextHash,
    commit,
    dropped: dropped.filter((each) => !wanted.includes(each)),
    pushes: false,
    recordedIds: recorded?.imageIds ?? {},
    before: recordedMachines(olds),
    hostKeys: recorded?.hostKeys ?? {},
  };
}

function resultOf(
  outcome: PromiseSettledResult<ImageOnHost>,
  connection: Connection | undefined,
  wish: Wish,
): ImageOnHost {
  if (outcome.status === "fulfilled") return outcome.value;
  if (connection === undefined) throw outcome.reason;
  const target = targetOf(connection);
  const hostKey = wish.hostKeys[target] ?? "";
  const machineId = wish.before.machineIds[target] ?? "";
  return { connection, hostKey, machineId, image: undefined, builder: undefined };
}

function failureIn(outcomes: readonly PromiseSettledResult<unknown>[]): Error | undefined {
  const errors = outcomes.flatMap((outcome) =>
    outcome.status === "rejected" ? [outcome.reason as unknown] : [],
  );
  // hosts that wait for one have its failure
  return errors.length === 0 ? undefined : oneErrorOf([...new Set(errors)]);
}
