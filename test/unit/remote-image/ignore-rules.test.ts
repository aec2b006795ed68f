import assert from "node:assert/strict";
import { parseIgnoreRules } from "../../../provider/remote-image/ignore-rules";

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

  it("must say whether ignored folders have to be looked into", () => {
    assert.equal(parseIgnoreRules("a\n !b").hasExceptions, true);
    assert.equal(parseIgnoreRules("a\n# !b").hasExceptions, false);
  });

  it("must refuse a pattern that is none", () => {
    assert.throws(() => parseIgnoreRules("[a"), SyntaxError);
  });
});
