import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import type { Properties } from "../../provider/handler";
import { APP, checkedImage, checkImage, type GitStage, gitStage, refusedImage } from "../support/git-check";
import type { GitRepository, GitSite } from "../support/git-site";
import { TemporaryFolder } from "../support/temporary-folder";

describe("a context in git", () => {
  let stage: GitStage;
  let site: GitSite;
  let app: GitRepository;
  let first: string;
  /** Files that were fetched since the last call. */
  const fetches = (): number => {
    const count = site.requests.filter(({ method }) => method === "POST").length;
    site.requests.length = 0;
    return count;
  };
  const stop = (): void => site.answer((request) => (request.destroy(), true));

  beforeEach(async () => {
    stage = await gitStage();
    ({ site, app, first } = stage);
  });
  afterEach(() => stage.end());

  it("must be the very context that a local folder with the same files is, over https and ssh", async () => {
    const folder = new TemporaryFolder();
    try {
      for (const [name, text] of Object.entries(APP.files)) folder.file(name, text);
      folder.file("run", "#!/bin/sh\n", 0o755).link("latest", "app/index.js");
      const local = await checkedImage({ context: folder.path });
      const https = await checkedImage({ context: `${site.https}/app.git` });
      const ssh = await checkedImage({ context: `${site.ssh}/app.git`, gitAuth: site.sshAuth });
      for (const each of [https, ssh]) {
        assert.equal(each.contextHash, local.contextHash);
        assert.equal(each.contextBytes, local.contextBytes);
        assert.equal(each.ref, local.ref);
        assert.equal(each.commit, first);
      }
      assert.equal("commit" in local, false);
      assert.deepEqual([...new Set(site.lines)], ["git-upload-pack '/app.git'"]);
    } finally {
      folder.remove();
    }
  });

  it("must resolve branches, tags, whole names, commit ids and HEAD, each to its commit", async () => {
    app.run("tag", "-a", "v1", "-m", "the first");
    const second = app.commit({ files: { "app/index.js": "two\n" } });
    app.run("tag", "light");
    app.run("checkout", "--quiet", "-b", "feature/x");
    const third = app.commit({ files: { "app/index.js": "three\n" } });
    app.run("push", "--quiet", "origin", "--tags");
    const led: readonly (readonly [string, string])[] = [
      ["", second],
      ["#main", second],
      ["#light", second],
      ["#v1", first],
      ["#refs/tags/v1", first],
      ["#tags/v1", first],
      ["#feature/x", third],
      [`#${third}`, third],
    ];
    const contents = new Map<string, unknown>();
    for (const [fragment, commit] of led) {
      const { commit: found, contextHash } = await checkedImage({
        context: `${site.https}/app.git${fragment}`,
      });
      assert.equal(found, commit, fragment);
      assert.equal(contents.get(commit) ?? contextHash, contextHash);
      contents.set(commit, contextHash);
    }
    assert.equal(new Set(contents.values()).size, 3);
    await refusedImage(
      { context: `${site.https}/app.git#nowhere` },
      /^context: /,
      /no branch or tag nowhere/,
    );
    await refusedImage({ context: `${site.https}/app.git#${third.slice(0, 8)}` }, /all 40 digits/);
    await refusedImage({ context: `${site.https}/app.git#${"1".repeat(40)}` }, /^context: /);
  });

  it("must build the folder that is named, and say which one is not there", async () => {
    app.commit({ files: { "service/Dockerfile": "FROM scratch\n", "other.txt": "1" } });
    const context = `${site.https}/app.git#main:service`;
    const before = await checkedImage({ context });
    app.commit({ files: { "other.txt": "2" } });
    const after = await checkedImage({ context }, before);
    assert.notEqual(after.commit, before.commit);
    assert.equal(after.ref, before.ref);
    await refusedImage(
      { context: `${site.https}/app.git#main:nowhere` },
      /^context: there is no folder nowhere in https/,
    );
    await refusedImage(
      { context: `${site.https}/app.git#main:app` },
      /^dockerfile: there is no file Dockerfile/,
    );
    await checkedImage({ context: `${site.https}/app.git#main:app`, dockerfile: "../Dockerfile" });
  });

  it("must be no change while the ref stays, and another ref when it moved", async () => {
    const context = `${site.https}/app.git#main`;
    const before = await checkedImage({ context });
    assert.equal(fetches(), 1);
    assert.deepEqual(await checkedImage({ context }, before), before);
    rmSync(site.cache, { recursive: true });
    assert.deepEqual(await checkedImage({ context }, before), before);
    assert.equal(fetches(), 0, "what is known of a commit was fetched again");
    const second = app.commit({ files: { "app/index.js": "two\n" } });
    const after = await checkedImage({ context }, before);
    assert.equal(after.commit, second);
    assert.notEqual(after.ref, before.ref);
  });

  it("must keep the last commit and say so while the server does not answer, and fail at a first run", async () => {
    const context = `${site.https}/app.git#main`;
    const before = await checkedImage({ context });
    const answers = [stop, () => site.answer((_, response) => (response.writeHead(503).end(), true))];
    for (const answer of answers) {
      answer();
      const { inputs, warnings } = await checkImage({ context }, before);
      assert.deepEqual(inputs, before);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? "", new RegExp(`stays at commit ${first}`));
      const other = await checkImage({ context: `${site.https}/app.git#v2` }, before);
      assert.match(other.failures.join("\n"), /^context: reading https:.*/, "the commit of another ref");
    }
    await refusedImage({ context }, /^context: reading https:.*503/);
    site.answer((_, response) => (response.writeHead(404).end(), true));
    const gone = await checkImage({ context }, before);
    assert.match(gone.failures.join("\n"), /404/, "a server that answers is heard");
  });

  it("must put submodules in their places, and show a token to no other server", async () => {
    const inner = site.repository("inner").commit({ files: { deep: "deep\n" } });
    const lib = site.repository("lib").commit({
      files: { "lib.js": "lib\n", ".gitmodules": '[submodule "i"]\n\tpath = in\n\turl = ../inner.git\n' },
      submodules: { in: inner },
    });
    const port = new URL(site.https).port;
    const modules = (url: string): string =>
      `[submodule "l"]\n path = vendor/lib\n url = ${url}\n[submodule "n"]\n path = none\n url = ../x\n update = none\n`;
    const submodules = { "vendor/lib": lib, none: "2".repeat(40) };
    const context = `${site.https}/app.git`;
    app.commit({ files: { ".gitmodules": modules("../lib.git") }, submodules });
    const relative = await checkedImage({ context });
    const found = folderOf(site, relative);
    assert.equal(readFileSync(path.join(found, "vendor/lib/in/deep"), "utf8"), "deep\n");
    assert.deepEqual(readdirSync(path.join(found, "none")), []);

    site.wantLogin("x-access-token", "s3cret-token", 401, "/app.git");
    app.commit({ files: { ".gitmodules": modules(`https://localhost:${port}/lib.git`) }, submodules });
    site.requests.length = 0;
    await checkedImage({ context, gitAuth: { token: "s3cret-token" } });
    const shown = site.requests.filter(({ authorization }) => authorization !== undefined);
    assert.deepEqual([...new Set(shown.map(({ url }) => url.split("/")[1]))], ["app.git"]);
    app.commit({ files: { ".gitmodules": modules("file:///etc") }, submodules });
    await refusedImage(
      { context, gitAuth: { token: "s3cret-token" } },
      /submodule vendor\/lib is a file URL/,
    );
    app.commit({ files: { ".gitmodules": "" }, submodules });
    await refusedImage({ context, gitAuth: { token: "s3cret-token" } }, /no URL for the submodule/);
  });

  it("must get a commit that no ref leads to, from a server that gives it alone and from one that does not", async () => {
    app.commit({ files: { "app/index.js": "two\n" } });
    const context = `${site.https}/app.git#${first}`;
    const whole = await checkedImage({ context });
    assert.equal(whole.commit, first);
    rmSync(site.cache, { recursive: true });
    app.run("--git-dir", app.bare, "config", "uploadpack.allowReachableSHA1InWant", "true");
    assert.equal((await checkedImage({ context })).contextHash, whole.contextHash);
  });

  it("must begin again when the files break off, and know when they are not whole on this machine", async () => {
    const context = `${site.https}/app.git`;
    let cuts = 0;
    site.answer(({ method }, response) => {
      if (method !== "POST" || cuts > 0) return false;
      cuts += 1;
      response.writeHead(200).write("0008NAK\n000d\x01PACK\0\0\0\x02");
      setImmediate(() => response.destroy());
      return true;
    });
    const before = await checkedImage({ context });
    assert.equal(cuts, 1);
    const folder = folderOf(site, before);
    rmSync(path.join(folder, "run"));
    assert.equal((await checkedImage({ context })).contextHash, before.contextHash);
    assert.equal(statSync(path.join(folderOf(site, before), "run")).mode & 0o777, 0o755);
    assert.deepEqual(
      readdirSync(path.join(site.cache, "slipway", "git")).filter((name) => name.includes(".")),
      [],
      "left behind",
    );
  });
});

/** The files that this machine keeps of a checked context. */
function folderOf(site: GitSite, { commit }: Properties): string {
  const cache = path.join(site.cache, "slipway", "git");
  const [latest = ""] = readdirSync(cache)
    .map((name) => path.join(cache, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  assert.equal(typeof commit, "string");
  return path.join(latest, "tree");
}
