// Beside `@pulumi/command`: one connection for both. The image is built, a command on the same machine migrates the
// database with that very image, and only then is the container swapped. A migration that fails stops the run there,
// and the old container serves on.
//
//   pulumi config set host 198.51.100.7
//   pulumi config set user deploy                                # root by default; has to be in the docker group
//   pulumi config set --secret privateKey < ~/.ssh/id_ed25519
//   pulumi config set hostKey "$(ssh-keyscan -t ed25519 198.51.100.7 2>/dev/null | cut -d' ' -f2-)"   # compare it!
//   pulumi config set --secret databaseUrl postgres://app:…@db.internal/app
import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as slipway from "pulumi-slipway";

const config = new pulumi.Config();

// Fields that both know. `hostKey` as a key line: `@pulumi/command` reads no fingerprint and no list, and without a key
// it trusts any machine. `privateKey` as text: it knows no path.
const connection = {
  host: config.require("host"),
  port: config.getNumber("port") ?? 22,
  user: config.get("user") ?? "root",
  privateKey: config.requireSecret("privateKey"),
  hostKey: config.require("hostKey"),
};
const databaseUrl = config.requireSecret("databaseUrl");

const server = new slipway.DockerHost("server", { connection, dockerVersion: "28.x" });

const image = new slipway.RemoteImage("web-image", {
  host: server,
  name: "web",
  context: "app",
  buildArgs: { VERSION: config.get("version") ?? "v1" },
});

// `image.ref` is known in preview and changes with everything that goes into the image: a new image runs it again, and
// nothing else does. The secret goes in by standard input, so that no list of processes shows it.
const migration = new command.remote.Command("migration", {
  connection,
  create: pulumi.interpolate`docker run --rm --interactive --env-file /dev/stdin ${image.ref} sh /bin/migrate`,
  stdin: pulumi.interpolate`DATABASE_URL=${databaseUrl}`,
  triggers: [image.ref],
  addPreviousOutputInEnv: false,
});

const web = new slipway.RollingContainer(
  "web",
  {
    hosts: [server],
    image: image.ref,
    ports: [{ container: 3000, host: 80 }],
    env: { DATABASE_URL: databaseUrl },
    healthcheck: { http: { port: 3000, path: "/up" } },
  },
  { dependsOn: [migration] },
);

/** Where the page answers. */
export const url = web.url;
/** What the migration said. */
export const migrated = migration.stdout;
