import { isSlipwayError, messageOf } from "../errors";
import { type Created, type Handler, type HandlerContext, PartialFailure, type Properties } from "../handler";
import { allEnded, oneErrorOf } from "../host/all-ended";
import { type Connection, machineOf, targetOf } from "../host/connection";
import { checkImage } from "./check";
import { dropImage, ensureImage, observeImage, type Wish } from "./ensure-image";
import { type ImageOnHost, type RecordedImage, imageOutputs, readRecorded } from "./recorded";
import { nothingToDo, untouched } from "./untouched";
import { readSpec } from "./spec";

/** Builds an image on each of its hosts; the ref says what is in it, so that what is there is never built again. */
export const remoteImageHandler: Handler = {
  check: (_olds, news, context) => checkImage(news, context),

  diff(_id, olds) {
    const { hosts, imageIds } = readRecorded(olds);
    const gone = hosts.some((host) => imageIds[targetOf(host)] === "");
    return Promise.resolve({ changes: gone ? true : undefined, replaces: [] });
  },

  async create(inputs, context) {
    const wish = wishOf(inputs, undefined);
    const outcomes = await Promise.allSettled(
      wish.spec.hosts.map((host) => ensureImage(host, wish, context)),
    );
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
    return { id, outputs: imageOutputs(outputs, found, recorded.builder) };
  },

  async update(_id, olds, news, context) {
    const recorded = readRecorded(olds);
    const wish = wishOf(news, recorded);
    if (nothingToDo(recorded, wish)) {
      context.log.progress("connection only, nothing touched");
      return untouched(olds, news, recorded, wish.spec.hosts);
    }
    const outcomes = await Promise.allSettled(
      wish.spec.hosts.map((host) => ensureImage(host, wish, context)),
    );
    const failure = failureIn(outcomes);
    // what other hosts built meanwhile is found by its label and used, or removed, by the next run
    if (failure !== undefined) throw failure;
    const found = outcomes.map((outcome, index) => resultOf(outcome, wish.spec.hosts[index], wish));
    const kept = new Set(wish.spec.hosts.map(machineOf));
    const left = recorded.hosts.filter((host) => !kept.has(machineOf(host)));
    const abandon = wish.spec.abandonUnreachable;
    await allEnded(
      left.map((host) => leaveHost(host, { ...recorded, abandonUnreachable: abandon }, context)),
    );
    return imageOutputs(news, found, recorded.builder);
  },

  async delete(_id, outputs, context) {
    const recorded = readRecorded(outputs);
    await allEnded(recorded.hosts.map((host) => leaveHost(host, recorded, context)));
  },
};

function wishOf(inputs: Properties, recorded: RecordedImage | undefined): Wish {
  const spec = readSpec(inputs);
  const { name, ref, contextHash } = readRecorded(inputs);
  const wanted = [ref, ...spec.tags];
  const dropped = [...(recorded?.tags ?? []), ...(recorded === undefined ? [] : [recorded.ref])];
  return {
    spec,
    name,
    ref,
    contextHash,
    dropped: dropped.filter((each) => !wanted.includes(each)),
    recordedIds: recorded?.imageIds ?? {},
    hostKeys: recorded?.hostKeys ?? {},
  };
}

async function leaveHost(host: Connection, recorded: RecordedImage, context: HandlerContext): Promise<void> {
  if (recorded.keepOnDelete) return context.log.keep(`${recorded.ref} stays on ${targetOf(host)}`);
  try {
    await dropImage(host, recorded, context);
  } catch (error) {
    if (!recorded.abandonUnreachable || !isSlipwayError(error, "dial-failed", "connection-lost")) throw error;
    context.log.warn(`${recorded.ref} was left on ${targetOf(host)}: ${messageOf(error)}`);
  }
}

function resultOf(
  outcome: PromiseSettledResult<ImageOnHost>,
  connection: Connection | undefined,
  wish: Wish,
): ImageOnHost {
  if (outcome.status === "fulfilled") return outcome.value;
  if (connection === undefined) throw outcome.reason;
  const hostKey = wish.hostKeys[targetOf(connection)] ?? "";
  return { connection, hostKey, image: undefined, builder: undefined };
}

function failureIn(outcomes: readonly PromiseSettledResult<unknown>[]): Error | undefined {
  const errors = outcomes.flatMap((outcome) =>
    outcome.status === "rejected" ? [outcome.reason as unknown] : [],
  );
  return errors.length === 0 ? undefined : oneErrorOf(errors);
}
