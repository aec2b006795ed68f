import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { closeConnections } from "../../provider/host/pool";
import { checkedImage, type GitStage, gitStage, refusedImage } from "../support/git-check";
import type { GitRepository, GitSite } from "../support/git-site";
import { TemporaryFolder } from "../support/temporary-folder";

describe("a repository that is private, or means no good", () => {
  let stage: GitStage;
  let site: GitSite;
  let app: GitRepository;
  let first: string;
  beforeEach(async () => {
    stage = await gitStage();
    ({ site, app, first } = stage);
  });
  afterEach(() => stage.end());

  it("must read a private repository with its token, tell 401, 403 and 404 apart, and leave the token nowhere", async () => {
    const context = `${site.https}/app.git`;
    site.wantLogin("x-access-token", "s3cret-token");
    await refusedImage({ context }, /^context: .*401.*Give gitAuth/);
    site.answer((_, response) => (response.writeHead(203).end("<html>"), true));
    await refusedImage({ context }, /^context: .*203.*Give gitAuth/);
    site.wantLogin("x-access-token", "s3cret-token");
    const { commit } = await checkedImage({ context, gitAuth: { token: "s3cret-token" } });
    assert.equal(commit, first);
    const wrong = { token: "wr0ng-token" };
    const said = [await refusedImage({ context, gitAuth: wrong }, /401.*does not take the token/)];
    site.wantLogin("x-access-token", "s3cret-token", 403);
    said.push(await refusedImage({ context, gitAuth: wrong }, /403.*may not read it/));
    site.wantLogin("x-access-token", "s3cret-token", 404);
    said.push(await refusedImage({ context, gitAuth: wrong }, /404.*may not see it/));
    site.wantLogin("deploy", "s3cret-token");
    await checkedImage({ context, gitAuth: { username: "deploy", token: "s3cret-token" } });
    const secrets = [wrong.token, "s3cret-token"].flatMap((each) => [
      each,
      Buffer.from(each).toString("base64"),
    ]);
    for (const text of [...said, ...textsBelow(site.cache)]) {
      for (const each of secrets) assert.equal(text.includes(each.replace(/=+$/, "")), false);
    }
  });

  it("must follow a repository that has moved, and take its token to no other server", async () => {
    const port = new URL(site.https).port;
    const to = (place: string): void =>
      site.answer(({ url = "" }, response) => {
        if (!url.startsWith("/old")) return false;
        response.writeHead(301, { Location: `${place}${url.slice(4)}` }).end();
        return true;
      });
    to("/app.git");
    assert.equal((await checkedImage({ context: `${site.https}/old` })).commit, first);
    to(`https://localhost:${port}/app.git`);
    site.requests.length = 0;
    await checkedImage({ context: `${site.https}/old`, gitAuth: { token: "s3cret-token" } });
    const shown = site.requests.filter(({ authorization }) => authorization !== undefined);
    assert.ok(shown.length > 0 && shown.every(({ url }) => url.startsWith("/old")));
    to("http://127.0.0.1:1/app.git");
    await refusedImage({ context: `${site.https}/old` }, /no repository's/);
  });

  it("must ask of a web page whether it is the right URL", async () => {
    site.answer((_, response) => (response.end("<!doctype html>"), true));
    await refusedImage({ context: `${site.https}/app.git` }, /is it a repository's URL\?/);
  });

  it("must refuse names that lead out of a repository, and links that would show a file of this machine", async () => {
    const blob = app.object("blob", Buffer.from("x"));
    const commitOf = (...entries: readonly (readonly [string, string, string])[]): string => {
      const parts = entries.map(([mode, name, id]) =>
        Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, "hex")]),
      );
      const tree = app.object("tree", Buffer.concat(parts));
      const who = "a <a@example.test> 0 +0000";
      return app.object("commit", Buffer.from(`tree ${tree}\nauthor ${who}\ncommitter ${who}\n\nx\n`));
    };
    const context = `${site.https}/app.git#bad`;
    for (const name of ["..", ".git", ".GIT", "a/b", "git~1"]) {
      const bad = commitOf(["100644", name, blob]);
      app.run("--git-dir", app.bare, "update-ref", "refs/heads/bad", bad);
      await refusedImage({ context }, /^context: .*no repository may have/);
    }
    const linked = commitOf(["120000", "same", blob], ["40000", "same", app.object("tree", Buffer.alloc(0))]);
    app.run("--git-dir", app.bare, "update-ref", "refs/heads/bad", linked);
    await refusedImage({ context }, /same cannot be written/);

    const secret = new TemporaryFolder().file("secret", "FROM scratch\n");
    try {
      app.commit({ links: { stolen: path.join(secret.path, "secret"), "x/.dockerignore": "/etc/hosts" } });
      const url = `${site.https}/app.git`;
      await refusedImage({ context: url, dockerfile: "stolen" }, /^dockerfile: stolen leads out/);
      await refusedImage({ context: `${url}#:stolen` }, /^context: stolen leads out/);
      await refusedImage({ context: `${url}#:x`, dockerfile: "../Dockerfile" }, /.dockerignore leads out/);
      await refusedImage({ context: url, dockerfile: "../../seal" }, /leads out/);
    } finally {
      secret.remove();
    }
  });

  it("must go over ssh by the rules of every host: its key is known, or nothing is read", async () => {
    const context = `${site.ssh}/app.git#main`;
    const { hostKey, privateKey } = site.sshAuth;
    const before = await checkedImage({ context, gitAuth: { hostKey, privateKey } });
    const other = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    await refusedImage({ context, gitAuth: { hostKey: other, privateKey } }, /^context: /, /host key|shows/i);
    await refusedImage({ context: `${site.ssh}/nowhere.git`, gitAuth: { hostKey, privateKey } }, /nowhere/);
    closeConnections();
    const second = app.commit({ files: { "app/index.js": "two\n" } });
    const after = await checkedImage({ context, gitAuth: { hostKey, privateKey } }, before);
    assert.equal(after.commit, second);
  });

  it("must refuse a credential in the URL without repeating it, and one that is for nothing", async () => {
    const address = site.https.slice("https://".length);
    for (const user of ["me:s3cret", "s3cret"]) {
      const said = await refusedImage(
        { context: `https://${user}@${address}/app.git` },
        /^context: .*gitAuth/,
      );
      assert.equal(said.includes("s3cret"), false);
    }
    await refusedImage(
      { context: `${site.https}/app.git`, gitAuth: { privateKeyPath: "~/key" } },
      /^gitAuth: .*ssh/,
    );
    await refusedImage({ context: `${site.ssh}/app.git`, gitAuth: { token: "token" } }, /^gitAuth: .*https/);
    mkdirSync(site.cache);
    await refusedImage(
      { context: site.cache, dockerfileInline: "FROM x", gitAuth: { token: "t" } },
      /^gitAuth: /,
    );
    assert.equal(site.requests.length, 0);
  });
});

function textsBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), "latin1"));
}
