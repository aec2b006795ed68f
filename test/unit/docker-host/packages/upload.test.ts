import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unmarkChange } from "../../../../provider/docker-host/packages/change-mark";
import { CHANGE_MARK } from "../../../../provider/docker-host/packages/change-mark";
import { readPackageFiles } from "../../../../provider/docker-host/packages/package-file";
import type { PackageFamily } from "../../../../provider/docker-host/packages/package-family";
import { installUploaded } from "../../../../provider/docker-host/packages/upload";
import { UPLOAD_FOLDER } from "../../../../provider/docker-host/packages/upload-folder";
import { SlipwayError } from "../../../../provider/errors";
import type { CommandOptions, HostSession } from "../../../../provider/host/session";
import { silentLog } from "../../../../provider/log";
import { Fields } from "../../../../provider/values";

const ENGINE = "docker-ce_28.5.2-1_amd64.deb";
const { signal } = new AbortController();

describe("uploaded packages", () => {
  let folder: string;
  let installed: readonly string[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "upload-"));
    installed = [];
    writeFileSync(join(folder, ENGINE), "docker-ce 5:28.5.2-1 no\n");
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const onHost = (text: string): string => text.replaceAll("/var/lib/slipway", join(folder, "slipway"));

  /** A machine whose commands run here, in the folder of the test. */
  const machine = (): HostSession => {
    const spawn = (argv: readonly string[], input: string | Buffer) => {
      const [command = "", ...args] = argv.map(onHost);
      const { status, stdout, stderr } = spawnSync(command, args, { input, encoding: "utf8" });
      return { kind: "exited", code: status ?? 1, stdout, stderr } as const;
    };
    return {
      target: "root@h:22",
      redact: (text: string) => text,
      exec: async (argv: readonly string[], { stdin = "" }: CommandOptions = {}) => {
        const chunks: Buffer[] = [];
        for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Buffer));
        return spawn(argv, Buffer.concat(chunks));
      },
      run: (argv: readonly string[]) => Promise.resolve(spawn(argv, "").stdout),
      script: (text: string, args: readonly string[] = []) =>
        Promise.resolve(spawn(["/bin/sh", "-c", text, "sh", ...args], "")),
    } as unknown as HostSession;
  };

  const upload = (install: () => void = () => undefined, sha256?: string): Promise<void> => {
    const own = createHash("sha256")
      .update(readFileSync(join(folder, ENGINE)))
      .digest("hex");
    const file = { path: join(folder, ENGINE), sha256: sha256 ?? own };
    const files = readPackageFiles(new Fields({ files: [file] }));
    assert.ok(files !== undefined);
    const uploads: Partial<PackageFamily["uploads"]> = {
      parts: ["docker-ce"],
      describe: 'for file; do cat -- "$file" || exit; done',
      install: async (_session, { paths }) => {
        installed = paths;
        await Promise.resolve();
        install();
      },
    };
    const around = { session: machine(), family: { uploads } as PackageFamily, log: silentLog };
    return installUploaded({ files, remove: [], allowDowngrade: false }, around, { signal });
  };

  it("must lie below a folder that is root's alone", async () => {
    await upload(() => {
      assert.deepEqual(
        installed.map((path) => existsSync(onHost(path))),
        [true],
      );
    });
    assert.ok(installed[0]?.startsWith(`${onHost(UPLOAD_FOLDER)}/`), installed[0]);
    assert.equal(spawnSync("stat", ["-c", "%a", onHost(UPLOAD_FOLDER)]).stdout.toString(), "700\n");
  });

  it("must stay for a package manager that goes on when nobody hears it, in that run and the next", async () => {
    const lost = (): never => {
      throw new SlipwayError({ code: "connection-lost", what: "installing", why: "it broke" });
    };
    await assert.rejects(upload(lost), { code: "connection-lost" });
    const [before] = installed;
    await upload(() => {
      assert.ok(before !== undefined && existsSync(onHost(before)), "taken away under it");
    });
    assert.notEqual(installed[0], before);
  });

  it("must go with the mark of the change, whoever sent them", async () => {
    await upload();
    writeFileSync(onHost(CHANGE_MARK), "me\n");
    await unmarkChange(machine(), signal);
    assert.ok(!existsSync(onHost("/var/lib/slipway")));
  });

  it("must be refused with another checksum, and as another package than their names say", async () => {
    await assert.rejects(upload(undefined, "0".repeat(64)), {
      code: "engine-install-failed",
      message: /docker-ce\.deb came there with another checksum/,
    });
    writeFileSync(join(folder, ENGINE), "docker-ce 5:26.1.5-1 no\n");
    await assert.rejects(upload(), {
      code: "engine-install-failed",
      message: /it holds docker-ce 5:26\.1\.5-1/,
    });
    assert.deepEqual(installed, []);
  });
});
