import assert from "node:assert/strict";
import { createRequire } from "node:module";
import * as pulumi from "@pulumi/pulumi";
import { registrations } from "../../support/pulumi-mocks";

const EXAMPLE = "../../../examples/with-command/index";

const CONFIG = {
  "project:host": "192.0.2.1",
  "project:user": "deploy",
  "project:port": "2222",
  "project:privateKey": "KEY",
  "project:hostKey": "ssh-ed25519 AAAA",
  "project:databaseUrl": "postgres://secret",
};
const CONNECTION = {
  host: "192.0.2.1",
  user: "deploy",
  port: 2222,
  privateKey: { secret: "KEY" },
  hostKey: "ssh-ed25519 AAAA",
};

const load = createRequire(__filename);

/** What the program registers when the image has this ref. */
function registered(ref: string) {
  pulumi.runtime.setAllConfig(CONFIG, ["project:privateKey", "project:databaseUrl"]);
  const program = (): void => {
    const path = load.resolve(EXAMPLE);
    Reflect.deleteProperty(load.cache, path);
    load(path);
  };
  return registrations(program, false, { "web-image": { ref } });
}

describe("examples/with-command", () => {
  it("must give the command the very connection of the host", async () => {
    const seen = await registered("web:1");
    assert.deepEqual(seen.get("server")?.inputs.connection, CONNECTION);
    const theirs = clear(seen.get("migration")?.inputs.connection);
    for (const [field, value] of Object.entries(clear(CONNECTION) as object)) {
      assert.deepEqual((theirs as Record<string, unknown>)[field], value, field);
    }
  });

  it("must migrate after the image and before the swap", async () => {
    const seen = await registered("web:1");
    assert.ok(seen.get("migration")?.dependsOn.includes("web-image"));
    assert.ok(seen.get("web")?.dependsOn.includes("migration"));
  });

  it("must migrate again for a new image, with that image, and hand over the secret as one", async () => {
    for (const ref of ["web:1", "web:2"]) {
      const { triggers, create, stdin } = (await registered(ref)).get("migration")?.inputs ?? {};
      assert.deepEqual(triggers, [ref]);
      assert.match(String(create), new RegExp(`^docker run .* ${ref} `));
      assert.deepEqual(stdin, { secret: "DATABASE_URL=postgres://secret" });
    }
  });
});

/** Without the marks of secrets: theirs makes the whole connection one. */
function clear(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("secret" in value) return clear(value.secret);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, clear(item)]));
}
