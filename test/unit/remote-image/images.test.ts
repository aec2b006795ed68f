import assert from "node:assert/strict";
import type Docker from "dockerode";
import { LABEL } from "../../../provider/container/labels";
import { silentLog } from "../../../provider/log";
import { CONTEXT_HASH_LABEL, removeNames } from "../../../provider/remote-image/images";

const OWNER = { imageId: "sha256:1", resource: "urn:web", stack: "shop/dev" };

/** The names that were removed of one image with these labels. */
async function removed(
  labels: Readonly<Record<string, string>>,
  id = "sha256:1",
): Promise<readonly string[]> {
  const names: string[] = [];
  const docker = {
    getImage: (name: string) => ({
      inspect: () =>
        Promise.resolve({ Id: id, Config: { Labels: { [CONTEXT_HASH_LABEL]: "h", ...labels } } }),
      remove: () => Promise.resolve(void names.push(name)),
    }),
    listContainers: () => Promise.resolve([]),
  };
  await removeNames(docker as unknown as Docker, ["web:1"], OWNER, silentLog);
  return names;
}

describe("removeNames", () => {
  it("must remove what the state knows, of this stack, and what this resource built", async () => {
    const renamed = { [LABEL.stack]: "shop/dev", [LABEL.resource]: "urn:former-name" };
    assert.deepEqual(await removed(renamed), ["web:1"]);
    const own = { [LABEL.stack]: "shop/dev", [LABEL.resource]: "urn:web" };
    assert.deepEqual(await removed(own, "sha256:2"), ["web:1"]);
  });

  it("must leave another stack's image, whose build this one used", async () => {
    assert.deepEqual(await removed({ [LABEL.stack]: "shop/prod", [LABEL.resource]: "urn:prod-web" }), []);
  });

  it("must leave another resource's image", async () => {
    const other = { [LABEL.stack]: "shop/dev", [LABEL.resource]: "urn:api" };
    assert.deepEqual(await removed(other, "sha256:2"), []);
  });
});
