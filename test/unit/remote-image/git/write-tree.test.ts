import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { CheckoutLimits, writeTree } from "../../../../provider/remote-image/git/write-tree";
import { TemporaryFolder } from "../../../support/temporary-folder";

describe("the files of a commit", () => {
  it("must leave others their turn between large ones, and end when nobody waits for them any more", async () => {
    const folder = new TemporaryFolder();
    const names = ["a", "b", "c"];
    const entries = names.map((name) =>
      Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.alloc(20, 1)]),
    );
    const large = Buffer.alloc(5 << 20);
    const pack = {
      read: (_: string, kind: string): Buffer => (kind === "tree" ? Buffer.concat(entries) : large),
    };
    const nobody = new AbortController();
    setImmediate(() => nobody.abort(new Error("nobody waits")));
    const options = {
      repository: "https://h/a",
      limits: new CheckoutLimits(),
      signal: nobody.signal,
    };
    await assert.rejects(writeTree(pack, "1".repeat(40), folder.path, options), /nobody waits/);
    assert.equal(existsSync(path.join(folder.path, "c")), false);
    folder.remove();
  });
});
