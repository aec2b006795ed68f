// Two services behind one port of one machine, by host name and path, one of them with several replicas.
//
//   pulumi config set host 198.51.100.7
//   pulumi config set user deploy                          # root by default; needs sudo otherwise
//   pulumi config set privateKeyPath ~/.ssh/id_ed25519     # the SSH agent by default
//   pulumi config set hostKey SHA256:…                     # known_hosts by default
//   pulumi config set domain shop.example.org              # what the machine is called by its visitors
//
// Then, with requests coming in all the while (`while curl -sfH 'Host: shop.example.com' http://198.51.100.7/; do :; done`),
// try another version: `pulumi config set version v2`. And one that never becomes healthy, `version broken`: v2 serves on.
import { existsSync } from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as slipway from "pulumi-slipway";

const config = new pulumi.Config();
const domain = config.get("domain") ?? "shop.example.com";

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

// HAProxy in a container. It holds port 80 (and 443, with `tls`), and knows nothing of the services: they name it. Another
// configuration is read without losing a connection; another image exchanges its container while a copy serves.
const edge = new slipway.EdgeProxy("edge", {
  host: server,
  image: config.get("proxyImage") ?? "haproxy:3.2",
  // "internal" makes certificates of its own; `{ acme: { email } }` has HAProxy get and renew them; yours go in as
  // `{ certificates: [{ certificate, key }] }`.
  tls: config.get<"off" | "internal">("tls") ?? "off",
});

// A folder with a static `busybox` beside the Dockerfile is built without any registry.
const context = config.get("context") ?? "app";
const image = new slipway.RemoteImage("shop-image", {
  host: server,
  name: "shop",
  context,
  buildArgs: {
    BASE: existsSync(path.join(context, "busybox")) ? "scratch" : "busybox:1.37",
    VERSION: config.get("version") ?? "v1",
  },
});

const service: Omit<slipway.RollingContainerArgs, "route"> = {
  hosts: [server],
  image: image.ref,
  // The gate. A version that does not pass it was never behind the proxy.
  healthcheck: { http: { port: 3000, path: "/up" } },
  // busybox as process 1 ignores SIGTERM. Your app may not need this.
  init: true,
  update: {
    minHealthyTime: config.get("minHealthyTime") ?? "3s",
    healthyDeadline: config.get("healthyDeadline") ?? "60s",
  },
};

const shop = new slipway.RollingContainer("shop", {
  ...service,
  // No port of the host: the proxy reaches each replica on its own network. A swap goes replica by replica: the new one gets
  // requests first, then the old one gets no more, and stops when what it had has ended.
  replicas: 2,
  route: {
    proxy: edge,
    hosts: [domain],
    port: 3000,
    // What a long answer or a websocket of the old one gets to end in.
    drainTimeout: "30s",
  },
});

const admin = new slipway.RollingContainer("admin", {
  ...service,
  // The longest path wins: the rest of this host name is the shop's. The path stays in the request.
  route: { proxy: edge, hosts: [domain], path: "/admin", port: 3000 },
});

/** Where the shop and its administration answer. */
export const urls = [shop.url, admin.url];
/** How the last swap of the shop went: "proxied", and the time in which nobody served. */
export const lastSwap = shop.lastRollout.apply(({ switch: way, gapMs }) => ({ way, gapMs }));
