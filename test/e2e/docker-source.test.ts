import assert from "node:assert/strict";
import { systemClock } from "../../provider/clock";
import { dockerHostHandler as handler } from "../../provider/docker-host/handler";
import { type HandlerContext, PartialFailure, type Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { type LabHost, startLabHost } from "../lab/lab-host";
import { type DockerRepository, serveDockerRepository } from "../support/docker-repository";

const PACKAGES = [
  "containerd.io",
  "docker-buildx-plugin",
  "docker-ce",
  "docker-ce-cli",
  "docker-compose-plugin",
];

// what apt-get does with its lists' lock, for three seconds
const HOLD_LISTS = `open(my $file, "+>>", "/var/lib/apt/lists/lock");
fcntl($file, F_SETLK, pack("s s l! l! i x![l!]", F_WRLCK, 0, 0, 0, 0)) or die; sleep 3;`;

describe("DockerHost from a package source of its own", function () {
  this.timeout(120_000);
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const context: HandlerContext = {
    urn: "",
    name: "host",
    log: { progress: write, keep: write, warn: write, debug: () => {} },
    clock: systemClock,
    random: Math.random,
    signal: new AbortController().signal,
    holder: "e2e",
    stack: "p/s",
  };
  let host: LabHost;
  let repository: DockerRepository;
  let outputs: Properties;

  before(async () => {
    host = await startLabHost({ suite: "trixie" });
    repository = await serveDockerRepository(host);
  });
  after(async () => {
    closeConnections();
    await host.remove();
  });

  const inputs = (dockerVersion: string, more: Properties = {}, source: Properties = {}): Properties => {
    const { url, keys, fingerprint } = repository;
    const own = { url, suite: "trixie", key: keys.right, keyFingerprint: fingerprint, ...source };
    return { connection: host.connection("deploy"), dockerVersion, source: own, ...more };
  };
  const update = async (news: Properties): Promise<Properties> =>
    (outputs = await handler.update("id", outputs, news, context));
  const running = async (): Promise<string> =>
    (await host.must(["docker", "version", "--format", "{{.Server.Version}}"])).split("+")[0] ?? "";
  const held = async (): Promise<readonly string[]> =>
    (await host.must(["apt-mark", "showhold"])).split("\n");
  const ours = (): Promise<string> => host.must(["find", "/etc/apt", "-name", "slipway-*"]);

  it("must trust nothing when the key is another one, or comes with another one", async () => {
    const { keys, fingerprint } = repository;
    const refusal = new RegExp(
      `(has the fingerprint .*, not ${fingerprint}|not a readable OpenPGP key).*Nothing was trusted`,
      "s",
    );
    for (const key of [keys.other, keys.both, keys.hidden]) {
      await assert.rejects(handler.create(inputs("26.x", {}, { key }), context), refusal);
    }
    assert.equal(await ours(), "");
    assert.equal((await host.exec(["which", "dockerd"])).code, 1);
  });

  it("must trust nothing when Docker's own key cannot be fetched", async () => {
    await host.must(["sh", "-c", "echo 127.0.0.1 download.docker.com >>/etc/hosts"]);
    const news = { ...inputs("26.x"), source: "docker" };
    await assert.rejects(
      handler.create(news, context),
      /https:\/\/download\.docker\.com\/linux\/debian\/gpg could not be read \(exit code 7\).*Nothing was trusted/s,
    );
    assert.equal(await ours(), "");
  });

  it("must leave apt as it was when the source cannot be read", async () => {
    const refusal =
      /reading the package source .*exit code 100.*The package source was taken off the host again/s;
    const key = await host.must(["cat", "/srv/repo/right.asc"]);
    for (const url of [`${repository.url}/nowhere`, "http://127.0.0.1:1/down"]) {
      await assert.rejects(handler.create(inputs("26.x", {}, { url, key }), context), refusal);
    }
    assert.equal(await ours(), "");
  });

  it("must wait while another apt-get reads the package lists", async () => {
    const unit = ["systemd-run", "--quiet", "--service-type=exec", "--unit", "lab-apt"];
    await host.must([...unit, "perl", "-MFcntl", "-e", HOLD_LISTS]);
    await assert.rejects(handler.create(inputs("28.0.0"), context), { code: "engine-version-unavailable" });
    assert.notEqual((await host.exec(["systemctl", "is-active", "lab-apt"])).stdout.trim(), "active");
  });

  it("must list what the source offers when the version is not among it", async () => {
    await assert.rejects(
      handler.create(inputs("28.0.0"), context),
      /no such version of docker-ce; it offers 27\.0\.1, 26\.1\.5, 26\.1\.4\. No engine runs there/,
    );
  });

  it("must install the highest version of a range, running and held", async () => {
    outputs = (await handler.create(inputs("26.x"), context)).outputs;
    assert.equal(outputs.version, "26.1.5");
    assert.equal(await running(), "26.1.5");
    assert.deepEqual(outputs.drift, []);
    assert.deepEqual(outputs.packages, {
      "containerd.io": "1.7.24-1",
      "docker-buildx-plugin": "0.14.1-1~debian.13~trixie",
      "docker-ce": "5:26.1.5-1~debian.13~trixie",
      "docker-ce-cli": "5:26.1.5-1~debian.13~trixie",
      "docker-compose-plugin": "2.27.1-1~debian.13~trixie",
    });
    assert.deepEqual(await held(), PACKAGES);
  });

  it("must change nothing the second time, nor when the version that runs is named", async () => {
    lines.length = 0;
    assert.deepEqual((await handler.create(inputs("26.x"), context)).outputs, outputs);
    await update(inputs("26.1.5"));
    await update(inputs("~26.1"));
    assert.deepEqual(lines, []);
    assert.equal((await handler.diff("id", outputs, inputs("~26.1"), context)).changes, undefined);
  });

  it("must refuse a downgrade that nobody allowed, and do an allowed one", async () => {
    const refusal = /26\.1\.5 to 26\.1\.4 .*Set allowDowngrade: true and allowDaemonRestart: true/s;
    await assert.rejects(handler.diff("id", outputs, inputs("26.1.4"), context), refusal);
    await assert.rejects(update(inputs("26.1.4")), refusal);
    assert.equal(await running(), "26.1.5");
    await update(inputs("26.1.4", { allowDowngrade: true, allowDaemonRestart: true }));
    assert.equal(outputs.version, "26.1.4");
    assert.equal(await running(), "26.1.4");
    assert.deepEqual(await held(), PACKAGES);
  });

  it("must fail when a package brings another daemon than it says, and get back from there", async () => {
    const consent = { allowDaemonRestart: true };
    await assert.rejects(update(inputs("27.0.1", consent)), (error) => {
      assert.ok(error instanceof PartialFailure);
      assert.match(error.message, /26\.1\.5 runs, 27\.0\.1 was to run/);
      outputs = error.outputs;
      return true;
    });
    assert.equal(outputs.version, "26.1.5");
    const refusal = /going from 27\.0\.1 to 26\.1\.5 is a downgrade/;
    await assert.rejects(update(inputs("26.1.5", consent)), refusal);
    await update(inputs("26.1.5", { ...consent, allowDowngrade: true }));
    assert.equal((outputs.packages as Properties)["docker-ce"], "5:26.1.5-1~debian.13~trixie");
    assert.deepEqual([outputs.version, outputs.drift], ["26.1.5", []]);
    assert.deepEqual(await held(), PACKAGES);
  });

  it("must take the packages and their source off again when asked to", async () => {
    await handler.delete("id", { ...outputs, uninstallOnDelete: true }, context);
    assert.equal(await ours(), "");
    assert.equal(await host.must(["apt-mark", "showhold"]), "");
    assert.equal((await host.exec(["which", "dockerd", "docker", "containerd"])).stdout, "");
  });
});
