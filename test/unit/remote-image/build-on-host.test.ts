import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import type { BuildJob } from "../../../provider/remote-image/build-job";
import {
  buildOnHost,
  type ContextSource,
  type HostBuild,
} from "../../../provider/remote-image/build-on-host";
import { readSpec } from "../../../provider/remote-image/spec";
import { localSession } from "../../support/local-session";
import { TemporaryFolder } from "../../support/temporary-folder";

describe("buildOnHost", () => {
  let home: TemporaryFolder;
  beforeEach(() => (home = new TemporaryFolder()));
  afterEach(() => home.remove());

  const stored = (): ContextSource => ({
    kind: "stored",
    context: { store: home.path, book: "none", sentBytes: 0 },
  });
  const ways: Readonly<Record<string, readonly [() => ContextSource, Partial<HostBuild>]>> = {
    "a tar of the store": [stored, { takesFolders: false }],
    "a folder": [stored, { takesFolders: true }],
    "a tar that is sent": [
      () => ({ kind: "stream", tar: Readable.from([Buffer.from("a tar")]) }),
      { takesFolders: false },
    ],
    "logins for registries": [
      stored,
      { takesFolders: false, logins: [{ address: "r.example", username: "me", password: "pass" }] },
    ],
  };
  for (const [what, [source, more]] of Object.entries(ways)) {
    it(`must give a builder its values whatever they are called, and no other ones, with ${what}`, async () => {
      // names that scripts of ours use, in the order in which they would be overwritten by the next one
      const names = [
        "line",
        "value",
        "store",
        "book",
        "folder",
        "kept",
        "tree",
        "own",
        "login",
        "dockerfile",
      ];
      const values = [...names, "SLIPWAY_SECRET_0"].map((variable) => ({
        variable,
        value: `of ${variable}`,
      }));
      const seen = path.join(home.path, "environment");
      const build: HostBuild = {
        argv: ["/bin/sh", "-c", `env >"$0"; cat >/dev/null`, seen],
        ...{ takesFolders: false, env: {}, logins: [], values },
        log: { line: () => {}, end: () => ({ step: undefined, error: undefined, tail: "" }) },
        ...more,
      };
      const job: BuildJob = {
        spec: readSpec({ name: "web", host: { host: "h" }, context: home.path }),
        ...{ ref: "web:0", target: "h", dockerfile: "Dockerfile", labels: {}, timeoutMs: 10_000 },
        log: { progress: () => {}, keep: () => {}, warn: () => {}, debug: () => {} },
        redact: (text) => text,
        signal: AbortSignal.timeout(10_000),
      };
      await buildOnHost(localSession(home.path).session, build, source(), job, false);
      const environment = readFileSync(seen, "utf8").split("\n");
      for (const { variable, value } of values) {
        assert.ok(environment.includes(`${variable}=${value}`), `${variable}: ${environment.join(" ")}`);
      }
    });
  }
});
