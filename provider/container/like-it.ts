import type { ContainerCreateOptions } from "dockerode";
import { isObject } from "../values";

const OF_CONFIG = [
  "Cmd",
  "Entrypoint",
  "Env",
  "ExposedPorts",
  "Healthcheck",
  "Labels",
  "OpenStdin",
  "StdinOnce",
  "StopSignal",
  "StopTimeout",
  "Tty",
  "User",
  "WorkingDir",
] as const;

/**
 * What another container just like an inspected one is created from: no ports, no restart policy, on its first network.
 * Holds the container's environment.
 */
export function optionsLike(inspect: unknown): ContainerCreateOptions {
  const root = isObject(inspect) ? inspect : {};
  const config = isObject(root.Config) ? root.Config : {};
  const hostConfig = isObject(root.HostConfig) ? root.HostConfig : {};
  const id = typeof root.Id === "string" ? root.Id : "";
  // the engine names a host that nobody named after its container
  const named = typeof config.Hostname === "string" && config.Hostname !== id.slice(0, 12);
  const kept = OF_CONFIG.filter((key) => config[key] !== undefined && config[key] !== null);
  return {
    ...Object.fromEntries(kept.map((key) => [key, config[key]])),
    ...(named ? { Hostname: String(config.Hostname) } : {}),
    Image: typeof root.Image === "string" ? root.Image : "",
    HostConfig: { ...hostConfig, PortBindings: {}, RestartPolicy: { Name: "no" } },
  };
}

/** True when another one just like it would write to the same place. */
export function writesToMount({ HostConfig }: ContainerCreateOptions): boolean {
  const mounts = HostConfig?.Mounts ?? [];
  const binds = HostConfig?.Binds ?? [];
  return (
    mounts.some((mount) => mount.Type !== "tmpfs" && mount.Source !== "" && mount.ReadOnly !== true) ||
    binds.some((bind) => !/:([a-zA-Z]+,)*ro(,|$)/.test(bind))
  );
}
