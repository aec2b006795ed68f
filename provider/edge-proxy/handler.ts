import { SlipwayError } from "../errors";
import { type Handler, type HandlerContext, PartialFailure, type Properties } from "../handler";
import { machineOf } from "../host/connection";
import { withHost } from "../host/pool";
import { machineIdOf, machineIdsFrom } from "../host/machine/machine-id";
import { recordedHostKeyOf } from "../host/machine/recorded-host-key";
import { canonicalJson, hasUnknown, UNKNOWN } from "../values";
import { foreseeAcme, getCertificates } from "./acme-client";
import { claimedBy, claims, machineIdIn } from "./claims";
import { type Converged, converge, lookAt, type ProxyRun, remove } from "./converge";
import { desiredOf } from "./desired";
import { ensureImage } from "./image";
import { withProxyLock } from "./lock";
import { type Leaving, leaveMachine } from "./leaving";
import { parseProxy, type ProxyInputs, readProxy } from "./inputs";
import type { ProxyAccess } from "./observe";

/** EdgeProxy: HAProxy in a container, its files and its network; its routes belong to the services that name it. */
export const edgeProxyHandler: Handler = {
  check(olds, news) {
    const { failures, ref } = readProxy(news);
    const renamed = typeof olds.name === "string" && !hasUnknown(news.name) && olds.name !== news.name;
    const why = `cannot change from "${String(olds.name)}": the routes of services live under it. Make another EdgeProxy`;
    const all = renamed ? [...failures, { property: "name", reason: why }] : failures;
    const isKnown = ref !== undefined && !hasUnknown(ref);
    const computed = isKnown ? { targets: [ref.target], ref } : { targets: UNKNOWN, ref: UNKNOWN };
    return Promise.resolve({ inputs: { ...news, ...computed }, failures: all });
  },

  diff(_id, olds, news, { urn, log }) {
    claim(urn, olds, news.abandonUnreachable === true);
    if (isAnotherAddress(olds, news)) {
      const target = String(Array.isArray(olds.targets) ? olds.targets[0] : "the host");
      log.keep(`the proxy will be removed from ${target}, unless the new address is the same machine`);
      return Promise.resolve({ changes: true, replaces: ["host"] });
    }
    const drift = Array.isArray(olds.drift) ? olds.drift.map(String) : [];
    if (drift.length > 0) log.keep(`${drift.join("; ")}: it will be put right`);
    const before = readProxy(olds).proxy;
    const after = readProxy(news).proxy;
    if (before !== undefined && after !== undefined && specOf(before) !== specOf(after)) {
      log.keep(
        "another image, network or ports: the proxy's container is exchanged, without a gap (bridged) where the host's iptables allow it, else with one stop and one start",
      );
    }
    if (before !== undefined && after !== undefined) {
      const words = foreseeAcme(before, after);
      if (words !== "") log.keep(words);
    }
    return Promise.resolve({ changes: drift.length > 0 ? true : undefined });
  },

  async create(inputs, context) {
    const proxy = parseProxy(inputs);
    // what it replaces may have the very container, made before the stack was renamed
    const containerId = claims.of(context.urn)?.containerId ?? "";
    const outputs = await bring(proxy, {}, context, async (run, olds = { containerId }) => {
      try {
        return await converge({ ...run, inputs, olds });
      } catch (error) {
        throw await asPartial(error, { ...run, inputs, olds });
      }
    });
    claim(context.urn, outputs, proxy.abandonUnreachable);
    return { id: proxy.name, outputs };
  },

  async update(_id, olds, news, context) {
    const proxy = parseProxy(news);
    const untouched = isConnectionOnly(olds, news)
      ? await reconnected(proxy, olds, news, context)
      : undefined;
    const outputs =
      untouched ??
      (await bring(proxy, olds, context, (run, before = olds) =>
        converge({ ...run, inputs: news, olds: before }),
      ));
    claim(context.urn, outputs, proxy.abandonUnreachable);
    return outputs;
  },

  read(id, outputs, context) {
    const proxy = parseProxy(outputs);
    return onHost(proxy, outputs, context, async (access) => {
      const seen = await lookAt({ access, proxy, inputs: outputs, context });
      return seen === undefined ? undefined : { id, outputs: seen };
    });
  },

  delete(_id, outputs, context) {
    const proxy = parseProxy(outputs);
    const leaving: Leaving = {
      outputs,
      proxy,
      reach: (use) => onHost(proxy, outputs, context, use),
      // as the only one that changes this proxy, or a route of it
      remove: (access) =>
        withProxyLock(access.session, proxy.name, context, () =>
          remove({ access, proxy, inputs: outputs, context }),
        ),
    };
    return leaveMachine(leaving, context);
  },
};

/** The resource has this proxy in this run. */
function claim(urn: string, outputs: Properties, abandonUnreachable: boolean): void {
  const { proxy } = readProxy(outputs);
  if (proxy !== undefined) claims.claim(urn, claimedBy(outputs, proxy, abandonUnreachable));
}

/** The outputs of a proxy that is reached in another way; undefined where another machine has its address. */
function reconnected(
  proxy: ProxyInputs,
  olds: Properties,
  news: Properties,
  context: HandlerContext,
): Promise<Properties | undefined> {
  return onHost(proxy, olds, context, async ({ session }) => {
    const machineId = machineIdOf(await session.facts());
    const before = machineIdIn(olds);
    if (before !== "" && machineId !== "" && before !== machineId) {
      context.log.keep(`${session.target} is another machine than the one before`);
      return undefined;
    }
    context.log.keep("connection only, nothing touched");
    const { target, hostKey } = session;
    const machineIds = machineIdsFrom([[target, machineId]]);
    return { ...news, ...keptOutputs(olds), hostKeys: { [target]: hostKey }, machineIds };
  });
}

async function onHost<T>(
  { connection }: ProxyInputs,
  olds: Properties,
  context: HandlerContext,
  use: (access: ProxyAccess) => Promise<T>,
): Promise<T> {
  const { log, clock, random, signal } = context;
  const recordedHostKey = recordedHostKeyOf(olds, connection);
  // a run that is stopped takes back what it did, and waits for an exchange that goes back: over this very session
  const opening = new AbortController();
  const stop = (): void => opening.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const options = { log, clock, random, signal: opening.signal, recordedHostKey };
  try {
    return await withHost(connection, options, async (session) => {
      const docker = await session.docker(signal);
      signal.removeEventListener("abort", stop);
      return use({ session, docker, clock, signal });
    });
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/**
 * Brings a proxy to what the arguments say, with its image on the host before anybody has to wait for us. Nobody waits for
 * the ACME server either: certificates are got between two runs, the second of which ends what was shown before there were any.
 */
function bring(
  proxy: ProxyInputs,
  olds: Properties,
  context: HandlerContext,
  run: (of: Pick<ProxyRun, "access" | "proxy" | "context">, before?: Properties) => Promise<Converged>,
): Promise<Properties> {
  return onHost(proxy, olds, context, async (access) => {
    await ensureImage(access, proxy, context);
    const locked = (before?: Properties): Promise<Converged> =>
      withProxyLock(access.session, proxy.name, context, () => run({ access, proxy, context }, before));
    const { found, outputs } = await locked();
    if (!(await getCertificates(access, proxy, found, context))) return outputs;
    return (await locked(outputs)).outputs;
  });
}

const OF_THE_HOST = ["address", "version", "routes", "containerId", "state", "lastExchange", "drift"];

function keptOutputs(olds: Properties): Properties {
  return Object.fromEntries(OF_THE_HOST.filter((key) => key in olds).map((key) => [key, olds[key]]));
}

/** A first try that failed may have left a network or a folder: the state has to know, so that destroy finds them. */
async function asPartial(error: unknown, run: Parameters<typeof lookAt>[0]): Promise<unknown> {
  if (!(error instanceof SlipwayError) || run.context.signal.aborted) return error;
  const seen = await lookAt(run);
  return seen === undefined ? error : new PartialFailure(run.proxy.name, seen, error);
}

function specOf(proxy: ProxyInputs): string {
  return desiredOf(proxy, "").specHash;
}

/** Another user at one address and port is the same machine; whether another address is, only a look there can tell. */
function isAnotherAddress(olds: Properties, news: Properties): boolean {
  const before = readProxy(olds).proxy;
  const after = readProxy(news).proxy;
  return (
    before !== undefined &&
    after !== undefined &&
    machineOf(before.connection) !== machineOf(after.connection)
  );
}

const OF_CONNECTIONS = ["host", "targets", "ref", "abandonUnreachable", "registries"];

function isConnectionOnly(olds: Properties, news: Properties): boolean {
  if (Array.isArray(olds.drift) && olds.drift.length > 0) return false;
  const isEqual = (key: string): boolean => canonicalJson(olds[key]) === canonicalJson(news[key]);
  const same = (one: Properties): string => canonicalJson(readProxy(one).proxy && desiredOfFiles(one));
  return OF_CONNECTIONS.some((key) => !isEqual(key)) && same(olds) === same(news);
}

function desiredOfFiles(properties: Properties): unknown {
  const { files, specHash, tls } = desiredOf(parseProxy(properties), "");
  return { files: [...files], specHash, tls };
}
