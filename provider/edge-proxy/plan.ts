import { LABEL } from "../container/labels";
import type { ObservedContainer } from "../container/observed";
import type { FileChange } from "../proxy/change";
import { createOptions, type Desired } from "./desired";
import { type FileDrift, fileDrift } from "./files";
import { candidateOf, type ProxyFound } from "./observe";
import type { Operation, Step } from "./operation";

/** What a plan needs beside what was seen. */
export interface PlanOptions {
  /** A new self-signed certificate with its key, for when there is none. */
  readonly newCertificate: () => string;
}

/** From what is there to what should be; empty when it is. The image has to be on the host. */
export function planProxy(desired: Desired, found: ProxyFound, options: PlanOptions): readonly Step[] {
  const drift = fileDrift(desired, found.folder, options.newCertificate);
  const { steps, live } = recover(desired, found);
  return [...steps, ...planNetwork(desired, found), ...planContainer(desired, found, live, drift)];
}

/** Everything of a proxy off the host; what another has in the network stays. */
export function planRemoval(desired: Pick<Desired, "name" | "network">, found: ProxyFound): readonly Step[] {
  const cause = "deleted";
  const own = [found.candidate, found.live].filter((each) => each !== undefined && isOwn(each, desired.name));
  const steps: Step[] = own.map((each) => ({ operation: { kind: "remove", name: each?.name ?? "" }, cause }));
  if (found.folder !== undefined)
    steps.push({ operation: { kind: "remove-folder", proxy: desired.name }, cause });
  if (found.network?.owned === true)
    steps.push({ operation: { kind: "remove-network", name: desired.network }, cause });
  return steps;
}

/** True for a container that a proxy of this name of ours is. */
export function isOwn({ labels }: Pick<ObservedContainer, "labels">, name: string): boolean {
  return labels[LABEL.proxy] === name;
}

/** What an interrupted run left: either the old one still is the proxy, or the new one already is. */
function recover(
  { name, specHash }: Desired,
  { live, candidate }: ProxyFound,
): { readonly steps: readonly Step[]; readonly live: ObservedContainer | undefined } {
  if (candidate === undefined) return { steps: [], live };
  const cause = "left by a run that was cut off";
  const isNew = candidate.labels[LABEL.specHash] === specHash && candidate.state === "running";
  if (live?.state === "running" || (live !== undefined && !isNew)) {
    return { steps: [{ operation: { kind: "remove", name: candidate.name }, cause }], live };
  }
  const steps: Step[] = live === undefined ? [] : [{ operation: { kind: "remove", name }, cause }];
  steps.push({ operation: { kind: "rename", name: candidate.name, to: name }, cause });
  return { steps, live: { ...candidate, name } };
}

function planNetwork({ name, network, stack }: Desired, found: ProxyFound): readonly Step[] {
  if (found.network !== undefined) return [];
  const labels = { [LABEL.proxy]: name, [LABEL.stack]: stack };
  const undo: Operation = { kind: "remove-network", name: network };
  return [{ operation: { kind: "create-network", name: network, labels }, cause: "missing", undo: [undo] }];
}

function planContainer(
  desired: Desired,
  found: ProxyFound,
  live: ObservedContainer | undefined,
  drift: FileDrift | undefined,
): readonly Step[] {
  const { name } = desired;
  if (live === undefined)
    return [
      ...planFiles(desired, found, drift, { image: desired.image, reload: false }),
      ...planFirst(desired, found),
    ];
  if (live.labels[LABEL.specHash] !== desired.specHash) return planSwap(desired, found, live, drift);
  const isRunning = live.state === "running";
  const isSilent = isRunning && found.folder?.version === undefined;
  const files = planFiles(desired, found, drift, { image: live.imageId, reload: isRunning && !isSilent });
  const policy: readonly Step[] =
    live.restartPolicy === "unless-stopped"
      ? []
      : [step({ kind: "restart-policy", name, policy: "unless-stopped" }, "not as it should be")];
  if (isRunning && !isSilent)
    return [...files, ...policy, ...(files.length === 0 ? [] : [verify(name, name)])];
  const wake: readonly Step[] = isSilent
    ? [
        step({ kind: "stop", name, interrupts: true }, "it does not answer"),
        step({ kind: "start", name }, "it does not answer"),
      ]
    : [step({ kind: live.state === "paused" ? "unpause" : "start", name }, `it is ${live.state}`)];
  return [...files, ...policy, ...wake, verify(name, name)];
}

function planFiles(
  { name }: Desired,
  { folder }: ProxyFound,
  drift: FileDrift | undefined,
  how: Pick<FileChange, "image" | "reload">,
): readonly Step[] {
  if (drift === undefined) return [];
  const change = { files: drift.files, removed: drift.removed, ...how };
  const undo: readonly Operation[] = folder === undefined ? [{ kind: "remove-folder", proxy: name }] : [];
  return [{ operation: { kind: "write-files", proxy: name, change }, cause: drift.why, undo }];
}

function planFirst(desired: Desired, { imageId = "" }: ProxyFound): readonly Step[] {
  const { name } = desired;
  const remove: Operation = { kind: "remove", name };
  return [
    {
      operation: { kind: "create", name, options: createOptions(desired, imageId) },
      cause: "missing",
      undo: [remove],
    },
    step({ kind: "start", name }, "missing"),
    verify(name, name),
    step({ kind: "restart-policy", name, policy: "unless-stopped" }, "it answers"),
  ];
}

/**
 * One stop and one start, with the gap between them: only a new container has another image, network or other ports. The
 * configuration is tried with the new image first; files that only the old one needs go last.
 */
function planSwap(
  desired: Desired,
  { imageId = "", folder }: ProxyFound,
  live: ObservedContainer,
  drift: FileDrift | undefined,
): readonly Step[] {
  const { name, image } = desired;
  const next = candidateOf(name);
  const cause = "another image, network or ports";
  const wish = drift ?? {
    files: new Map<string, string>(),
    removed: [],
    why: "the new image has to accept it",
  };
  // certificates that go may be what the old one needs to come back; their names say what they hold, so they are in nobody's way
  const isConf = (path: string): boolean => path.startsWith("conf/");
  const change = { image, files: wish.files, removed: wish.removed.filter(isConf), reload: false };
  const late = wish.removed.filter((path) => !isConf(path));
  const undo = takingBack(name, change, folder);
  const steps: Step[] = [
    { operation: { kind: "write-files", proxy: name, change }, cause: wish.why, undo: [undo] },
  ];
  const create: Operation = { kind: "create", name: next, options: createOptions(desired, imageId) };
  steps.push({ operation: create, cause, undo: [{ kind: "remove", name: next }] });
  if (live.state === "running") {
    const always: Operation = { kind: "restart-policy", name, policy: "always" };
    const asBefore: Operation = { kind: "restart-policy", name, policy: "unless-stopped" };
    steps.push({ operation: always, cause: "a reboot in between must not lose it", undo: [asBefore] });
    const restart: readonly Operation[] = [
      { kind: "start", name },
      { kind: "verify", name, proxy: name },
    ];
    steps.push({
      operation: { kind: "stop", name, interrupts: true },
      cause: `makes way for ${next}`,
      undo: restart,
    });
  }
  steps.push(
    {
      operation: { kind: "start", name: next },
      cause,
      undo: [{ kind: "stop", name: next, interrupts: false }],
    },
    verify(next, name),
    { operation: { kind: "remove", name }, cause: "replaced", commit: true },
    step({ kind: "rename", name: next, to: name }, "it answers"),
    step({ kind: "restart-policy", name, policy: "unless-stopped" }, "it answers"),
  );
  if (late.length > 0) {
    steps.push(
      step(
        { kind: "write-files", proxy: name, change: { files: new Map(), removed: late, reload: true } },
        "no longer wanted",
      ),
    );
  }
  return steps;
}

/** The files as they were before a change of them. */
function takingBack(proxy: string, change: FileChange, folder: ProxyFound["folder"]): Operation {
  const before = [...change.files.keys(), ...change.removed].map(
    (path) => [path, folder?.files.get(path)] as const,
  );
  const files = new Map(before.filter((each): each is readonly [string, string] => each[1] !== undefined));
  const removed = [...change.files.keys()].filter((path) => !files.has(path));
  return { kind: "write-files", proxy, change: { files, removed, reload: false } };
}

function verify(name: string, proxy: string): Step {
  return step({ kind: "verify", name, proxy }, "it has to answer");
}

function step(operation: Operation, cause: string): Step {
  return { operation, cause };
}
