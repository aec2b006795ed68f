import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import { extract } from "tar-stream";
import { INLINE_DOCKERFILE, openContext } from "../../../provider/remote-image/context";
import { contextTar, tarPieces } from "../../../provider/remote-image/context-tar";
import { pieces, readContext } from "../../../provider/remote-image/read-context";
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
  const read = async (path = folder.path, dockerfile: string | undefined = "Dockerfile") =>
    readContext({ folder: path, dockerfile, wall: Date.now });
  const hash = async (path?: string): Promise<string> => (await read(path)).hash;
  const at = (name: string): string => path.join(folder.path, name);

  it("must list all, sorted, links not followed", async () => {
    assert.deepEqual(await paths(), ["Dockerfile", "app", "app/page", "app/run", "latest"]);
    assert.equal((await open()).bytes, 13 + 10 + 2);
  });

  it("must always hold the Dockerfile and .dockerignore", async () => {
    folder.file(".dockerignore", "*\n");
    assert.deepEqual(await paths(), [".dockerignore", "Dockerfile"]);
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

  it("must bring the folders along above what an exception takes back in, as BuildKit does", async () => {
    folder.file("app/deep/down/keep", "k").file(".dockerignore", "app\n!**/keep\n");
    assert.deepEqual(await paths(), [
      ".dockerignore",
      "Dockerfile",
      "app",
      "app/deep",
      "app/deep/down",
      "app/deep/down/keep",
      "latest",
    ]);
  });

  it("must hold the ignore file of its own that another Dockerfile has, and the file that a Dockerfile links to", async () => {
    folder.file("build/prod", "FROM scratch\n").file("build/prod.dockerignore", "*\n");
    assert.deepEqual(
      (await open("build/prod")).entries.map((entry) => entry.path),
      ["build/prod", "build/prod.dockerignore"],
    );
    rmSync(at("build/prod.dockerignore"));
    folder.file(".dockerignore", "build\n").link("Dockerfile.link", "build/prod");
    const listed = (await open("Dockerfile.link")).entries.map((entry) => entry.path);
    assert.ok(listed.includes("Dockerfile.link") && listed.includes("build/prod"), listed.join(" "));
  });

  it("must take a Dockerfile from outside by its content, wherever it lies", async () => {
    const elsewhere = new TemporaryFolder().file("prod", "FROM one\n");
    try {
      const outside = path.join(elsewhere.path, "prod");
      const first = await read(folder.path, outside);
      assert.equal(first.dockerfile, INLINE_DOCKERFILE);
      assert.deepEqual(first.entries[0]?.path, INLINE_DOCKERFILE);
      elsewhere.file("deep/other", "FROM one\n");
      assert.equal(
        (await read(folder.path, path.relative(folder.path, path.join(elsewhere.path, "deep/other")))).hash,
        first.hash,
      );
      elsewhere.file("prod", "FROM two\n");
      assert.notEqual((await read(folder.path, outside)).hash, first.hash);
      elsewhere.file("prod.dockerignore", "app\n");
      const listed = (await open(outside)).entries.map((entry) => entry.path);
      assert.ok(!listed.some((each) => each.startsWith("app")));
      assert.ok(listed.includes(`${INLINE_DOCKERFILE}.dockerignore`), "BuildKit reads the rules again");
    } finally {
      elsewhere.remove();
    }
  });

  it("must follow no link out of the folder", async () => {
    const elsewhere = new TemporaryFolder().file("secret", "s").file("Dockerfile", "FROM scratch\n");
    try {
      folder.link("out", elsewhere.path).link("Dockerfile.out", path.join(elsewhere.path, "Dockerfile"));
      const { entries } = await open();
      assert.deepEqual(
        entries.filter((entry) => entry.path.startsWith("out")),
        [{ kind: "link", path: "out", target: elsewhere.path }],
      );
      const before = await hash();
      elsewhere.file("secret", "changed");
      assert.equal(await hash(), before);
      for (const name of ["Dockerfile.out", "out/Dockerfile"]) {
        await assert.rejects(open(name), {
          code: "dockerfile-missing",
          message: /is a link that leads out of/,
        });
      }
    } finally {
      elsewhere.remove();
    }
  });

  it("must not run in circles with links", async () => {
    folder.link("app/loop", "..").link("self", "self");
    assert.deepEqual(await paths(), [
      "Dockerfile",
      "app",
      "app/loop",
      "app/page",
      "app/run",
      "latest",
      "self",
    ]);
  });

  it("must keep names of any letters, and empty folders", async () => {
    for (const name of ["grüße", "日本", "a\nb", "tab\there", "quote'\"", "-rf", " blank "])
      folder.file(name, "x");
    mkdirSync(at("empty"));
    const listed = await paths();
    for (const name of ["grüße", "日本", "a\nb", "tab\there", "quote'\"", "-rf", " blank ", "empty"]) {
      assert.ok(listed.includes(name), JSON.stringify(name));
    }
    await hash();
  });

  it("must refuse pipes, sockets and names that are no UTF-8 by their names, and leave ignored ones alone", async () => {
    execFileSync("mkfifo", [at("app/pipe\n")]);
    await assert.rejects(open(), {
      code: "invalid-input",
      message: /"app\/pipe\\n" is a named pipe, which no image can hold\. Leave it out by \.dockerignore/,
    });
    rmSync(at("app/pipe\n"));
    const server = createServer().listen(at("sock"));
    await new Promise((resolve) => server.once("listening", resolve));
    await assert.rejects(open(), { message: /sock is a socket/ });
    folder.file(".dockerignore", "sock\n");
    await open();
    folder.file(".dockerignore", "so*\n!**/x\n");
    await open();
    await new Promise((resolve) => server.close(resolve));
    writeFileSync(Buffer.concat([Buffer.from(at("app/")), Buffer.from([0x66, 0xff])]), "x");
    await assert.rejects(open(), { message: /has a name that is not UTF-8/ });
  });

  it("must name the file that changed, vanished or became a link while it was read", async () => {
    const page = async () => {
      const found = (await open()).entries.find((entry) => entry.path === "app/page");
      assert.ok(found?.kind === "file");
      return found;
    };
    const reads = (file: Awaited<ReturnType<typeof page>>) => () => [...pieces(file, Buffer.alloc(1))];
    const first = await page();
    folder.file("app/page", "v2");
    assert.throws(reads(first), { code: "context-changed", message: /app\/page changed while it was read/ });
    const second = await page();
    const half = pieces(second, Buffer.alloc(1));
    half.next();
    folder.file("app/page", "");
    assert.throws(() => [...half], { message: /app\/page shrank while it was read/ });
    const third = await page();
    rmSync(at("app/page"));
    assert.throws(reads(third), { message: /app\/page vanished while it was read/ });
    symlinkSync("/etc/passwd", at("app/page"));
    assert.throws(reads(third), { message: /app\/page became a link while it was read/ });
  });

  it("must have the hash that it always had", async () => {
    assert.equal(await hash(), "13f165738c519bf8372ac8e000431dd2d6a9e2eb6444902134654dff78d67cbe");
  });

  it("must have the same hash at another time, in another place, made in another order", async () => {
    const before = await hash();
    utimesSync(at("app/page"), 1, 1);
    const moved = `${folder.path}-moved`;
    renameSync(folder.path, moved);
    assert.equal(await hash(moved), before);
    rmSync(moved, { recursive: true });
    folder
      .file("app/page", "v1")
      .link("latest", "app/page")
      .file("app/run", "#!/bin/sh\n", 0o755)
      .file("Dockerfile", "FROM scratch\n");
    assert.equal(await hash(), before);
    folder.file(".dockerignore", "junk\n");
    const ignoring = await hash();
    folder.file("junk/x", "1");
    assert.equal(await hash(), ignoring, "an ignored file");
  });

  const changes: readonly (readonly [string, () => void])[] = [
    ["content", () => folder.file("app/page", "v2")],
    ["an executable bit", () => folder.file("app/page", "v1", 0o755)],
    ["a group right", () => chmodSync(path.join(folder.path, "app/page"), 0o664)],
    ["a folder's right", () => chmodSync(path.join(folder.path, "app"), 0o700)],
    [
      "a file where a link was",
      () => {
        rmSync(path.join(folder.path, "latest"));
        folder.file("latest", "app/page");
      },
    ],
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
    const long = `${"long".repeat(30)}/${"ü".repeat(80)}`;
    folder
      .file("app/secret", "k", 0o600)
      .file("app/nothing", "")
      .file(long, "x".repeat(1000))
      .file("a\nb", "y");
    const context = await read();
    const made = tarPieces(context, context.digests, "FROM other\n");
    const tar = await buffer(contextTar(made));
    assert.deepEqual(await buffer(contextTar(tarPieces(context, context.digests, "FROM other\n"))), tar);
    const listing: string[] = [];
    const entries = extract();
    Readable.from([tar]).pipe(entries);
    for await (const entry of entries) {
      const { name, mode, type, size, mtime, uid, linkname } = entry.header;
      listing.push([name, mode.toString(8), type, size, mtime.getTime(), uid, linkname || "-"].join(" "));
      entry.resume();
    }
    const [folderName = ""] = long.split("/");
    assert.equal(tar.toString("latin1", 156, 157), "5", "the docker command looks at the first header alone");
    assert.deepEqual(listing, [
      "./ 755 directory 0 0 0 -",
      `${INLINE_DOCKERFILE} 644 file 11 0 0 -`,
      "Dockerfile 644 file 13 0 0 -",
      "a\nb 644 file 1 0 0 -",
      "app/ 755 directory 0 0 0 -",
      "app/nothing 644 file 0 0 0 -",
      "app/page 644 file 2 0 0 -",
      "app/run 755 file 10 0 0 -",
      "app/secret 600 file 1 0 0 -",
      "latest 777 symlink 0 0 0 app/page",
      `${folderName}/ 755 directory 0 0 0 -`,
      `${long} 644 file 1000 0 0 -`,
    ]);
    const listed = execFileSync("tar", ["-tf", "-", "--quoting-style=literal"], {
      input: tar,
      env: { ...process.env, LC_ALL: "C.UTF-8" },
    }).toString();
    assert.ok(listed.includes(long) && listed.includes("a\nb"), listed);
  });

  it("must not be sent when it changed since it was read", async () => {
    const context = await read();
    for (const text of ["v2", "longer than before", ""]) {
      folder.file("app/page", text);
      await assert.rejects(buffer(contextTar(tarPieces(context, context.digests))), {
        code: "context-changed",
      });
    }
  });
});
