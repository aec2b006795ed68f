import { createHash } from "node:crypto";
import type { ObservedContainer } from "../../provider/container/observed";
import { type Desired, desiredOf } from "../../provider/edge-proxy/desired";
import type { NewSecrets } from "../../provider/edge-proxy/files";
import { parseProxy } from "../../provider/edge-proxy/inputs";
import type { ProxyFound } from "../../provider/edge-proxy/observe";
import { formatSteps } from "../../provider/edge-proxy/operation";
import { planProxy } from "../../provider/edge-proxy/plan";
import type { Properties } from "../../provider/handler";
import type { ObservedProxy } from "../../provider/proxy/observed";
import { formatRouteFile, type RouteEntry } from "../../provider/proxy/route-file";
import { observedContainer } from "./observed-container";
import { observedSwitch } from "./observed-switch";

/** The route of every proxy here. */
export const WEB: RouteEntry = {
  service: "web",
  protocol: "http",
  hosts: ["example.com"],
  path: "/",
  port: 3000,
  listen: 0,
  places: 2,
  servers: [],
};

/** What an EdgeProxy "edge" with these arguments wants. */
export const desired = (more: Properties = {}): Desired =>
  desiredOf(
    parseProxy({ name: "edge", host: { host: "203.0.113.1" }, image: "haproxy:3.2", ...more }),
    "p/s",
  );

/** Its container, as it should be. */
export function container(of: Desired, more: Partial<ObservedContainer> = {}): ObservedContainer {
  const labels = { "slipway.proxy": "edge", "slipway.stack": "p/s", "slipway.spec-hash": of.specHash };
  return observedContainer({ id: "live", name: "edge", labels, restartPolicy: "unless-stopped", ...more });
}

/** Its folder and processes, as they should be. */
export function folder(of: Desired, more: Partial<ObservedProxy> = {}): ObservedProxy {
  const files = new Map([...of.files].filter(([path]) => path.startsWith("conf/")));
  files.set("conf/50-web.cfg", formatRouteFile(WEB)).set("routes.map", "example.com/ service.web\n");
  const digests = new Map(
    [...of.files]
      .filter(([path]) => !path.startsWith("conf/"))
      .map(([path, text]) => [path, createHash("sha256").update(text).digest("hex")]),
  );
  const route = {
    service: "web",
    entry: WEB,
    servers: [],
    former: [],
    certificates: [],
    tls: { kind: "none" as const },
    placeholders: [],
  };
  return {
    files,
    digests,
    tls: of.tls,
    placeholders: [],
    keeper: false,
    version: "3.2.0",
    mute: false,
    formerPids: [],
    formerServers: [],
    servers: [],
    routes: [route],
    answer: "",
    ...more,
  };
}

/** Its host, as it should be. */
export function found(of: Desired, more: Partial<ProxyFound> = {}): ProxyFound {
  return {
    target: "root@203.0.113.1:22",
    machineId: "1".repeat(32),
    live: container(of),
    candidate: undefined,
    copy: undefined,
    exchange: observedSwitch(),
    folder: folder(of),
    network: { id: "n", owned: true, inUse: true },
    imageId: "sha256:1",
    portTakers: [],
    ...more,
  };
}

/** Instead of new keys. */
export const secrets: NewSecrets = {
  newCertificate: () => "PEM",
  newAccount: (id: string) => new Map([`acme/${id}.key`, `acme/${id}.map`].map((path) => [path, "SECRET"])),
};

/** The steps from one to the other, as they print. */
export const plan = (wanted: Desired, seen: ProxyFound): string =>
  formatSteps(planProxy(wanted, seen, secrets));
