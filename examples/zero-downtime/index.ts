// A service on a fixed port of one machine, exchanged without one lost request and without a proxy in front of it.
//
//   pulumi config set host 198.51.100.7
//   pulumi config set user deploy                          # root by default; needs sudo otherwise
//   pulumi config set privateKeyPath ~/.ssh/id_ed25519     # the SSH agent by default
//   pulumi config set hostKey SHA256:…                     # known_hosts by default
//
// Then, with requests coming in all the while (`while curl -sf http://198.51.100.7/; do :; done`), try another version:
// `pulumi config set version v2`. And one that never becomes healthy, `version broken`: v2 serves on.
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
const image = new slipway.RemoteImage("shop-image", {
  host: server,
  name: "shop",
  context,
  buildArgs: {
    BASE: existsSync(path.join(context, "busybox")) ? "scratch" : "busybox:1.37",
    VERSION: config.get("version") ?? "v1",
  },
});

const shop = new slipway.RollingContainer("shop", {
  hosts: [server],
  image: image.ref,

  // Only one container can have a port of the host. That is why a swap on a fixed port usually means: stop, start, and
  // whoever asks in between is refused.
  ports: [{ container: 3000, host: 80 }],

  // The gate. No version takes the port before it has answered here, and gone on answering for minHealthyTime. Let it say
  // "ready to serve": it should fail while the app is still warming up, and need nothing that is not the app's own.
  healthcheck: { http: { port: 3000, path: "/up" } },

  // What the old one gets to end in: connections that are open are waited for this long, and then, after SIGTERM, once more.
  // An app that keeps connections alive should answer its last requests with `Connection: close` when it is told to end.
  stopTimeout: "10s",
  // busybox as process 1 ignores SIGTERM. Your app may not need this.
  init: true,

  update: {
    // A copy of the new version passes the gate on a port of its own. Rules of the host's firewall send new connections to it
    // while the old container drains and stops and the new one starts on the real port; then the rules go, and the copy after
    // its last connection. A new one that fails there has the old one started again behind the same rules: no gap either.
    // A program on the host does all this, so that a lost connection or a closed laptop leaves a served port.
    //
    // "auto", the default, does the same where it can, and else stops and starts, saying why. "bridged" insists: where the
    // host does not allow it (rootless, another firewall, no root), `pulumi up` fails before anything is touched.
    // For a moment three containers of the service exist and two run. What may run only once (a scheduler, a consumer
    // of a queue) says "plain".
    switch: "bridged",
    minHealthyTime: config.get("minHealthyTime") ?? "3s",
    healthyDeadline: config.get("healthyDeadline") ?? "60s",
  },

  // The version before stays, stopped, with its image: going back to it starts that very container.
  keepPrevious: 1,
});

/** Where the shop answers. */
export const url = shop.url;
/** How the last swap went: "bridged", and the time in which nobody served. */
export const lastSwap = shop.lastRollout.apply(({ switch: way, gapMs }) => ({ way, gapMs }));
/** What runs: name, id, image, health. */
export const containers = shop.containers;
