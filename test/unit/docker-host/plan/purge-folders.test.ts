import assert from "node:assert/strict";
import { purgeFolders } from "../../../../provider/docker-host/plan/purge-folders";

const USUAL = ["/var/lib/docker", "/var/lib/containerd"];

describe("purgeFolders", () => {
  it("must take the usual folders whole", () => {
    assert.deepEqual(purgeFolders(undefined), USUAL);
    assert.deepEqual(purgeFolders("/var/lib/docker"), USUAL);
  });

  it("must take of a root directory that somebody chose what Docker made there, and nothing beside it", () => {
    const folders = purgeFolders("/mnt/disk");
    assert.deepEqual(folders.slice(0, 2), USUAL);
    assert.ok(folders.includes("/mnt/disk/volumes") && folders.includes("/mnt/disk/overlay2"));
    assert.ok(folders.slice(2).every((folder) => /^\/mnt\/disk\/[a-z0-9-]+$/.test(folder)));
  });

  it("must leave a root directory that may hold anything, or is not plainly named", () => {
    for (const root of ["/data", "/", "", "relative/path", "/mnt/../etc", "/mnt/a b"]) {
      assert.deepEqual(purgeFolders(root), USUAL, root);
    }
  });
});
