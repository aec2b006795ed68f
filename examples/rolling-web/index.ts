// A bare machine to a running web page: Docker at a pinned version, an image built there, a container that is swapped
// only for one that is well, and a policy that restarts it when it is not.
//
// A preview runs as it is. Before the first `pulumi up`, say where to go:
//
//   pulumi config set host 198.51.100.7
//   pulumi config set user deploy                          # root by default; needs sudo otherwise
//   pulumi config set privateKeyPath ~/.ssh/id_ed25519     # the SSH agent by default
//   pulumi config set hostKey SHA256:…                     # known_hosts by default
//
// Then try another version: `pulumi config set version v2`, and one that never becomes healthy: `version broken`.
import { existsSync } from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as slipway from "pulumi-slipway";

const config = new pulumi.Config();

const server = new slipway.DockerHost("server", {
  connection: {
    host: config.get("host") ?? "203.0.113.10", // a documentation address: nothing answers there
    port: config.getNumber("port"),
    user: config.get("user"),
    hostKey: config.get("hostKey"),
    privateKeyPath: config.get("privateKeyPath"),
  },
  dockerVersion: config.get("dockerVersion") ?? "28.x",
  source: config.get<"docker" | "distro">("source"),
});

// A folder with a static `busybox` beside the Dockerfile is built without any registry.
const context = config.get("context") ?? "app";
const image = new slipway.RemoteImage("web-image", {
  host: server,
  name: "web",
  context,
  buildArgs: {
    BASE: existsSync(path.join(context, "busybox")) ? "scratch" : "busybox:1.37",
    VERSION: config.get("version") ?? "v1",
  },
});

const web = new slipway.RollingContainer("web", {
  hosts: [server],
  image: image.ref,
  ports: [{ container: 3000, host: config.getNumber("webPort") ?? 80 }],
  healthcheck: {
    command: ["/bin/busybox", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:3000/up"],
    interval: "1s",
    timeout: "2s",
    retries: 3,
  },
  update: { healthyDeadline: "20s" },
});

const health = new slipway.HealthPolicy("health", { hosts: [server], services: [web] });

/** Where the page answers. */
export const url = web.url;
/** Every container's health, as the policy saw it last. */
export const report = health.report;
/** What runs: name, id, image, health. */
export const containers = web.containers;
/** The Docker that runs. */
export const dockerVersion = server.version;
