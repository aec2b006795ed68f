import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, readdirSync } from "node:fs";
import path from "node:path";
import { silentLog } from "../../../provider/log";
import { buildKitBuild } from "../../../provider/remote-image/build-buildkit";
import { classicBuild } from "../../../provider/remote-image/build-classic";
import type { BuildJob } from "../../../provider/remote-image/build-job";
import { loginValues, withLogins } from "../../../provider/remote-image/command-login";
import { readSpec } from "../../../provider/remote-image/spec";
import { TemporaryFolder } from "../../support/temporary-folder";

const WISH = {
  ...{ name: "web", host: { host: "h" }, context: "x", tags: ["1"] },
  ...{ buildArgs: { TOKEN: "canary-a" }, target: "run", platform: "linux/arm64", network: "host" },
  ...{ pull: true, noCache: true, cacheFrom: ["web:cache"], extraHosts: ["db:10.0.0.1"] },
};

function jobOf(more: object = {}): BuildJob {
  return {
    spec: readSpec({ ...WISH, ...more }),
    ...{ ref: "web:0123", target: "root@h:22", dockerfile: "Dockerfile", labels: { a: "b c" } },
    ...{ log: silentLog, redact: (text: string) => text, timeoutMs: 1, signal: AbortSignal.timeout(1_000) },
  };
}

const COMMON =
  "--tag=web:0123 --build-arg=TOKEN --label=a=b c --target=run --platform=linux/arm64 --network=host --pull --no-cache --cache-from=web:cache --add-host=db:10.0.0.1";

describe("the builders' commands", () => {
  it("must say all that is wished, and no value that may be a secret", () => {
    const secrets = { key: "canary-b" };
    const registries = [{ address: "r", username: "u", password: "canary-c" }];
    const { argv, values } = buildKitBuild(
      jobOf({ secrets, registries, cacheTo: ["inline", "r/web:cache"] }),
    );
    assert.equal(
      argv.join(" "),
      `docker buildx build --builder=default --load --progress=plain ${COMMON} --secret=id=key,env=SLIPWAY_SECRET_0 --cache-to=type=inline --cache-to=type=registry,mode=max,ref=r/web:cache`,
    );
    assert.deepEqual(
      values.map(({ variable }) => variable),
      ["TOKEN", "SLIPWAY_SECRET_0", "SLIPWAY_LOGINS"],
    );
  });

  it("must say the same to the classic builder", () => {
    assert.equal(classicBuild(jobOf()).argv.join(" "), `docker build --force-rm ${COMMON}`);
  });
});

describe("withLogins", () => {
  let folder: TemporaryFolder;
  before(() => {
    folder = new TemporaryFolder().file(".docker/cli-plugins/x", "");
    folder.file(
      "docker",
      `#!/bin/sh
cat "$DOCKER_CONFIG/config.json"; echo
for server; do echo "$server" | docker-credential-slipway get; done
grep -r canary "$DOCKER_CONFIG" && echo written
ls "$DOCKER_CONFIG/cli-plugins"; echo "$BUILDX_CONFIG"; exit 3
`,
    );
    chmodSync(path.join(folder.path, "docker"), 0o755);
  });
  after(() => folder.remove());

  const run = (servers: readonly string[], logins: Parameters<typeof loginValues>[0]) => {
    const command = withLogins(logins, folder.path, [path.join(folder.path, "docker"), ...servers]);
    const values = Object.fromEntries(loginValues(logins).map(({ variable, value }) => [variable, value]));
    const [program = "", ...args] = command;
    try {
      execFileSync(program, args, { env: { PATH: process.env.PATH, HOME: folder.path, ...values } });
      return assert.fail("the exit code was lost");
    } catch (error) {
      const { status, stdout } = error as { readonly status: number; readonly stdout: Buffer };
      assert.equal(status, 3);
      return { lines: stdout.toString().trimEnd().split("\n"), command: command.join(" ") };
    }
  };

  it("must give each registry its login, in no file and no command line, and leave nothing", () => {
    const logins = [
      { address: "docker.io", username: "me", password: "canary-hub" },
      { address: "r.example:5000", username: 'o"brien', password: "canary \\ 'x' $(id)" },
    ];
    const { lines, command } = run(["r.example:5000", "https://index.docker.io/v1/", "other"], logins);
    assert.ok(!command.includes("canary"));
    const [config = "", first = "", second = "", ...rest] = lines;
    assert.deepEqual(JSON.parse(config), {
      credHelpers: { "https://index.docker.io/v1/": "slipway", "r.example:5000": "slipway" },
    });
    assert.deepEqual(JSON.parse(first), {
      ServerURL: "r.example:5000",
      Username: 'o"brien',
      Secret: "canary \\ 'x' $(id)",
    });
    assert.deepEqual((JSON.parse(second) as { readonly Secret: string }).Secret, "canary-hub");
    assert.deepEqual(rest, ["x", path.join(folder.path, ".docker/buildx")]);
    assert.deepEqual(readdirSync(folder.path).sort(), [".docker", "docker"]);
  });

  it("must leave the command alone where there are none", () => {
    assert.deepEqual(withLogins([], "/x", ["docker"]), ["docker"]);
    assert.deepEqual(loginValues([]), []);
  });
});
