import assert from "node:assert/strict";
import { baseOf } from "../../../provider/remote-image/build-failure";
import { mustHaveRoom, parseDf } from "../../../provider/remote-image/engine-room";

describe("baseOf", () => {
  for (const [step, base] of [
    ["[internal] load metadata for docker.io/library/node:20", "docker.io/library/node:20"],
    [
      "[build 1/4] FROM r.example:5000/team/base:1@sha256:" + "a".repeat(64),
      "r.example:5000/team/base@sha256:" + "a".repeat(64),
    ],
    [
      "resolve image config for docker-image://docker.io/docker/dockerfile:1",
      "docker.io/docker/dockerfile:1",
    ],
    ["Step 1/4 : FROM r.example/base AS build", "r.example/base:latest"],
    ["Step 1/4 : FROM --platform=linux/arm64 base:2", "base:2"],
    ["Step 1/4 : FROM scratch", undefined],
    ["Step 1/4 : FROM $BASE", undefined],
    ["[2/3] RUN echo FROM x", undefined],
    ["[internal] load build definition from Dockerfile", undefined],
    [undefined, undefined],
  ] as const) {
    it(`must take from ${JSON.stringify(step)} ${String(base)}`, () => assert.equal(baseOf(step), base));
  }
});

describe("parseDf", () => {
  const TABLE = "Filesystem     1024-blocks  Used Available Capacity Mounted on\n";

  it("must read free and whole, with blanks in the names", () => {
    const text = `${TABLE}/dev/mapper/a b  78201  71234  2345  97% /var/lib/my docker\n`;
    assert.deepEqual(parseDf(text), { freeBytes: 2345 * 1024, ofBytes: 78201 * 1024 });
    assert.equal(parseDf(`${TABLE}overlay - - - - /\n`), undefined);
  });
});

describe("mustHaveRoom", () => {
  it("must refuse what has no room, in numbers, and nothing else", () => {
    const room = { folder: "/var/lib/docker", freeBytes: 12_000_000, ofBytes: 80_000_000 };
    assert.throws(() => mustHaveRoom(room, 20_000_000, "web:1", "root@h:22"), {
      message:
        "building web:1 on root@h:22: there is not enough space: the context has 20.0 MB, and 12.0 MB of 80.0 MB are free in /var/lib/docker. Nothing was touched. Make room there (docker system df shows what Docker holds), or send less (.dockerignore).",
    });
    mustHaveRoom(room, 12_000_000, "web:1", "root@h:22");
  });
});
