import assert from "node:assert/strict";
import {
  type IgnoreVerdict,
  parseIgnoreRules,
  readPatterns,
} from "../../../provider/remote-image/ignore-rules";
import { MOBY_BAD_PATTERNS, MOBY_CASES } from "./moby-cases";

const TABLE: readonly (readonly [rules: string, path: string, ignored: boolean])[] = [
  ["", "a", false],
  ["# a\n", "a", false],
  ["# a\n", "# a", false],
  ["node_modules", "node_modules", true],
  ["node_modules", "node_modules/x/y", true],
  ["node_modules", "sub/node_modules", false],
  ["**/node_modules", "sub/deep/node_modules/x", true],
  ["**/node_modules", "node_modules", true],
  ["*.log", "a.log", true],
  ["*.log", "sub/a.log", false],
  ["**/*.log", "sub/deep/a.log", true],
  ["/a", "a", true],
  ["./a/", "a/b", true],
  ["a?c", "abc", true],
  ["a?c", "a/c", false],
  ["[ab].txt", "b.txt", true],
  ["[^ab].txt", "b.txt", false],
  ["*\n!keep", "keep", false],
  ["*\n!keep", "other", true],
  ["docs\n!docs/keep", "docs/keep", false],
  ["docs\n!docs/keep", "docs/other", true],
  ["!a\na", "a", true],
  ["A", "a", false],
  ["a+b", "a+b", true],
  ["a+b", "aab", false],
  ["(x)|{y}", "(x)|{y}", true],
  ["\uFEFFa", "a", true],
  ["a\r\nb\r\n", "b", true],
  ["  a  ", "a", true],
];

describe("parseIgnoreRules", () => {
  for (const [rules, path, ignored] of TABLE) {
    it(`must ${ignored ? "leave out" : "let in"} ${path} under ${JSON.stringify(rules)}`, () => {
      assert.equal(parseIgnoreRules(rules).ignores(path), ignored);
    });
  }

  it("must say whether an ignored folder has to be looked into", () => {
    const looks = (rules: string, folder: string): boolean => parseIgnoreRules(rules).mayKeepBelow(folder);
    assert.equal(looks("a", "a"), false);
    assert.equal(looks("a\n# !a/b", "a"), false);
    assert.equal(looks("a\n !a/b", "a"), true);
    assert.equal(looks("a\n!b", "a"), false);
    assert.equal(looks("*\n!a", "a/deep"), true);
    assert.equal(looks("*\n!**/keep", "node_modules"), true);
    assert.equal(looks("*\n!doc*/keep", "docs"), true);
    assert.equal(looks("*\n!doc*/keep", "src"), false);
  });

  it("must refuse a pattern that is none", () => {
    assert.throws(() => parseIgnoreRules("[a"), SyntaxError);
  });

  for (const [patterns, path, ignored] of MOBY_CASES) {
    const shown = `${JSON.stringify(path)} under ${JSON.stringify(patterns)}`;
    it(`must ${ignored ? "leave out" : "let in"} ${shown}, as moby does`, () => {
      const rules = parseIgnoreRules(patterns.join("\n"));
      assert.equal(rules.ignores(path), ignored);
      assert.equal(
        walkedTo(path, (each, folder) => rules.look(each, folder)),
        ignored,
      );
    });
  }

  for (const pattern of MOBY_BAD_PATTERNS) {
    it(`must refuse ${JSON.stringify(pattern)}, as moby does`, () => {
      assert.throws(() => parseIgnoreRules(pattern), SyntaxError);
    });
  }

  it("must read lines as moby's ignorefile does", () => {
    const text = "test1\n/test2\n/a/file/here\n\nlastfile\n# this is a comment\n! /inverted/abs/path\n!\n! ";
    const lines = ["test1", "test2", "a/file/here", "lastfile", "!inverted/abs/path", "!", "!"];
    assert.deepEqual(readPatterns(text), lines);
    assert.deepEqual(readPatterns(`\uFEFFa/./b/../c//\r\n  .  \n../x\n#\n #d\n`), ["a/c", ".", "../x", "#d"]);
  });
});

/** What is said of a path when its folders were asked for first, one after another. */
function walkedTo(
  path: string,
  look: (path: string, folder: IgnoreVerdict | undefined) => IgnoreVerdict,
): boolean {
  let folder: IgnoreVerdict | undefined;
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) {
    if (at > 0) folder = look(path.slice(0, at), folder);
  }
  return look(path, folder).ignored;
}
