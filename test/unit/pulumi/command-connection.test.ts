import assert from "node:assert/strict";
import type { types } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ConnectionArgs } from "../../../provider/index";

type Theirs = types.input.remote.ConnectionArgs;

/** Fields that both know, as one literal that has to be both. */
const shared = {
  host: "192.0.2.1",
  port: 22,
  user: "deploy",
  privateKey: "KEY",
  privateKeyPassword: "P",
  password: "P",
  agentSocketPath: "/run/agent",
  hostKey: "ssh-ed25519 AAAA",
  proxy: { host: "192.0.2.2", user: "jump", privateKey: "KEY" },
  dialErrorLimit: 3,
  perDialTimeout: 5,
} satisfies ConnectionArgs & Theirs;

/** And one that was written for them. */
const theirs: Theirs = shared;
const ours: ConnectionArgs = theirs;

/** The fields that both know, in our words: whatever they hold is theirs too, but for several host keys and absent ones. */
type SharedField = keyof Theirs & keyof ConnectionArgs;
type Value<F extends SharedField> = Exclude<pulumi.Unwrap<ConnectionArgs[F]>, undefined>;
type Shared = { readonly [F in Exclude<SharedField, "hostKey" | "proxy">]?: pulumi.Input<Value<F>> };
const inOurWords: Shared = {
  host: "192.0.2.1",
  port: 22,
  privateKey: pulumi.secret("KEY"),
  dialErrorLimit: -1,
};
const alsoTheirs: Partial<Theirs> = inOurWords;

/** Every field of theirs is one of ours: fails to compile when they add one. */
const known: Record<keyof Theirs, keyof ConnectionArgs> = {
  agentSocketPath: "agentSocketPath",
  dialErrorLimit: "dialErrorLimit",
  host: "host",
  hostKey: "hostKey",
  password: "password",
  perDialTimeout: "perDialTimeout",
  port: "port",
  privateKey: "privateKey",
  privateKeyPassword: "privateKeyPassword",
  proxy: "proxy",
  user: "user",
};

describe("ConnectionArgs", () => {
  it("must take what was written for @pulumi/command, field by field", () => {
    assert.deepEqual(ours, shared);
    assert.equal(alsoTheirs, inOurWords);
    for (const [theirName, ourName] of Object.entries(known)) assert.equal(theirName, ourName);
  });
});
