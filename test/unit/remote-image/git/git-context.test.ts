import assert from "node:assert/strict";
import {
  contextText,
  isRemoteContext,
  parseGitContext,
} from "../../../../provider/remote-image/git/git-context";
import {
  isSamePlace,
  parseRemote,
  remoteText,
  submoduleRemote,
} from "../../../../provider/remote-image/git/git-remote";
import { uploadPackLine } from "../../../../provider/remote-image/git/ssh-talk";

describe("the URL of a context in git", () => {
  const parsed = (text: string) => {
    const git = parseGitContext(text);
    assert.ok(!("refused" in git), text);
    return git;
  };
  const why = (text: string): string => {
    const git = parseGitContext(text);
    assert.ok("refused" in git, text);
    return git.refused;
  };
  const remote = (text: string) => {
    const found = parseRemote(text);
    assert.ok(found.kind !== "refused", text);
    return found;
  };

  it("must be read in each of its forms, with ref and folder", () => {
    assert.deepEqual(parsed("https://h.example:8443/org/repo.git#v1:a/b/"), {
      remote: { kind: "https", host: "h.example", port: 8443, path: "/org/repo.git" },
      ref: "v1",
      folder: "a/b",
    });
    const ssh = { kind: "ssh", user: "git", host: "h.example", port: undefined };
    assert.deepEqual(parsed("git@h.example:org/repo.git#feature/x"), {
      remote: { ...ssh, path: "org/repo.git" },
      ref: "feature/x",
      folder: "",
    });
    assert.deepEqual(parsed("ssh://me@h.example:2222/srv/repo.git#:web"), {
      remote: { ...ssh, user: "me", port: 2222, path: "/srv/repo.git" },
      ref: undefined,
      folder: "web",
    });
    assert.deepEqual(parsed("ssh://h.example/~me/repo").remote, { ...ssh, path: "~me/repo" });
    assert.deepEqual(parsed("ssh://[::1]:22/r").remote, { ...ssh, host: "::1", port: 22, path: "/r" });
  });

  it("must be told from a local folder", () => {
    const urls = ["https://h/r", "http://h/r", "git@h:r", "me@h:r", "github.com/o/r", "git://h/r"];
    for (const each of urls) assert.ok(isRemoteContext(each), each);
    for (const each of [".", "./git@h:r", "/a@b", "C:\\app", "C:/app", "app", "@scope/app", "https"]) {
      assert.ok(!isRemoteContext(each), each);
    }
  });

  it("must say what is wrong with it, and never repeat a password", () => {
    assert.match(why("http://h.example/r"), /only https and ssh/);
    assert.match(why("git://h.example/r"), /only https and ssh/);
    assert.match(why("github.com/o/r"), /https:\/\//);
    assert.match(why("https://h.example/r?ref=x"), /behind a "#"/);
    assert.match(why("https://h.example/"), /no repository/);
    assert.match(why("https://h.example/r#a..b"), /ref that can be none/);
    assert.match(why("https://h.example/r#-x"), /ref that can be none/);
    for (const folder of ["../x", "a/../../x", "/etc", "a\\b"]) {
      assert.match(why(`https://h.example/r#main:${folder}`), /outside the repository/);
    }
    assert.match(why("git@h.example:-upload"), /names/);
    for (const text of ["https://me:s3cret@h/r", "https://s3cret@h/r", "ssh://git:s3cret@h/r"]) {
      assert.match(why(text), /gitAuth/);
      assert.ok(!why(text).includes("s3cret"));
    }
  });

  it("must be written as it can be read again", () => {
    const texts = [
      "https://h.example/org/repo.git#main:app",
      "https://h.example:8443/r",
      "git@h.example:org/repo.git#v1",
      "ssh://git@h.example:2222/srv/r.git#:app",
      "ssh://git@[::1]:2222/r",
    ];
    for (const each of texts) assert.equal(contextText(parsed(each)), each);
  });

  it("must go to a shell as git itself would put it", () => {
    assert.equal(uploadPackLine("org/repo.git"), "git-upload-pack 'org/repo.git'");
    assert.equal(uploadPackLine("it's $(x)!"), String.raw`git-upload-pack 'it'\''s $(x)'\!''`);
  });

  it("must lead from a repository to its submodules as git follows them", () => {
    const to = (url: string, parent: string): string => {
      const found = submoduleRemote(url, remote(parent));
      return found.kind === "refused" ? `refused: ${found.why}` : remoteText(found);
    };
    assert.equal(to("../lib.git", "https://h/org/app.git"), "https://h/org/lib.git");
    assert.equal(to("../../other/lib", "https://h/org/app.git/"), "https://h/other/lib");
    assert.equal(to("./lib", "https://h/org/app"), "https://h/org/app/lib");
    assert.equal(to("../lib.git", "git@h:org/app.git"), "git@h:org/lib.git");
    assert.equal(to("../lib.git", "git@h:app.git"), "git@h:lib.git");
    assert.equal(to("../lib.git", "ssh://git@h:22/srv/app.git"), "ssh://git@h:22/srv/lib.git");
    assert.equal(to("https://other/lib", "git@h:org/app.git"), "https://other/lib");
    assert.match(to("../../../x", "https://h/org/app"), /above its server's root/);
    assert.match(to("/etc/passwd", "https://h/org/app"), /refused/);
    assert.match(to("ext::sh -c x", "https://h/org/app"), /refused/);
    assert.match(to("https://me:s3cret@h/x", "https://h/org/app"), /refused/);
  });

  it("must be at one place with another only where scheme, host and port are the same", () => {
    const same = (a: string, b: string): boolean => isSamePlace(remote(a), remote(b));
    assert.ok(same("https://H.example/a", "https://h.example:443/b"));
    assert.ok(same("git@h:a", "ssh://me@h:22/b"));
    assert.ok(!same("https://h/a", "https://h:8443/a"));
    assert.ok(!same("https://h/a", "https://h.evil/a"));
    assert.ok(!same("https://h/a", "git@h:a"));
  });
});
