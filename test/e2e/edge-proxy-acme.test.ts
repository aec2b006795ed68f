import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { edgeProxyHandler as handler } from "../../provider/edge-proxy/handler";
import type { Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { removeRoute } from "../../provider/proxy/switch-route";
import { RouteCalls } from "../../provider/rolling-container/route-call";
import type { LabHost } from "../lab/lab-host";
import { type Pebble, startPebble } from "../lab/pebble";
import { until } from "../lab/until";
import { EdgeRoute } from "../support/edge-route";
import { type EdgeSite, startEdgeSite } from "../support/edge-site";
import { certificateShown } from "../support/shown-certificate";

const FOLDER = "/var/lib/slipway/proxy/edge";

describe("EdgeProxy with certificates from an ACME server", function () {
  this.timeout(300_000);
  let site: EdgeSite;
  let host: LabHost;
  let pebble: Pebble;

  const inputs = (more: Properties = {}): Properties => {
    const acme = { email: "admin@example.com", directory: pebble.directory, ca: pebble.ca };
    return site.inputs({ image: "haproxy-lab:sid", tls: { acme }, httpsPort: 8080, ...more });
  };
  const shown = (name: string): Promise<X509Certificate> => certificateShown(host.webPorts[8080], name);
  const onDisk = async (name: string): Promise<X509Certificate> =>
    new X509Certificate(await host.must(["sh", "-c", `cat ${FOLDER}/certs/60-${name}.*.pem`]));
  /** As a rollout does it. */
  const writeRoute = (service: string, hosts: readonly string[]): Promise<void> => {
    const shape = { service, protocol: "http", hosts, path: "/", port: 3000, listen: 0, places: 4 } as const;
    const place = { proxy: "edge", network: "slipway", service };
    return new EdgeRoute(host, service).on(async (access) => {
      const docker = await access.session.docker(access.signal);
      const { log } = site.context();
      const operation = { kind: "write-route", place, shape, servers: [] } as const;
      await new RouteCalls().call(
        { ...access, docker, log, random: Math.random, machineId: "" },
        operation,
        () => "",
      );
    });
  };
  const removed = (service: string): Promise<void> =>
    new EdgeRoute(host, service).on((access) => removeRoute(access, { name: "edge" }, service));
  const orders = async (): Promise<number> =>
    (await pebble.log()).split("\n").filter((line) => line.includes("Issued certificate")).length;

  before(async () => {
    site = await startEdgeSite(["sid", "trixie"]);
    host = site.host;
    await host.must(["docker", "network", "create", "slipway"]);
    pebble = await startPebble(host, { network: "slipway", names: ["a.example", "b.example", "c.example"] });
  });

  after(() => site.remove());

  it("must refuse an image without an ACME client, with nothing touched", async () => {
    const news = await site.checked(inputs({ image: "haproxy-lab:trixie" }));
    await assert.rejects(
      handler.create(news, site.context()),
      /tls\.acme needs HAProxy 3\.2 or newer, and the one in haproxy-lab:trixie is 3\.0.*Nothing was touched/,
    );
    assert.equal((await host.exec(["ls", "/var/lib/slipway"])).code, 2);
  });

  it("must get a certificate for each name that leads to it, and say what is wrong with the others", async () => {
    await site.create(inputs());
    assert.deepEqual(site.outputs.drift, []);
    await Promise.all([
      writeRoute("web", ["a.example", "lost.example"]),
      writeRoute("shop", ["b.example"]),
      writeRoute("blog", ["c.example"]),
    ]);
    for (const name of ["b.example", "c.example"]) assert.match((await shown(name)).issuer, /Pebble/);
    assert.equal(await orders(), 3);
    assert.match((await shown("a.example")).issuer, /Pebble Intermediate/);
    assert.equal((await shown("a.example")).subjectAltName, "DNS:a.example");
    assert.match((await shown("lost.example")).issuer, /CN=lost\.example/);
    assert.match(site.said.join("\n"), /got certificates for a\.example/);
    assert.match(
      site.said.join("\n"),
      /no certificate for lost\.example yet: challenge error: .*lost\.example.*Port 80 of that name has to lead to this proxy/,
    );
    const log = await pebble.log();
    assert.match(log, /Attempting to validate w\/ HTTP: http:\/\/a\.example:80\//);
    assert.doesNotMatch(log, /VA_ALWAYS_VALID|Disabling (all )?validation/i);
  });

  it("must have on the disk what it shows, through its restart and the host's", async () => {
    const { fingerprint256 } = await shown("a.example");
    assert.equal((await onDisk("a.example")).fingerprint256, fingerprint256);
    const isShown = async (): Promise<boolean> =>
      (await shown("a.example").catch(() => undefined))?.fingerprint256 === fingerprint256;
    await host.must(["docker", "kill", "edge"]);
    await host.must(["docker", "start", "edge"]);
    await until("the certificate", isShown);
    closeConnections();
    await host.stop();
    await host.start();
    await until("the certificate after a restart of the host", isShown, 60_000);
    assert.equal(await host.must(["systemctl", "is-active", "slipway-proxy-edge.timer"]), "active");
    assert.equal(await orders(), 3);
  });

  it("must get the missing one in an up once its name leads there, and then change nothing", async () => {
    await pebble.lead("lost.example");
    await site.refresh();
    assert.deepEqual(site.outputs.drift, ["no certificate yet for lost.example"]);
    await site.update(inputs());
    assert.match((await shown("lost.example")).issuer, /Pebble Intermediate/);
    await site.refresh();
    assert.deepEqual(site.outputs.drift, []);
    const before = await orders();
    await site.update(inputs());
    assert.equal(await orders(), before);
  });

  it("must save a renewed one by the host's timer, and take it along when its container is exchanged", async () => {
    const before = (await shown("a.example")).fingerprint256;
    const renew = `f=$(cd ${FOLDER} && ls certs/60-a.example.*.pem); printf '@1 acme renew /slipway/%s\\n' "$f" | docker --host unix://${FOLDER}/run/master.sock system dial-stdio`;
    await host.must(["sh", "-c", renew]);
    await until("a renewed one", async () => (await shown("a.example")).fingerprint256 !== before, 60_000);
    const renewed = (await shown("a.example")).fingerprint256;
    await host.must(["systemctl", "start", "slipway-proxy-edge.service"]);
    assert.equal((await onDisk("a.example")).fingerprint256, renewed);
    await host.must(["docker", "tag", "haproxy-lab:sid", "haproxy-lab:other"]);
    await site.update(inputs({ image: "haproxy-lab:other" }));
    assert.equal((await shown("a.example")).fingerprint256, renewed);
    assert.equal((await onDisk("a.example")).fingerprint256, renewed);
  });

  it("must show no key to anybody but root", async () => {
    assert.doesNotMatch(JSON.stringify({ ...site.outputs, host: {} }), /PRIVATE KEY/);
    const look =
      "docker inspect edge; docker logs edge 2>&1; journalctl --no-pager --quiet; cat /proc/[0-9]*/cmdline | tr '\\0' ' '";
    const seen = await host.must(["sh", "-c", look]);
    assert.doesNotMatch(seen, /BEGIN [A-Z ]*PRIVATE KEY/);
    const second = "for file in acme/*.key certs/*.pem; do sed -n '/PRIVATE KEY/{n;p;}' $file; done";
    const keys = (await host.must(["sh", "-c", `cd ${FOLDER}; ${second}`]))
      .split("\n")
      .filter((line) => !line.startsWith("-"));
    assert.ok(keys.length >= 3);
    assert.deepEqual(
      keys.filter((key) => seen.includes(key) || JSON.stringify(site.outputs).includes(key)),
      [],
    );
    const modes = await host.must([
      "sh",
      "-c",
      `stat -c '%a %U' ${FOLDER} ${FOLDER}/acme/*.key ${FOLDER}/certs/60-*`,
    ]);
    assert.deepEqual([...new Set(modes.split("\n"))].sort(), ["600 root", "700 root"]);
  });

  it("must show a name that comes back the certificate it had, without another order", async () => {
    const before = [(await shown("a.example")).fingerprint256, await orders()];
    await writeRoute("web", ["lost.example"]);
    assert.doesNotMatch(await host.must(["ls", `${FOLDER}/certs`]), /a\.example/);
    await site.refresh();
    assert.deepEqual(site.outputs.drift, []);
    await writeRoute("web", ["a.example", "lost.example"]);
    assert.deepEqual([(await shown("a.example")).fingerprint256, await orders()], before);
  });

  it("must take away what no route asks for, then the timer, then all", async () => {
    await writeRoute("web", ["a.example"]);
    assert.doesNotMatch(await host.must(["ls", `${FOLDER}/certs`]), /lost\.example/);
    await site.update(inputs({ tls: "internal" }));
    assert.match((await shown("a.example")).issuer, /CN=a\.example/);
    assert.equal((await host.exec(["ls", `${FOLDER}/acme/rest`])).code, 2);
    assert.equal((await host.exec(["systemctl", "is-active", "slipway-proxy-edge.timer"])).code, 3);
    for (const service of ["web", "shop", "blog"]) await removed(service);
    await site.update(inputs());
    assert.equal(await host.must(["systemctl", "is-active", "slipway-proxy-edge.timer"]), "active");
    await host.must(["docker", "rm", "-f", "pebble"]);
    await handler.delete("edge", site.outputs, site.context());
    assert.equal((await host.exec(["ls", "/var/lib/slipway"])).code, 2);
    assert.equal(await host.must(["sh", "-c", "ls /etc/systemd/system | grep slipway-proxy || :"]), "");
  });
});
