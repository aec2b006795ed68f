import assert from "node:assert/strict";
import type Docker from "dockerode";
import { LABEL } from "../../../provider/container/labels";
import { silentLog } from "../../../provider/log";
import { CONTEXT_HASH_LABEL, earlierRefs, removeNames } from "../../../provider/remote-image/images";

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

describe("earlierRefs", () => {
  /** Of images with these moments of tagging, made within one second; undefined where the engine tells no such moment. */
  const order = (...tagged: readonly (string | undefined)[]): Promise<readonly string[]> => {
    const ref = (at: number): string => `web:${String(at).padStart(12, "0")}`;
    const moments = new Map(tagged.map((moment, at) => [ref(at), moment ?? "0001-01-01T00:00:00Z"]));
    const docker = {
      listImages: () =>
        Promise.resolve([...moments.keys()].map((name) => ({ Created: 1_700_000_000, RepoTags: [name] }))),
      getImage: (name: string) => ({
        inspect: () =>
          Promise.resolve({
            Created: `2023-11-14T22:13:20.${name.slice(-1)}Z`,
            Metadata: { LastTagTime: moments.get(name) },
          }),
      }),
    };
    const of = { name: "web", resource: "urn:web", stack: "shop/dev", current: "web:f00000000000" };
    return earlierRefs(docker as unknown as Docker, of);
  };

  it("must give the one that was wanted last first, of several that were built within a second", async () => {
    const refs = ["web:000000000001", "web:000000000002", "web:000000000000"];
    const [first, second, third] = ["10:00:00.1Z", "10:00:00.8Z", "10:00:00.3Z"].map(
      (at) => `2023-11-15T${at}`,
    );
    assert.deepEqual(await order(first, second, third), refs);
  });

  it("must go by when they were made where the engine does not tell that", async () => {
    const refs = ["web:000000000002", "web:000000000001", "web:000000000000"];
    assert.deepEqual(await order(undefined, undefined, undefined), refs);
  });
});
