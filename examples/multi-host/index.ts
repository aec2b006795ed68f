// One service on several machines, brought to a new version some hosts at a time, the first one alone.
//
//   pulumi config set hosts '[{"host":"198.51.100.7","user":"deploy"},{"host":"198.51.100.8","user":"deploy"}]'
//
// A connection's fields are those of the other examples: port, privateKeyPath, hostKey, proxy and so on. Then try another
// version, `pulumi config set version v2`, and one that never becomes healthy: with `version broken` every host goes on
// with the version it had.
import { existsSync } from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as slipway from "pulumi-slipway";

interface Host {
  readonly host: string;
  readonly port?: number;
  readonly user?: string;
  readonly hostKey?: string;
  readonly privateKeyPath?: string;
}

const config = new pulumi.Config();
// documentation addresses: nothing answers there
const hosts = config.getObject<Host[]>("hosts") ?? [{ host: "203.0.113.10" }, { host: "203.0.113.11" }];

// One DockerHost a machine; they are set up at the same time.
const servers = hosts.map(
  (connection, at) =>
    new slipway.DockerHost(`server-${at + 1}`, {
      connection,
      dockerVersion: config.get("dockerVersion") ?? "28.x",
      source: config.get<"docker" | "distro">("source"),
    }),
);

// Built on every host, from the same folder. A folder with a static `busybox` beside the Dockerfile is built without any registry.
const context = config.get("context") ?? "app";
const image = new slipway.RemoteImage("web-image", {
  hosts: servers,
  name: "web",
  context,
  buildArgs: {
    BASE: existsSync(path.join(context, "busybox")) ? "scratch" : "busybox:1.37",
    VERSION: config.get("version") ?? "v1",
  },
});

const web = new slipway.RollingContainer("web", {
  hosts: servers,
  image: image.ref,
  ports: [{ container: 3000, host: 80 }],
  healthcheck: { http: { port: 3000, path: "/up" } },
  init: true,
  update: {
    // The order of `hosts` is the order of the rollout. All of them are looked at before anything is touched: a host that
    // does not answer is named, and no other is changed.
    //
    // "rolling": the first host alone (canary), then half of the hosts at a time (a number does too), with a pause before
    // each batch. Old and new versions serve side by side meanwhile.
    // "atomic": every host proves the new version beside its old one, and only when all have, all switch at once. Versions
    // that cannot serve side by side want that.
    strategy: config.get<"rolling" | "atomic">("strategy") ?? "rolling",
    canary: true,
    parallelism: "50%",
    delay: config.get("delay") ?? "10s",
    // One failure puts every host back on the version that it had, and `pulumi up` fails with the reason. "pause" instead
    // leaves the finished ones on the new version and begins no other (not with "atomic").
    failureAction: "rollback",
    healthyDeadline: config.get("healthyDeadline") ?? "60s",
  },
});

const health = new slipway.HealthPolicy("health", { hosts: servers, services: [web] });

/** What runs where. */
export const containers = web.containers.apply((all) =>
  all.map(({ host, name, state }) => `${host} ${name} ${state}`),
);
/** The revision that all hosts run. */
export const revision = web.revision;
/** Every container's health. */
export const report = health.report;
