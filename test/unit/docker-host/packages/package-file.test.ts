import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dockerHostHandler } from "../../../../provider/docker-host/handler";
import { formatStep } from "../../../../provider/docker-host/plan/operation";
import { parsePackageName } from "../../../../provider/docker-host/packages/package-file";
import { familyOf } from "../../../../provider/docker-host/packages/families";
import { planInstall } from "../../../../provider/docker-host/plan/install";
import { planSource } from "../../../../provider/docker-host/plan/source";
import { offersOf } from "../../../../provider/docker-host/packages/package-file";
import { wishOf } from "../../../../provider/docker-host/wish/wish";
import { UNKNOWN } from "../../../../provider/values";
import { desiredEngine, observedEngine } from "../../../support/observed-engine";
import { labContext } from "../../../support/lab-context";

const SUM = "0".repeat(64);
const ENGINE = "docker-ce_28.5.2-1~debian.13~trixie_amd64.deb";
const CONTAINERD = "containerd.io_1.7.28-1~debian.13~trixie_amd64.deb";
const connection = { host: "192.0.2.1", user: "deploy" };

describe("parsePackageName", () => {
  it("must read package, version and architecture from the names that package managers give", () => {
    const table: Readonly<Record<string, readonly string[]>> = {
      [`/x/${ENGINE}`]: ["docker-ce", "28.5.2-1~debian.13~trixie", "amd64"],
      "docker-ce_5%3a28.5.2-1%7edebian.12_arm64.deb": ["docker-ce", "28.5.2-1~debian.12", "arm64"],
      "libdevmapper1.02.1_1.02.185-2_amd64.deb": ["libdevmapper1.02.1", "1.02.185-2", "amd64"],
      "C:\\p\\docker.io_26.1.5+dfsg1-9_amd64.deb": ["docker.io", "26.1.5+dfsg1-9", "amd64"],
      "docker-ce-28.5.2-1.el9.x86_64.rpm": ["docker-ce", "28.5.2-1.el9", "x86_64"],
      "docker-buildx-plugin-0.29.1-1.el9.aarch64.rpm": ["docker-buildx-plugin", "0.29.1-1.el9", "aarch64"],
      "docker-cli-compose-2.40.3-r1.apk": ["docker-cli-compose", "2.40.3-r1", ""],
      "docker-engine-28.3.3-r2.apk": ["docker-engine", "28.3.3-r2", ""],
    };
    for (const [path, expected] of Object.entries(table)) {
      const found = parsePackageName(path);
      assert.deepEqual([found?.name, found?.version, found?.architecture], expected, path);
    }
    for (const path of ["docker.deb", "docker-ce.rpm", "docker-ce_1_amd64.zip", "docker-engine.apk"]) {
      assert.equal(parsePackageName(path), undefined, path);
    }
  });
});

describe("a source of files", () => {
  const failuresOf = async (source: unknown, dockerVersion = "28.x"): Promise<readonly string[]> => {
    const context = labContext();
    const { failures } = await dockerHostHandler.check(
      { old: 1 },
      { connection, dockerVersion, source },
      context,
    );
    return failures.map(({ property, reason }) => `${property} ${reason}`);
  };
  const files = (...paths: readonly string[]) => ({ files: paths.map((path) => ({ path, sha256: SUM })) });

  it("must name by its field what cannot be", async () => {
    const table: readonly (readonly [source: unknown, refusal: RegExp])[] = [
      [files("x/docker.zip"), /^source\.files\[0\]\.path must be a \.deb, \.rpm or \.apk$/],
      [files("x/docker.deb"), /^source\.files\[0\]\.path must be named as .*NAME_VERSION_ARCHITECTURE\.deb$/],
      [
        files(ENGINE, "runc-1.2-1.el9.x86_64.rpm"),
        /^source\.files\[1\]\.path is a \.rpm, and the first one a \.deb$/,
      ],
      [files(ENGINE, `other/${ENGINE}`), /^source\.files\[1\]\.path is a second docker-ce$/],
      [files(CONTAINERD), /^source\.files needs the engine's package: docker-ce or /],
      [files(), /^source\.files needs the engine's package$/],
      [
        { ...files(ENGINE), url: "https://mirror.example/" },
        /^source\.files cannot be given together with url$/,
      ],
      [{ ...files(ENGINE), suite: "trixie" }, /^source\.suite is not a known argument$/],
      [
        { files: [{ path: ENGINE, sha256: "12" }] },
        /^source\.files\[0\]\.sha256 must have 64 hexadecimal digits$/,
      ],
      [{ files: [{ path: ENGINE }] }, /^source\.files\[0\]\.sha256 is required$/],
    ];
    for (const [source, refusal] of table) {
      const [first, ...others] = await failuresOf(source);
      assert.match(first ?? "", refusal);
      assert.deepEqual(others, []);
    }
    assert.deepEqual(await failuresOf(files(ENGINE), "26.x"), [
      "source.files docker-ce is 28.5.2 there, and 26.x is wanted",
    ]);
  });

  it("must refuse a file that is not there, and one that is another than its checksum says", async () => {
    const folder = mkdtempSync(join(tmpdir(), "packages-"));
    try {
      const path = join(folder, ENGINE);
      assert.deepEqual(await failuresOf(files(path)), [
        `source.files[0].path cannot be read: there is no file ${path}`,
      ]);
      writeFileSync(path, "engine");
      const sha256 = createHash("sha256").update("engine").digest("hex");
      assert.deepEqual(await failuresOf(files(path)), [
        `source.files[0].sha256 is not that of the file, which has ${sha256}`,
      ]);
      assert.deepEqual(await failuresOf({ files: [{ path, sha256: sha256.toUpperCase() }] }), []);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("must wait for what is not known yet", async () => {
    assert.deepEqual(await failuresOf({ files: [{ path: ENGINE, sha256: UNKNOWN }] }), []);
    assert.deepEqual(await failuresOf({ files: UNKNOWN }), []);
  });

  const source = () => {
    const paths = [CONTAINERD, ENGINE, "libdevmapper1.02.1_1.02.185-2_amd64.deb"];
    const { wish } = wishOf({ connection, dockerVersion: "28.x", source: files(...paths) });
    assert.ok(wish?.source.kind === "files");
    return wish.source;
  };

  it("must be for machines of its kind and architecture", () => {
    const { facts } = observedEngine();
    assert.equal(familyOf("h", facts, source()).kind, "apt");
    assert.throws(() => familyOf("h", { ...facts, architecture: "aarch64" }, source()), {
      code: "host-unsupported",
      message: /docker-ce is made for amd64, it is aarch64/,
    });
    const rocky = { ...facts, os: { ...facts.os, id: "rocky", idLike: ["rhel"], versionId: "9" } };
    assert.throws(() => familyOf("h", rocky, source()), { message: /which has no \.deb/ });
  });

  const planned = (installed: Readonly<Record<string, string>>) => {
    const given = source();
    const { facts } = observedEngine();
    const names = familyOf("h", facts, given).names(given, facts);
    const desired = { ...desiredEngine("28.x", { source: given }), names, dependencies: [] };
    return {
      desired,
      install: planInstall(desired, observedEngine({}, { installed }), offersOf(given.files)),
    };
  };

  it("must be planned with the exact packages, and without a look at any list", () => {
    const { desired, install } = planned({});
    assert.equal(
      install === undefined ? "" : formatStep(install),
      "install docker-ce=28.5.2-1~debian.13~trixie containerd.io=1.7.28-1~debian.13~trixie libdevmapper1.02.1=1.02.185-2 from uploaded files",
    );
    assert.deepEqual(desired.names, ["docker-ce", "containerd.io"]);
    assert.deepEqual(planSource(desired, observedEngine()), []);
  });

  it("must not be sent where it is installed already, whatever the epoch, nor lower what fits", () => {
    const there = {
      "docker-ce": "5:28.5.1-1~debian.13~trixie",
      "containerd.io": "1.7.28-1~debian.13~trixie",
    };
    const sent = (installed: Readonly<Record<string, string>>) =>
      planned({ ...installed }).install?.files?.map(({ name }) => name);
    assert.deepEqual(sent({ ...there, "docker-ce": "5:27.0.1-1" }), ["docker-ce", "libdevmapper1.02.1"]);
    assert.deepEqual(sent({ ...there, "docker-ce": "5:27.0.1-1", "containerd.io": "1.7.29-1" }), [
      "docker-ce",
      "libdevmapper1.02.1",
    ]);
  });
});
