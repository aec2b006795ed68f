import assert from "node:assert/strict";
import { parseGitModules } from "../../../../provider/remote-image/git/git-modules";

describe(".gitmodules", () => {
  it("must be read as git reads it: quotes, comments, spaces, letters of any size", () => {
    const text = [
      "# a comment",
      '[submodule "one"]',
      "\tpath = vendor/one/",
      "\turl = ../one.git ; where it is",
      '[Submodule "two \\"x\\""] # more',
      '  PATH = "with space#"',
      "  URL=https://h/\\",
      "two.git",
      "  update = none",
      "[core]",
      "\turl = not-this",
      '[submodule "without-path"]',
      "\turl = x",
    ].join("\n");
    assert.deepEqual(
      [...parseGitModules(text)],
      [
        ["vendor/one", { url: "../one.git", isLeftOut: false }],
        ["with space#", { url: "https://h/two.git", isLeftOut: true }],
      ],
    );
  });

  it("must be empty where there is nothing of git's in it", () => {
    assert.equal(parseGitModules("").size, 0);
    assert.equal(parseGitModules("hello\n= 1\n[submodule]\n").size, 0);
  });
});
