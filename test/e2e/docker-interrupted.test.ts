import assert from "node:assert/strict";
import { dockerHostHandler as handler } from "../../provider/docker-host/handler";
import type { Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { holdPackageLock } from "../lab/package-lock";
import { type DockerRepository, startDockerRepository } from "../lab/docker-repository";
import { until } from "../lab/until";
import { CONSENT, type DockerSite, PACKAGES, startDockerSite } from "../support/docker-site";
import { startDockerStack } from "../support/docker-stack";

const HELD_MS = 20_000;

/** dpkg tells this what it does: all of it is killed, once, when it says this. */
const killerAt = (status: string): string => `cat >/root/killer <<'END'
#!/bin/sh
while read -r line; do
  case $line in ${status})
    rm -f /etc/dpkg/dpkg.cfg.d/killer; pkill -9 -x apt-get; pkill -9 -x dpkg ;;
  esac
done
END
chmod 755 /root/killer; echo status-logger=/root/killer >/etc/dpkg/dpkg.cfg.d/killer`;

/** Somebody unpacks a package and goes home. */
const HALF_DONE = `mkdir -p /root/notes/DEBIAN && cd /root
printf 'Package: lab-notes\\nVersion: 1\\nArchitecture: all\\nMaintainer: Lab <lab@localhost>\\nDescription: notes\\n' >notes/DEBIAN/control
dpkg-deb -b notes notes.deb && dpkg --unpack notes.deb`;

/** Somebody installs one that needs another one, which is not there. */
const needing = (name: string): string => `mkdir -p /root/needy/DEBIAN && cd /root
printf 'Package: lab-needy\\nVersion: 1\\nArchitecture: all\\nDepends: ${name}\\nMaintainer: Lab <lab@localhost>\\nDescription: needs\\n' >needy/DEBIAN/control
dpkg-deb -b needy needy.deb && ! dpkg -i needy.deb`;

/** A source of its own that has one. */
const OFFER_NEEDED = `mkdir -p /root/offer/lab-needed/DEBIAN && cd /root/offer
printf 'Package: lab-needed\\nVersion: 1\\nArchitecture: all\\nMaintainer: Lab <lab@localhost>\\nDescription: needed\\n' >lab-needed/DEBIAN/control
dpkg-deb -b lab-needed lab-needed.deb
{
  cat lab-needed/DEBIAN/control
  printf 'Filename: ./lab-needed.deb\\nSize: %s\\n' "$(stat -c %s lab-needed.deb)"
  echo "SHA256: $(sha256sum lab-needed.deb | cut -d ' ' -f 1)"
} >Packages
echo 'deb [trusted=yes] file:/root/offer ./' >/etc/apt/sources.list.d/offer.list
apt-get -q update`;

describe("DockerHost beside others, and cut off", function () {
  this.timeout(180_000);
  let repository: DockerRepository;
  let site: DockerSite;
  let old: string;
  let middle: string;
  let recent: string;

  before(async () => {
    repository = await startDockerRepository();
    [old, middle, recent] = repository.engines;
    site = await startDockerSite(repository);
  });
  after(async () => {
    closeConnections();
    await site.host.remove();
    await repository.remove();
  });

  const up = (dockerVersion: string, more?: Properties): Promise<Properties> =>
    site.up(site.inputs(dockerVersion, more));
  const audit = (): Promise<string> => site.host.must(["dpkg", "--audit"]);

  it("must wait for the package manager's lock, and a second stack for the first, each saying for whom", async () => {
    const lock = await holdPackageLock(site.host, "/var/lib/dpkg/lock-frontend", "unattended-upgr");
    const since = performance.now();
    const inputs = site.inputs(old);
    const first = startDockerStack({ inputs, holder: "shop/prod of ann on desk" });
    assert.match(
      await first.said("waiting for"),
      /: waiting for unattended-upgr \(process \d+\), which holds the package manager's lock$/,
    );
    const second = startDockerStack({ inputs, holder: "shop/test of bob on lap" });
    assert.match(
      await second.said("waiting for"),
      /^waiting for shop\/prod of ann on desk, who changes Docker on /,
    );
    await until("the lock to be old", () => performance.now() - since > HELD_MS, HELD_MS + 5_000);
    await lock.release();
    const [ann, bob] = await Promise.all([first.ended, second.ended]);
    assert.deepEqual([ann.code, bob.code], [0, 0], ann.output + bob.output);
    assert.match(ann.output, /^installing docker-ce /m);
    assert.doesNotMatch(bob.output, /^installing docker-ce /m);
    assert.equal(await site.starts(), 1);
    assert.equal((await up(old)).version, old);
    assert.equal(await site.running(), old);
  });

  it("must wait for dpkg's lock before it holds what is not held any more", async () => {
    await site.host.must(["apt-mark", "unhold", "docker-ce"]);
    await site.refresh();
    const lock = await holdPackageLock(site.host, "/var/lib/dpkg/lock-frontend", "unattended-upgr");
    let released: Promise<void> | undefined;
    const context = site.context("e2e", (line) => {
      if (line.includes("waiting for unattended-upgr")) released ??= lock.release();
    });
    await site.up(site.inputs(old), context);
    await released;
    assert.ok(released !== undefined, "nobody was waited for");
    assert.deepEqual(await site.held(), PACKAGES);
  });

  it("must go on from where apt and dpkg were killed, and restart the daemon once", async () => {
    await site.host.must(["sh", "-c", killerAt('"status: docker-ce-cli"*": unpacked"*')]);
    await assert.rejects(up(middle, CONSENT), /exit code 137/);
    assert.match(await audit(), /docker-ce-cli/);
    assert.equal(site.outputs().version, old);
    const outputs = await up(middle, CONSENT);
    assert.deepEqual([outputs.version, outputs.drift], [middle, []]);
    assert.equal(await site.running(), middle);
    assert.equal(await audit(), "");
    assert.deepEqual(await site.held(), PACKAGES);
    assert.equal(await site.starts(), 1);
  });

  it("must name what somebody else left half done, and finish it only when told to", async () => {
    await site.host.must(["sh", "-c", HALF_DONE]);
    await assert.rejects(
      up(recent, CONSENT),
      /installation of packages was cut off and has to be finished first.*Set allowPackageRepair: true/s,
    );
    assert.match(await audit(), /lab-notes/);
    assert.equal(await site.running(), middle);
    assert.equal((await up(middle)).version, middle, "what needs no package is not held up");
    await up(recent, { ...CONSENT, allowPackageRepair: true });
    assert.equal(await audit(), "");
    assert.equal(await site.running(), recent);
  });

  it("must bring in what a package needs that came without it, and take nothing off that nobody offers the needs of", async () => {
    const repair = { ...CONSENT, allowPackageRepair: true };
    await site.host.must(["sh", "-c", needing("nowhere-to-be-had")]);
    await assert.rejects(
      up(middle, repair),
      /what lab-needy needs is not there, and apt would remove it\. Nothing was removed/,
    );
    assert.match(await audit(), /lab-needy/);
    await site.host.must(["sh", "-ec", OFFER_NEEDED]);
    await site.host.must(["sh", "-c", needing("lab-needed")]);
    await up(middle, repair);
    assert.equal(await audit(), "");
    assert.match(await site.host.must(["dpkg-query", "-W", "lab-needy"]), /lab-needy/);
  });

  it("must go on from where its client was killed, beside what still installs", async () => {
    await site.starts();
    const stack = startDockerStack({
      inputs: site.inputs(recent, CONSENT),
      olds: site.outputs(),
      holder: "shop/prod of ann on desk",
    });
    await stack.said("Unpacking docker-ce");
    stack.kill();
    const outputs = await up(recent, CONSENT);
    assert.deepEqual([outputs.version, outputs.drift], [recent, []]);
    assert.equal(await site.running(), recent);
    assert.equal(await audit(), "");
    assert.deepEqual(await site.held(), PACKAGES);
    assert.equal(await site.starts(), 1);
  });

  it("must let apt come to its end when the run is interrupted in the midst of it, and go on from there", async () => {
    await site.starts();
    const interrupt = new AbortController();
    const context = site.context("e2e", (line) => {
      if (line.includes("Unpacking docker-ce")) interrupt.abort(new Error("interrupted"));
    });
    await assert.rejects(
      site.up(site.inputs(middle, CONSENT), { ...context, signal: interrupt.signal }),
      /interrupted/,
    );
    closeConnections(); // as its process ends
    await until("apt's end", async () => (await site.host.exec(["pgrep", "-x", "apt-get|dpkg"])).code === 1);
    assert.equal(await audit(), "");
    const outputs = await up(middle, CONSENT);
    assert.deepEqual([outputs.version, outputs.drift], [middle, []]);
    assert.equal(await site.running(), middle);
    assert.deepEqual(await site.held(), PACKAGES);
    assert.equal(await site.starts(), 1);
  });

  it("must come to a destroy's end when its client is killed, and with it apt and dpkg in the midst of a removal", async () => {
    const left = async (): Promise<string> => {
      const status = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n", ...PACKAGES];
      const files =
        "ls -d /var/lib/slipway /var/lib/docker/volumes/kept; command -v dockerd; pgrep -x dockerd";
      const seen = [await site.host.exec(status), await site.host.exec(["sh", "-c", files])];
      return seen.map(({ stdout }) => stdout).join("");
    };
    await site.host.must(["docker", "volume", "create", "kept"]);
    await site.host.must(["sh", "-c", killerAt('"status: docker-ce"*": half-"*')]);
    const olds = { ...site.outputs(), uninstallOnDelete: true };
    const stack = startDockerStack({
      inputs: olds,
      olds,
      holder: "shop/prod of ann on desk",
      destroys: true,
    });
    await stack.said("Removing docker-ce (");
    stack.kill();
    await stack.ended;
    await until("apt's end", async () => (await site.host.exec(["pgrep", "-x", "apt-get|dpkg"])).code === 1);
    assert.match(await left(), /docker-ce half-|docker-ce-cli half-/);
    assert.match(await left(), /^\/var\/lib\/slipway$/m);
    await handler.delete("id", olds, site.context());
    assert.doesNotMatch(await left(), / installed| half|slipway|dockerd/);
    assert.match(await left(), /volumes\/kept/);
    assert.deepEqual([await audit(), await site.ours(), await site.held()], ["", "", []]);
    await handler.delete("id", olds, site.context());
  });
});
