import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { PulumiStack, REPOSITORY } from "../support/pulumi-project";

const run = promisify(execFile);

const KINDS = ["DockerHost", "RemoteImage", "RollingContainer", "HealthPolicy", "EdgeProxy"];

const CONSUMER = `
import * as pulumi from "@pulumi/pulumi";
import * as slipway from "pulumi-slipway";

const connection: slipway.ConnectionArgs = { host: "192.0.2.1", privateKeyPath: "/nowhere/id" };
const web1 = new slipway.DockerHost("web1", { connection, dockerVersion: "28.x" });
const image = new slipway.RemoteImage("image", { host: web1, context: "./app" });
const web = new slipway.RollingContainer("web", {
  hosts: [web1, { host: "192.0.2.2" }],
  image: image.ref,
  ports: [{ container: 3000, host: 80 }],
  healthcheck: { http: { port: 3000, path: "/up" } },
});
new slipway.HealthPolicy("health", { hosts: [web1], services: [web, "other"] });
new slipway.EdgeProxy("edge", { host: web1 });
export const url: pulumi.Output<string | undefined> = web.url;
export const isOurs = (error: unknown): boolean => error instanceof slipway.SlipwayError;
`;

/** The package as a user has it: packed, and installed in a project of their own. */
describe("the packed package", () => {
  let folder: string;
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "slipway-pack-"));
    // dist is there already; pack's own build would need what a user does not have
    await run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], { cwd: REPOSITORY });
    const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "";
    const project = { name: "user", private: true, main: "index.js" };
    writeFileSync(path.join(folder, "package.json"), JSON.stringify(project));
    const flags = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps"];
    await run("npm", ["install", ...flags, `./${tarball}`], { cwd: folder });
    // the peer: the SDK that the repository has, which a user brings along
    symlinkSync(
      path.join(REPOSITORY, "node_modules", "@pulumi"),
      path.join(folder, "node_modules", "@pulumi"),
    );
    mkdirSync(path.join(folder, "app"));
    writeFileSync(path.join(folder, "app", "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");
    writeFileSync(path.join(folder, "index.ts"), CONSUMER);
    writeFileSync(path.join(folder, "Pulumi.yaml"), "name: user\nruntime: nodejs\n");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("must hold what it needs and nothing else", async () => {
    const { stdout } = await run("npm", ["ls", "--parseable", "--omit=peer"], { cwd: folder }).catch(
      (error: unknown) => error as { stdout: string },
    );
    assert.match(stdout, /pulumi-slipway/);
    const inside = readdirSync(path.join(folder, "node_modules", "pulumi-slipway")).sort();
    const known = ["CHANGELOG.md", "LICENSE", "README.md", "dist", "package.json"];
    assert.deepEqual(
      inside.filter((name) => !known.includes(name)),
      [],
    );
  });

  it("must give the provider process a dynamic provider for each resource", async () => {
    const script = `const runtime = require("pulumi-slipway/runtime");
      console.log(JSON.stringify(Object.fromEntries(Object.entries(runtime).map(([k, v]) => [k, Object.keys(v)]))));
      process.exit(0);`;
    const { stdout } = await run(process.execPath, ["-e", script], { cwd: folder });
    const methods = ["configure", "check", "diff", "create", "update", "read", "delete"];
    assert.deepEqual(JSON.parse(stdout), Object.fromEntries(KINDS.map((kind) => [kind, methods])));
  });

  it("must let no other file of it be required", async () => {
    const attempt = run(process.execPath, ["-e", 'require("pulumi-slipway/dist/errors.js")'], {
      cwd: folder,
    });
    await assert.rejects(attempt, /ERR_PACKAGE_PATH_NOT_EXPORTED/);
  });

  it("must type-check in a user's program, with either way to resolve modules", async () => {
    const tsc = path.join(REPOSITORY, "node_modules", "typescript", "bin", "tsc");
    for (const [module, resolution] of [
      ["commonjs", "node10"],
      ["node16", "node16"],
      ["esnext", "bundler"],
    ] as const) {
      const options = ["--strict", "--skipLibCheck", "--target", "es2020", "--outDir", "built", "index.ts"];
      const types = ["--typeRoots", path.join(REPOSITORY, "node_modules", "@types"), "--types", "node"];
      const how = ["--module", module, "--moduleResolution", resolution, ...types];
      await run(process.execPath, [tsc, ...how, ...options], { cwd: folder }).catch((error: unknown) => {
        assert.fail(`${module}/${resolution}: ${(error as { stdout: string }).stdout}`);
      });
    }
  });

  it("must preview a user's program with the hosts unreachable and without any key", async () => {
    writeFileSync(path.join(folder, "index.js"), compiled(CONSUMER));
    rmSync(path.join(folder, "index.ts"));
    const stack = new PulumiStack(folder, "dev");
    try {
      await stack.init();
      const preview = await stack.preview({ env: { SSH_AUTH_SOCK: "" } });
      assert.equal(preview.code, 0, preview.output);
      for (const kind of KINDS) assert.match(preview.output, new RegExp(`slipway:${kind} \\S+ create`));
      assert.match(preview.output, /\+ 6 to create/);
    } finally {
      await stack.dispose();
    }
  });
});

/** The program as JavaScript; without the lines that only a compiler reads. */
function compiled(program: string): string {
  return program
    .replace(/import \* as (\w+) from ("[^"]+");/g, "const $1 = require($2);")
    .replace(
      /: slipway\.ConnectionArgs|: pulumi\.Output<[^=]*>(?= =)|\(error: unknown\): boolean/g,
      (type) => (type.startsWith("(") ? "(error)" : ""),
    )
    .replace(/export const (\w+) =/g, "exports.$1 =");
}
