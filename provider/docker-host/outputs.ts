import { targetOf, type Connection } from "../host/connection";
import { machineIdOf, machineIdsFrom } from "../host/machine/machine-id";
import type { HostSession } from "../host/session";
import type { Properties } from "../handler";
import type { EngineSummaryValues, ObservedEngine } from "./look/observed";
import { upstreamOf } from "./packages/version";
import type { Former } from "./wish/wish";

const NO_ENGINE: EngineSummaryValues = {
  storageDriver: "",
  cgroupVersion: "",
  rootDirectory: "",
  liveRestore: false,
  firewall: "",
  runtimes: [],
  registryMirrors: [],
  warnings: [],
};

/**
 * The outputs of a machine: the inputs as they were given, and what was seen. The shape is the same whether Docker runs
 * or not; `version` is empty when it does not. `drift` lists what has to be done to bring the machine back. `__packages` are
 * those that an up left: a read keeps them (`withApplied`), or what is gone would be missed by nobody.
 */
export function outputsOf(
  inputs: Properties,
  connection: Connection,
  session: Pick<HostSession, "hostKey">,
  observed: ObservedEngine,
  drift: readonly string[],
): Properties {
  const { facts, daemon } = observed;
  const { id, versionId, codename, prettyName } = facts.os;
  const target = targetOf(connection);
  return {
    ...inputs,
    targets: [target],
    hostKeys: { [target]: session.hostKey },
    machineIds: machineIdsFrom([[target, machineIdOf(facts)]]),
    version: daemon === undefined ? "" : (upstreamOf(daemon.version) ?? daemon.version),
    apiVersion: daemon?.apiVersion ?? "",
    packages: observed.packages.installed,
    __packages: Object.keys(observed.packages.installed),
    os: { id, versionId, codename, prettyName },
    architecture: facts.architecture,
    memory: observed.memory,
    disk: observed.disk,
    machineId: facts.machineId,
    engine: daemon?.summary ?? NO_ENGINE,
    drift,
  };
}

/** What a read saw, beside the packages that the last up left. */
export function withApplied(seen: Properties, { packages = [] }: Pick<Former, "packages">): Properties {
  return { ...seen, __packages: packages };
}
