import type { ObservedContainer } from "../container/observed";
import type { PortSpec } from "../container/spec";
import type { FileChange } from "../proxy/change";
import { bridgedConditions } from "../switch/conditions";
import { publishedBindings } from "../switch/observe-copy";
import { copyOptions, createOptions, type Desired } from "./desired";
import type { FileDrift } from "./files";
import { candidateOf, copyOf, type ProxyFound } from "./observe";
import { type ExchangeOperation, type Operation, type Step, step, verify } from "./operation";
import { anotherStacks, type Owner } from "./owner";

const CAUSE = "another image, network or ports";
/** Beside what connections are given, twice. */
const FOLLOW_MS = 300_000;
const HOLDS_NOTHING: readonly string[] = ["created", "exited", "dead"];

/**
 * What an exchange left that was cut off, before anything else is planned: the host is looked at anew after it. Empty when
 * there is nothing, or when it is another stack's.
 */
export function planLeft(desired: Owner & Pick<Desired, "drainMs">, found: ProxyFound): readonly Step[] {
  if (anotherStacks(found, desired) !== undefined) return [];
  const { name, drainMs } = desired;
  const { program, unfinished, rules } = found.exchange;
  const limitMs = 2 * drainMs + FOLLOW_MS;
  const follow = (recover: boolean, cause: string): readonly Step[] => [
    step({ kind: "follow-exchange", proxy: name, recover, limitMs }, cause),
  ];
  if (program !== undefined && program.phase !== "stuck") return follow(false, "it is at work");
  if (program !== undefined) return follow(true, "neither serves on its own");
  if (unfinished !== undefined) return follow(true, "its program died");
  return rules === 0 ? [] : [step({ kind: "clear-rules", proxy: name }, "nothing accounts for them")];
}

/**
 * Another container in the place of the live one. The configuration is tried with the new image first; files that only the
 * old one needs go last. While one stops and the other starts, a copy of the new one serves behind rules of the host, where
 * the host allows it.
 */
export function planExchange(
  desired: Desired,
  found: ProxyFound,
  live: ObservedContainer,
  drift: FileDrift | undefined,
): readonly Step[] {
  const { name } = desired;
  const next = candidateOf(name);
  const { steps: files, late } = planNewFiles(desired, found, drift);
  const create: Operation = {
    kind: "create",
    name: next,
    options: createOptions(desired, found.imageId ?? ""),
  };
  return [
    ...files,
    { operation: create, cause: CAUSE, undo: [{ kind: "remove", name: next }] },
    ...(live.state === "running" ? exchange(desired, found, live) : replace(desired, live)),
    // before the old one goes: a host that restarts brings one of them back, wherever this is cut
    {
      operation: { kind: "restart-policy", name: next, policy: "unless-stopped" },
      cause: "it answers",
      commit: true,
    },
    step({ kind: "remove", name }, "replaced"),
    step({ kind: "rename", name: next, to: name }, "it answers"),
    ...late,
    ...(live.state === "running" ? [step({ kind: "end-exchange", proxy: name }, "it is done")] : []),
  ];
}

/** One that does not serve has not to be exchanged carefully. */
function replace({ name, ports: [port = 0] }: Desired, live: ObservedContainer): readonly Step[] {
  const next = candidateOf(name);
  const stop: Operation = { kind: "stop", name, interrupts: false };
  return [
    ...(HOLDS_NOTHING.includes(live.state) ? [] : [step(stop, `it is ${live.state}`)]),
    ...startNext(name, next, port),
  ];
}

function startNext(proxy: string, next: string, port: number): readonly Step[] {
  const undo: Operation[] = [{ kind: "stop", name: next, interrupts: false }];
  return [{ operation: { kind: "start", name: next }, cause: CAUSE, undo }, verify(next, proxy, port)];
}

function exchange(desired: Desired, found: ProxyFound, live: ObservedContainer): readonly Step[] {
  const { name, network, drainMs } = desired;
  const [port = 0] = desired.ports;
  const next = candidateOf(name);
  const held = publishedBindings(live);
  const ports = held.filter(({ host }) => desired.ports.includes(host));
  const operation: ExchangeOperation = {
    kind: "exchange",
    proxy: name,
    next,
    restart: live.restartPolicy,
    way: { kind: "plain", why: "" },
    ports,
    oldTcp: [...new Set(held.map(({ container }) => container))],
    drainMs,
  };
  const plain = (why: string): Step => ({
    operation: { ...operation, way: { kind: "plain", why } },
    cause: CAUSE,
    otherwise: startNext(name, next, port),
  });
  const wished: readonly PortSpec[] = [...new Set(ports.map(({ host }) => host))].map((host) => {
    return { container: host, host, protocol: "tcp" };
  });
  const wish = { networkMode: network, ports: wished, sharesWritableMount: false };
  const choice = bridgedConditions(found.exchange, wish);
  if (choice.kind === "plain") return [plain(choice.why)];
  const copy = copyOf(name);
  const remove: Operation = { kind: "remove", name: copy };
  const options = copyOptions(desired, found.imageId ?? "", wished, {
    host: found.exchange,
    network: choice.network,
  });
  const cause = "a copy serves while the containers change places";
  return [
    { operation: { kind: "create", name: copy, options }, cause, undo: [remove] },
    step({ kind: "start", name: copy }, cause),
    verify(copy, name, port, "run.try"),
    {
      operation: {
        ...operation,
        way: { kind: "bridged", copy, host: found.exchange, network: choice.network },
      },
      cause: CAUSE,
      otherwise: [step(remove, "nothing leads to it"), plain("it cannot be bridged after all")],
    },
  ];
}

function planNewFiles(
  { name, image }: Desired,
  { folder }: ProxyFound,
  drift: FileDrift | undefined,
): { readonly steps: readonly Step[]; readonly late: readonly Step[] } {
  const wish = drift ?? {
    files: new Map<string, string>(),
    removed: [],
    why: "the new image has to accept it",
  };
  // certificates that go may be what the old one needs to come back; their names say what they hold, so they are in nobody's way
  const isConf = (path: string): boolean => path.startsWith("conf/");
  const change = { image, files: wish.files, removed: wish.removed.filter(isConf), reload: false, own: true };
  const undo = takingBack(name, change, folder);
  const removed = wish.removed.filter((path) => !isConf(path));
  const late: FileChange = { files: new Map(), removed, reload: true, own: true };
  return {
    steps: [{ operation: { kind: "write-files", proxy: name, change }, cause: wish.why, undo: [undo] }],
    late:
      removed.length === 0
        ? []
        : [step({ kind: "write-files", proxy: name, change: late }, "no longer wanted")],
  };
}

/** The files as they were before a change of them. */
function takingBack(proxy: string, change: FileChange, folder: ProxyFound["folder"]): Operation {
  const before = [...change.files.keys(), ...change.removed].map(
    (path) => [path, folder?.files.get(path)] as const,
  );
  const files = new Map(before.filter((each): each is readonly [string, string] => each[1] !== undefined));
  // what was there and is not for us to read (keys, certificates) stays as it is now
  const removed = [...change.files.keys()].filter(
    (path) => !files.has(path) && folder?.digests.has(path) !== true,
  );
  return { kind: "write-files", proxy, change: { files, removed, reload: false, own: true } };
}
