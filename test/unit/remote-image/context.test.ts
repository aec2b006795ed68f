import assert from "node:assert/strict";
import { chmodSync, mkdirSync, renameSync, utimesSync } from "node:fs";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import { extract } from "tar-stream";
import { openContext } from "../../../provider/remote-image/context";
import { contextHash } from "../../../provider/remote-image/context-hash";
import { INLINE_DOCKERFILE, contextTar } from "../../../provider/remote-image/context-tar";
import { TemporaryFolder } from "../../support/temporary-folder";

describe("build context", () => {
  let folder: TemporaryFolder;
  beforeEach(() => {
    folder = new TemporaryFolder()
      .file("Dockerfile", "FROM scratch\n")
      .file("app/run", "#!/bin/sh\n", 0o755)
      .file("app/page", "v1")
      .link("latest", "app/page");
  });
  afterEach(() => folder.remove());

  const open = (dockerfile: string | undefined = "Dockerfile") =>
    openContext({ folder: folder.path, dockerfile });
  const paths = async (): Promise<readonly string[]> => (await open()).entries.map((entry) => entry.path);
  const hash = async (): Promise<string> => contextHash(await open());

  it("must list all, sorted, links not followed", async () => {
    assert.deepEqual(await paths(), ["Dockerfile", "app", "app/page", "app/run", "latest"]);
    assert.equal((await open()).bytes, 13 + 10 + 2);
  });

  it("must always hold the Dockerfile and .dockerignore", async () => {
    folder.file(".dockerignore", "*\n");
    assert.deepEqual(await paths(), [".dockerignore", "Dockerfile"]);
  });

  it("must take back in what an exception names below an ignored folder", async () => {
    folder.file(".dockerignore", "app\n!app/run\n");
    assert.deepEqual(await paths(), [".dockerignore", "Dockerfile", "app/run", "latest"]);
  });

  it("must prefer the Dockerfile's own ignore file", async () => {
    folder.file(".dockerignore", "latest").file("Dockerfile.dockerignore", "app");
    assert.deepEqual(await paths(), [".dockerignore", "Dockerfile", "Dockerfile.dockerignore", "latest"]);
  });

  it("must name the folder or the file that is missing", async () => {
    const nowhere = path.join(folder.path, "nowhere");
    await assert.rejects(openContext({ folder: nowhere, dockerfile: "Dockerfile" }), {
      code: "context-missing",
      message: `reading the build context: there is no folder ${nowhere}.`,
    });
    await assert.rejects(open("app"), {
      code: "dockerfile-missing",
      message: `reading the build context: there is no file app in ${folder.path}.`,
    });
  });

  it("must have the hash that it always had", async () => {
    assert.equal(await hash(), "13f165738c519bf8372ac8e000431dd2d6a9e2eb6444902134654dff78d67cbe");
  });

  it("must have the same hash at another time, in another place, with other group rights", async () => {
    const before = await hash();
    utimesSync(path.join(folder.path, "app/page"), 1, 1);
    chmodSync(path.join(folder.path, "app/page"), 0o664);
    const moved = `${folder.path}-moved`;
    renameSync(folder.path, moved);
    assert.equal(await contextHash(await openContext({ folder: moved, dockerfile: "Dockerfile" })), before);
    renameSync(moved, folder.path);
  });

  const changes: readonly (readonly [string, () => void])[] = [
    ["content", () => folder.file("app/page", "v2")],
    ["an executable bit", () => folder.file("app/page", "v1", 0o755)],
    ["a name", () => renameSync(path.join(folder.path, "app/page"), path.join(folder.path, "app/pag"))],
    ["a link", () => folder.link("other", "app/run")],
    ["an empty folder", () => mkdirSync(path.join(folder.path, "empty"))],
  ];
  for (const [what, change] of changes) {
    it(`must have another hash with another ${what}`, async () => {
      const before = await hash();
      change();
      assert.notEqual(await hash(), before);
    });
  }

  it("must become a tar that is the same every time", async () => {
    const context = await open();
    const options = { expectedHash: await contextHash(context), dockerfileInline: "FROM other\n" };
    const tar = await buffer(contextTar(context, options));
    assert.deepEqual(await buffer(contextTar(context, options)), tar);
    const listing: string[] = [];
    const entries = extract();
    Readable.from([tar]).pipe(entries);
    for await (const entry of entries) {
      const { name, mode, type, size, mtime, uid, linkname } = entry.header;
      listing.push([name, mode.toString(8), type, size, mtime.getTime(), uid, linkname || "-"].join(" "));
      entry.resume();
    }
    assert.deepEqual(listing, [
      `${INLINE_DOCKERFILE} 644 file 11 0 0 -`,
      "Dockerfile 644 file 13 0 0 -",
      "app 755 directory 0 0 0 -",
      "app/page 644 file 2 0 0 -",
      "app/run 755 file 10 0 0 -",
      "latest 777 symlink 0 0 0 app/page",
    ]);
  });

  it("must not be sent when it changed since it was checked", async () => {
    const context = await open();
    const expectedHash = await contextHash(context);
    folder.file("app/page", "v2");
    await assert.rejects(buffer(contextTar(context, { expectedHash })), { code: "image-build-failed" });
    folder.file("app/page", "longer than before");
    await assert.rejects(buffer(contextTar(context, { expectedHash })), { code: "image-build-failed" });
    folder.file("app/page", "");
    await assert.rejects(buffer(contextTar(context, { expectedHash })), { code: "image-build-failed" });
  });
});
