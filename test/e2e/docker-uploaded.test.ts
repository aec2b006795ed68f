import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { dockerHostHandler as handler } from "../../provider/docker-host/handler";
import { isSlipwayError } from "../../provider/errors";
import { type HandlerContext, PartialFailure, type Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { docker } from "../lab/docker";
import { dockerRepositoryImage } from "../lab/docker-repository";
import { type LabHost, startLabHost } from "../lab/lab-host";
import { labContext } from "../support/lab-context";

/** Which docker-ce needs: Debian 12 has one of its own, and the file is of Debian 13. */
const NEEDED = "libdevmapper1.02.1";
const PARTS = ["docker-ce", "docker-ce-cli", "containerd.io"];

describe("DockerHost from uploaded packages", function () {
  this.timeout(180_000);
  const lines: string[] = [];
  const context: HandlerContext = labContext((line) => void lines.push(line));
  let host: LabHost;
  let folder: string;
  let outputs: Properties;
  const needed = (): Promise<string> => host.must(["dpkg-query", "-W", NEEDED]);
  let neededBefore = "";

  before(async function () {
    this.timeout(600_000);
    const image = await dockerRepositoryImage();
    folder = mkdtempSync(path.join(tmpdir(), "packages-"));
    const container = await docker(["create", image]);
    await docker(["cp", `${container}:/srv/pool/.`, folder]);
    await docker(["rm", container]);
    host = await startLabHost({ suite: "bookworm" });
    // from now on no package source can be reached
    const cut = "rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*";
    await host.must(["sh", "-ec", cut]);
    neededBefore = await needed();
  });
  after(async () => {
    closeConnections();
    await host.remove();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => void lines.splice(0));

  /** The files of these packages; those of the engine at its oldest version, which runs on Debian 12. */
  const files = (names: readonly string[]): readonly Properties[] =>
    names.map((name) => {
      const [file = ""] = readdirSync(folder)
        .filter((each) => each.startsWith(`${name}_`))
        .sort(oldestFirst);
      const found = path.join(folder, file);
      return { path: found, sha256: createHash("sha256").update(readFileSync(found)).digest("hex") };
    });
  const inputs = (list: readonly Properties[]): Properties => {
    return { connection: host.connection("deploy"), dockerVersion: "20.10.x", source: { files: list } };
  };
  const create = (list: readonly Properties[]): Promise<Properties> =>
    handler.create(inputs(list), context).then((created) => created.outputs);
  const dockerOnHost = async (): Promise<string> => {
    const found = await host.exec([
      "sh",
      "-c",
      "which dockerd containerd; ls -A /var/lib/slipway; apt-mark showhold",
    ]);
    return found.stdout;
  };
  const refusal = async (list: readonly Properties[]): Promise<string> => {
    try {
      await create(list);
    } catch (error) {
      const cause = error instanceof PartialFailure ? error.cause : error;
      assert.ok(isSlipwayError(cause, "engine-install-failed"), String(error));
      return cause.message;
    }
    return assert.fail("it was not refused");
  };

  it("must name what is missing, and install nothing then", async () => {
    const list = files(["docker-ce", "docker-ce-cli", NEEDED]);
    assert.match(await refusal(list), /No package was changed.*Depends: containerd\.io/s);
    assert.equal(await dockerOnHost(), "");
  });

  it("must install nothing that came there as another file", async () => {
    const [engine, ...others] = files([...PARTS, NEEDED]);
    const changed = [{ ...engine, sha256: "0".repeat(64) }, ...others];
    assert.match(await refusal(changed), /docker-ce\.deb came there with another checksum/);
    assert.equal(await dockerOnHost(), "");
  });

  it("must show the exact packages beforehand, and touch nothing", async () => {
    const { failures } = await handler.check({}, inputs(files([...PARTS, NEEDED])), context);
    assert.deepEqual(failures, []);
    assert.match(
      lines.join("\n"),
      /install docker-ce=20\.10\.\S+ docker-ce-cli=20\.10\.\S+ containerd\.io=1\.6\.\S+ libdevmapper1\.02\.1=\S+ from uploaded files/,
    );
  });

  it("must install them in one step, running and held", async () => {
    outputs = await create(files([...PARTS, NEEDED]));
    assert.match(String(outputs.version), /^20\.10\./);
    assert.deepEqual(outputs.drift, []);
    assert.deepEqual(Object.keys(outputs.packages as Properties).sort(), [...PARTS].sort());
    const running = await host.must(["docker", "version", "--format", "{{.Server.Version}}"]);
    assert.equal(running.split("+")[0], outputs.version);
    assert.deepEqual((await host.must(["apt-mark", "showhold"])).split("\n").sort(), [...PARTS].sort());
    assert.equal((await host.exec(["ls", "-A", "/var/lib/slipway"])).stdout, "");
    assert.equal(await needed(), neededBefore);
  });

  it("must change nothing the second time, and need no file to look", async () => {
    const list = files([...PARTS, NEEDED]);
    assert.deepEqual(await handler.update("id", outputs, inputs(list), context), outputs);
    assert.deepEqual(lines, []);
    const gone = {
      ...outputs,
      source: { files: list.map((file) => ({ ...file, path: `/gone/${path.basename(String(file.path))}` })) },
    };
    assert.deepEqual((await handler.read("id", gone, context))?.outputs.drift, []);
  });

  it("must put back a part that somebody took away, and send that alone", async () => {
    await host.must([
      "sh",
      "-c",
      "apt-mark unhold docker-ce-cli && dpkg --force-depends --remove docker-ce-cli",
    ]);
    const seen = await handler.read("id", outputs, context);
    assert.match(String(seen?.outputs.drift), /^install .*docker-ce-cli/);
    outputs = await handler.update("id", seen?.outputs ?? {}, inputs(files([...PARTS, NEEDED])), context);
    assert.deepEqual(outputs.drift, []);
    const sent = lines.filter((line) => line.startsWith("uploading")).map((line) => line.split(" ")[1]);
    assert.deepEqual(sent, ["docker-ce-cli", NEEDED]);
  });
});

/** By the numbers in them. */
function oldestFirst(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
