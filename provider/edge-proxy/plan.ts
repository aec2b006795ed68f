import { LABEL } from "../container/labels";
import type { ObservedContainer } from "../container/observed";
import type { FileChange } from "../proxy/change";
import { createOptions, type Desired } from "./desired";
import { KEEPER_PATH } from "../proxy/acme";
import { type FileDrift, fileDrift, type NewSecrets } from "./files";
import type { ProxyFound } from "./observe";
import { type Operation, type Step, step, verify } from "./operation";
import { anotherStacks, isOwn, type Owner } from "./owner";
import { planExchange } from "./plan-exchange";

/** From what is there to what should be; empty when it is. The image has to be on the host. */
export function planProxy(desired: Desired, found: ProxyFound, secrets: NewSecrets): readonly Step[] {
  const drift = fileDrift(desired, found.folder, secrets);
  const { steps, live } = recover(desired, found);
  const tidy: readonly Step[] = found.exchange.files
    ? [step({ kind: "end-exchange", proxy: desired.name }, "left by a run that was cut off")]
    : [];
  return [
    ...steps,
    ...tidy,
    ...planNetwork(desired, found),
    ...(desired.tls.kind === "acme" ? [] : planKeeper(desired, found)),
    ...planContainer(desired, found, live, drift),
    ...(desired.tls.kind === "acme" ? planKeeper(desired, found) : []),
  ];
}

/** Everything of a proxy off the host; what another has in the network stays, as does another stack's proxy of this name. */
export function planRemoval(desired: Owner & Pick<Desired, "network">, found: ProxyFound): readonly Step[] {
  if (anotherStacks(found, desired) !== undefined) return [];
  const cause = "deleted";
  const own = [found.candidate, found.copy, found.live].filter(
    (each) => each !== undefined && isOwn(each, desired),
  );
  const steps: Step[] = own.map((each) => ({ operation: { kind: "remove", name: each?.name ?? "" }, cause }));
  if (found.exchange.files) steps.push(step({ kind: "end-exchange", proxy: desired.name }, cause));
  if (found.folder !== undefined)
    steps.push({ operation: { kind: "remove-folder", proxy: desired.name }, cause });
  if (found.network?.owned === true)
    steps.push({ operation: { kind: "remove-network", name: desired.network }, cause });
  return steps;
}

/** What an interrupted run left, when no exchange is at work: who runs is the proxy; the old one first, for it is proved. */
function recover(
  { name }: Desired,
  { live, candidate, copy }: ProxyFound,
): { readonly steps: readonly Step[]; readonly live: ObservedContainer | undefined } {
  const cause = "left by a run that was cut off";
  const away = (left: ObservedContainer | undefined): readonly Step[] =>
    left === undefined ? [] : [step({ kind: "remove", name: left.name }, cause)];
  if (candidate === undefined) return { steps: away(copy), live };
  const serves = candidate.state === "running" && live?.state !== "running";
  if (!serves) return { steps: [...away(copy), ...away(candidate)], live };
  // before the old one goes: a host that restarts brings one of them back, wherever this is cut
  const policy = stays(candidate, cause);
  const rename = step({ kind: "rename", name: candidate.name, to: name }, cause);
  return {
    steps: [...away(copy), ...policy, ...away(live), rename],
    live: { ...candidate, name, restartPolicy: "unless-stopped" },
  };
}

/** It comes back with the host. */
function stays({ name, restartPolicy }: ObservedContainer, cause: string): readonly Step[] {
  if (restartPolicy === "unless-stopped") return [];
  return [step({ kind: "restart-policy", name, policy: "unless-stopped" }, cause)];
}

function planNetwork({ name, network, stack }: Desired, found: ProxyFound): readonly Step[] {
  if (found.network !== undefined) return [];
  const labels = { [LABEL.proxy]: name, [LABEL.stack]: stack };
  const undo: Operation = { kind: "remove-network", name: network };
  return [{ operation: { kind: "create-network", name: network, labels }, cause: "missing", undo: [undo] }];
}

/** HAProxy itself never writes a file, so the host saves what it got: the timer's program is among the files. */
function planKeeper({ name, tls }: Desired, { folder }: ProxyFound): readonly Step[] {
  if (tls.kind === "acme")
    return folder?.keeper === true
      ? []
      : [step({ kind: "install-keeper", proxy: name }, "the host saves new certificates")];
  return folder?.digests.has(KEEPER_PATH) === true
    ? [step({ kind: "remove-keeper", proxy: name }, "no certificates to save")]
    : [];
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
  if (live.labels[LABEL.specHash] !== desired.specHash) return planExchange(desired, found, live, drift);
  const isRunning = live.state === "running";
  const isSilent = isRunning && found.folder?.version === undefined;
  const files = planFiles(desired, found, drift, { image: live.imageId, reload: isRunning && !isSilent });
  const policy = stays(live, "not as it should be");
  if (isRunning && !isSilent)
    return [...files, ...policy, ...(files.length === 0 ? [] : [verify(name, name, desired.ports[0] ?? 0)])];
  const wake: readonly Step[] = isSilent
    ? [
        step({ kind: "stop", name, interrupts: true }, "it does not answer"),
        step({ kind: "start", name }, "it does not answer"),
      ]
    : [step({ kind: live.state === "paused" ? "unpause" : "start", name }, `it is ${live.state}`)];
  return [...files, ...policy, ...wake, verify(name, name, desired.ports[0] ?? 0)];
}

function planFiles(
  { name }: Desired,
  { folder }: ProxyFound,
  drift: FileDrift | undefined,
  how: Pick<FileChange, "image" | "reload">,
): readonly Step[] {
  if (drift === undefined) return [];
  const change = { files: drift.files, removed: drift.removed, own: true, ...how };
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
    verify(name, name, desired.ports[0] ?? 0),
    step({ kind: "restart-policy", name, policy: "unless-stopped" }, "it answers"),
  ];
}
