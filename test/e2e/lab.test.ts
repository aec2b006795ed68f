import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { hostname } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { askDocker, docker } from "../lab/docker";
import { type LabHost, startLabHost, type Suite } from "../lab/lab-host";
import { listContainers } from "../lab/lab-run";
import { startProbe } from "../lab/probe";
import { startRegistry } from "../lab/registry";
import { overSsh, presentedHostKey, type RemoteOutcome } from "../lab/ssh-client";
import { until } from "../lab/until";

const SUITES: readonly Suite[] = ["bookworm", "trixie"];
const LAB_RUN = path.resolve(__dirname, "../lab/lab-run.ts");

/** A page in the perl that every Debian has: one request, one answer, for as long as the unit runs. */
const PAGE = `
my $door = IO::Socket::INET->new(LocalPort => 8080, Listen => 64, ReuseAddr => 1) or die;
while (my $caller = $door->accept) {
  while (my $line = <$caller>) { last if $line =~ /^\\s*$/ }
  print $caller "HTTP/1.0 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nv1";
  close $caller;
}`;

function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}

describe("lab", () => {
  for (const suite of SUITES) {
    describe(`a ${suite} host`, () => {
      let host: LabHost;
      before(async () => (host = await startLabHost({ suite })));
      after(() => host.remove());

      it("must be up in seconds, a bare Debian without Docker", async () => {
        assert.ok(host.startedInMs < 30_000, `up after ${host.startedInMs} ms`);
        console.log(`        up after ${(host.startedInMs / 1000).toFixed(1)} s`);
        assert.match(await host.must(["cat", "/etc/os-release"]), new RegExp(`VERSION_CODENAME=${suite}`));
        assert.equal(await host.must(["cat", "/proc/1/comm"]), "systemd");
        assert.notEqual(
          (await host.exec(["sh", "-c", "command -v docker || command -v containerd"])).code,
          0,
        );
        assert.doesNotMatch(await host.must(["dpkg-query", "--list"]), /docker|containerd|runc/);
      });

      it("must be reached by the four users with the key, and by two with a password", async () => {
        for (const user of ["root", "deploy", "limited", "plain"] as const) {
          assert.deepEqual(await overSsh(host.connection(user), "id -un"), { code: 0, out: user });
        }
        for (const user of ["limited", "plain"] as const) {
          assert.deepEqual(await overSsh(host.connection(user, "password"), "id -un"), {
            code: 0,
            out: user,
          });
        }
        assert.throws(() => host.connection("deploy", "password"), /no password/);
      });

      it("must give deploy sudo, limited sudo with the password, and plain none", async () => {
        const sudo = "sudo -n id -un";
        assert.deepEqual(await overSsh(host.connection("deploy"), sudo), { code: 0, out: "root" });
        assert.match((await overSsh(host.connection("limited"), sudo)).out, /password is required/);
        assert.notEqual((await overSsh(host.connection("plain"), sudo)).code, 0);
        const asked = (user: "limited" | "plain"): Promise<RemoteOutcome> =>
          overSsh(host.connection(user), "sudo -S -p '' id -un", `${host.passwords[user]}\n`);
        assert.match((await asked("limited")).out, /\broot$/);
        assert.match((await asked("plain")).out, /not in the sudoers file/);
      });

      it("must present the host key that the library names", async () => {
        assert.equal(await presentedHostKey(host.connection()), host.hostKeyLine);
        assert.match(host.hostKeyFingerprint, /^SHA256:[A-Za-z0-9+/]{43}$/);
      });

      it("must count the logins since a mark", async () => {
        const mark = (await host.logins()).length;
        assert.deepEqual(await host.loginsSince(mark), []);
        await overSsh(host.connection("deploy"), "true");
        await overSsh(host.connection("limited", "password"), "true");
        assert.deepEqual(await host.loginsSince(mark), [
          { user: "deploy", method: "publickey" },
          { user: "limited", method: "password" },
        ]);
      });

      it("must be the same machine on the same ports after a reboot", async () => {
        const identity = await host.must(["cat", "/etc/machine-id"]);
        const logins = (await host.logins()).length;
        await host.stop();
        await host.start();
        assert.deepEqual(await overSsh(host.connection("deploy"), "cat /etc/machine-id"), {
          code: 0,
          out: identity,
        });
        assert.equal((await host.logins()).length, logins + 1, "the log survives");
      });

      it("must offer the distribution's Docker to apt", async () => {
        await host.must(["apt-get", "update", "-qq"]);
        const offered = await host.must(["apt-cache", "policy", "docker.io"]);
        assert.match(offered, suite === "bookworm" ? /Candidate: 20\.10\.24/ : /Candidate: 26\.1\.5/);
      });

      it("must let a probe see a page go and come back", async () => {
        const page = ["systemd-run", "--unit", "page", "--quiet", "perl", "-MIO::Socket::INET", "-e", PAGE];
        await host.must(page);
        await until("the page to answer", () => answers(host.url(8080)));
        const probe = startProbe(host.url(8080));
        const good = (): number => probe.report().versions.v1 ?? 0;
        await until("20 good answers", () => good() >= 20);
        assert.equal(probe.report().failed, 0);
        await host.must(["systemctl", "stop", "page"]);
        await until("20 failures", () => probe.report().failed >= 20);
        const before = good();
        await host.must(page);
        await until("20 more good answers", () => good() >= before + 20);
        const report = await probe.stop();
        assert.ok(report.longestGapMs >= 100, `gap ${report.longestGapMs} ms`);
        assert.equal(report.requests, report.failed + (report.versions.v1 ?? 0));
        assert.equal(await probe.stop(), report);
      });
    });
  }

  it("must leave nothing behind when a host is removed", async () => {
    const host = await startLabHost({ suite: "bookworm" });
    const format = "{{range .Mounts}}{{if .Name}}{{println .Name}}{{end}}{{end}}";
    const volumes = (await docker(["inspect", "--format", format, host.name])).split("\n");
    assert.equal(volumes.length, 2);
    await host.remove();
    assert.ok(!(await listContainers()).includes(host.name));
    for (const volume of volumes) assert.notEqual((await askDocker(["volume", "inspect", volume])).code, 0);
    await assert.rejects(overSsh(host.connection(), "true"));
  });

  it("must sweep away what a process left that is gone", async () => {
    const gone = `orphan-${process.pid}`;
    const host = await startLabHost({ suite: "bookworm" });
    try {
      const labels = ["--label", "slipway.lab=2147483000-1", "--label", `slipway.lab.machine=${hostname()}`];
      await docker(["create", "--name", gone, ...labels, "slipway-lab:bookworm", "true"]);
      // whoever starts a lab run next sweeps first
      const script = `require(${JSON.stringify(LAB_RUN)}).labRun()`;
      await promisify(execFile)(process.execPath, ["--import=tsx", "--eval", script]);
      const left = await listContainers();
      assert.ok(!left.includes(gone) && left.includes(host.name), left.join(" "));
    } finally {
      await host.remove();
    }
  });

  it("must serve images to lab hosts and to this machine", async () => {
    const registry = await startRegistry();
    const host = await startLabHost({ suite: "trixie" });
    try {
      assert.equal(
        await host.must(["curl", "-fsS", `http://${registry.address}/v2/_catalog`]),
        '{"repositories":[]}',
      );
      assert.equal((await fetch(`http://${registry.localAddress}/v2/`)).status, 200);
      await registry.stop();
      await assert.rejects(fetch(`http://${registry.localAddress}/v2/`));
      await registry.start();
      assert.equal((await fetch(`http://${registry.localAddress}/v2/`)).status, 200);
    } finally {
      await Promise.all([host.remove(), registry.remove()]);
    }
  });
});
