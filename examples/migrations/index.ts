// A database is migrated before a new version takes over: once a rollout, in a container of the new image, with the
// service's own secrets. A migration that fails stops the rollout there, and the old version serves on.
//
//   pulumi config set host 198.51.100.7
//   pulumi config set user deploy                          # root by default; needs sudo otherwise
//   pulumi config set privateKeyPath ~/.ssh/id_ed25519     # the SSH agent by default
//   pulumi config set hostKey SHA256:…                     # known_hosts by default
//   pulumi config set --secret databaseUrl postgres://app:…@db.internal/app
//
// Then try another version, `pulumi config set version v2`, and one whose migration fails: `version broken`.
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
const image = new slipway.RemoteImage("app-image", {
  host: server,
  name: "app",
  context,
  buildArgs: {
    BASE: existsSync(path.join(context, "busybox")) ? "scratch" : "busybox:1.37",
    VERSION: config.get("version") ?? "v1",
  },
});

const app = new slipway.RollingContainer("app", {
  hosts: [server],
  image: image.ref,
  ports: [{ container: 3000, host: 80 }],
  healthcheck: { http: { port: 3000, path: "/up" } },
  init: true,

  // Read as /run/secrets/database-url, by the service and by its tasks. Other than `env`, no `docker inspect` shows it. A
  // new value is a new rollout.
  secretFiles: {
    "database-url": config.getSecret("databaseUrl") ?? pulumi.secret("postgres://app:secret@db.invalid/app"),
  },

  // On the first host, one after another, before anything is swapped. Exit code 0 goes on; anything else, or being late,
  // is the end of the rollout, and its last words are shown.
  //
  // A migration runs again when a rollout failed after it, or when a container is swapped for another reason: it has to do
  // no harm the second time. And the old version serves until the new one has passed its gate, on after that when it
  // fails there: what a migration leaves has to suit both. Add columns in one release, remove old ones in the next.
  preDeploy: [{ command: ["migrate"], timeout: "5m" }],

  // When every host serves the new version: tell the cache, the chat, the tracker. A failure is told, not taken back.
  postDeploy: [{ command: ["announce"], timeout: "30s" }],
});

/** Where the page answers. */
export const url = app.url;
/** The revision that serves. */
export const revision = app.revision;
