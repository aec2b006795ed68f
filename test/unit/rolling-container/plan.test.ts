import assert from "node:assert/strict";
import { formatPlan, planHost } from "../../../provider/rolling-container/plan";
import { UPDATE_DEFAULTS } from "../../../provider/rolling-container/update-settings";
import { desiredService, foundContainer, foundHost, LIMITS, wantedContainer } from "../../support/rollout";

const NO_PORTS = { spec: {} };

function planned(...args: Parameters<typeof planHost>): string {
  return formatPlan(planHost(...args));
}

describe("planHost", () => {
  it("must create the first container under the candidate's name, and let it pass the gate", () => {
    assert.equal(
      planned(foundHost(), desiredService()),
      [
        "create web.next (no container yet) <- remove web.next",
        "start web.next (no container yet) <- stop web.next",
        "gate web.next: running for 3s (the new version has to prove itself)",
        "* rename web.next to web (it passed its gate)",
        "+ restart policy of web.next: unless-stopped (it serves from now on)",
      ].join("\n"),
    );
  });

  it("must touch nothing when spec and image are the same", () => {
    assert.equal(planned(foundHost([wantedContainer()]), desiredService()), "");
  });

  it("must touch nothing for what the image or the engine filled in", () => {
    const filled = wantedContainer();
    const labels = { ...filled.labels, "org.opencontainers.image.title": "from the image" };
    const given = {
      labels,
      hasDockerHealthcheck: true,
      networks: ["bridge"],
      networkMode: "bridge",
      image: "web:9",
    };
    assert.equal(planned(foundHost([{ ...filled, ...given }]), desiredService()), "");
  });

  it("must prove the version by a copy before the holder of a fixed port is stopped", () => {
    assert.equal(
      planned(foundHost([foundContainer()]), desiredService()),
      [
        "create web.next (the spec changed) <- remove web.next",
        "+ create web.try (a copy without ports proves the version while the old one serves) <- remove web.try",
        "start web.try (rehearsal)",
        "gate web.try: running for 3s (rehearsal)",
        "remove web.try (it has proved the version)",
        "restart policy of web: always (should the host restart in the switch, it comes back) <- restart policy of web: unless-stopped",
        "stop web (makes way for web.next) <- start web, gate web: running for 1s",
        "start web.next (the spec changed) <- stop web.next",
        "gate web.next: running for 1s (the copy has proved the version)",
        "* rename web to web.aaaaaaaa (kept, to go back to)",
        "+ restart policy of web.next: unless-stopped (it serves from now on)",
        "* rename web.next to web (it passed its gate)",
        "+ restart policy of web.aaaaaaaa: no (it serves no more)",
        "+ tag image slipway/kept:web-aaaaaaaa (spares the kept one's image)",
      ].join("\n"),
    );
  });

  it("must skip the copy with switch plain", () => {
    const update = { ...UPDATE_DEFAULTS, switch: "plain" as const };
    assert.equal(
      planned(foundHost([foundContainer()]), desiredService({ update })),
      [
        "create web.next (the spec changed) <- remove web.next",
        "restart policy of web: always (should the host restart in the switch, it comes back) <- restart policy of web: unless-stopped",
        "stop web (makes way for web.next) <- start web, gate web: running for 1s",
        "start web.next (the spec changed) <- stop web.next",
        "gate web.next: running for 3s (the new version has to prove itself)",
        "* rename web to web.aaaaaaaa (kept, to go back to)",
        "+ restart policy of web.next: unless-stopped (it serves from now on)",
        "* rename web.next to web (it passed its gate)",
        "+ restart policy of web.aaaaaaaa: no (it serves no more)",
        "+ tag image slipway/kept:web-aaaaaaaa (spares the kept one's image)",
      ].join("\n"),
    );
  });

  it("must stop the old one only after the new one passed when no port is in the way", () => {
    assert.equal(
      planned(foundHost([foundContainer()]), desiredService(NO_PORTS)),
      [
        "create web.next (the spec changed) <- remove web.next",
        "start web.next (the spec changed) <- stop web.next",
        "gate web.next: running for 3s (the new version has to prove itself)",
        "* rename web to web.aaaaaaaa (kept, to go back to)",
        "+ restart policy of web.next: unless-stopped (it serves from now on)",
        "* rename web.next to web (it passed its gate)",
        "+ restart policy of web.aaaaaaaa: no (it serves no more)",
        "+ tag image slipway/kept:web-aaaaaaaa (spares the kept one's image)",
        "stop web.aaaaaaaa (the new one serves)",
      ].join("\n"),
    );
  });

  it("must add a slot without touching the first", () => {
    assert.equal(
      planned(foundHost([wantedContainer()]), desiredService({ ...NO_PORTS, replicas: 2 })),
      [
        "create web-2.next (no container yet) <- remove web-2.next",
        "start web-2.next (no container yet) <- stop web-2.next",
        "gate web-2.next: running for 3s (the new version has to prove itself)",
        "* rename web-2.next to web-2 (it passed its gate)",
        "+ restart policy of web-2.next: unless-stopped (it serves from now on)",
      ].join("\n"),
    );
  });

  it("must join a network that an interrupted run left a candidate without before its gate, in any slot", () => {
    const left = (name: string, networks: readonly string[]) =>
      wantedContainer({ name, networks, limits: { ...LIMITS, restart: "no" } });
    const spec = { networks: ["inner", "outer"] };
    const found = foundHost([left("web.next", ["inner"]), left("web-2.next", ["outer"])], {
      networks: ["inner", "outer"].map((name) => ({ name, owned: false })),
    });
    const cause = "an interrupted run left it without a network of its spec";
    const lines = planned(found, desiredService({ spec, replicas: 2 })).split("\n");
    assert.deepEqual(
      lines.filter((line) => /^(dis)?connect |^gate /.test(line)),
      [
        `connect web.next to outer (${cause})`,
        "gate web.next: running for 3s (the new version has to prove itself)",
        `connect web-2.next to inner (${cause})`,
        "gate web-2.next: running for 3s (the new version has to prove itself)",
        "disconnect web-2.next from inner (to join with the service's name)",
        "connect web-2.next to inner (it passed its gate)",
        "disconnect web-2.next from outer (to join with the service's name)",
        "connect web-2.next to outer (it passed its gate)",
      ],
    );
    const kept = left("web.bbbbbbbb", []);
    assert.match(
      planned(foundHost([foundContainer(), kept]), desiredService({ spec })),
      /^connect web.next to inner .*\nconnect web.next to outer /m,
    );
  });

  it("must wake the kept container of this very spec", () => {
    const kept = wantedContainer({
      name: "web.bbbbbbbb",
      state: "exited",
      limits: { ...LIMITS, restart: "no" },
    });
    assert.equal(
      planned(foundHost([foundContainer(), kept]), desiredService(NO_PORTS)),
      [
        "rename web.bbbbbbbb to web.next (revision bbbbbbbb was kept) <- rename web.next to web.bbbbbbbb",
        "start web.next (the spec changed) <- stop web.next",
        "gate web.next: running for 3s (the new version has to prove itself)",
        "* rename web to web.aaaaaaaa (kept, to go back to)",
        "+ restart policy of web.next: unless-stopped (it serves from now on)",
        "* rename web.next to web (it passed its gate)",
        "+ restart policy of web.aaaaaaaa: no (it serves no more)",
        "+ tag image slipway/kept:web-aaaaaaaa (spares the kept one's image)",
        "stop web.aaaaaaaa (the new one serves)",
      ].join("\n"),
    );
  });

  it("must go on with a candidate of this very spec, and remove any other", () => {
    const same = wantedContainer({ name: "web.next", state: "created" });
    const other = foundContainer({ name: "web.next", state: "created" });
    const plain = desiredService({ update: { ...UPDATE_DEFAULTS, switch: "plain" } });
    assert.equal(
      planned(foundHost([foundContainer(), same]), plain).split("\n")[0],
      "restart policy of web.next: no (left by an interrupted run, of this very spec) <- remove web.next",
    );
    assert.equal(
      planned(foundHost([foundContainer(), other]), plain).split("\n")[0],
      "remove web.next (left by an interrupted run)",
    );
  });

  it("must change limits without a new container, and take one away with a new one", () => {
    const limits = { ...LIMITS, memory: 64 * 1024 ** 2 };
    assert.equal(
      planned(foundHost([wantedContainer()]), desiredService({ limits })),
      "update limits of web (changed, no new container needed) <- update limits of web",
    );
    const limited = wantedContainer({ limits });
    assert.equal(
      planned(foundHost([limited]), desiredService(NO_PORTS)).split("\n")[0],
      "create web.next (a limit was taken away) <- remove web.next",
    );
  });

  it("must start a live one that was stopped by hand, and unpause a paused one", () => {
    assert.equal(
      planned(foundHost([wantedContainer({ state: "exited" })]), desiredService()),
      ["start web (it was exited)", "gate web: running for 3s (it has to prove itself again)"].join("\n"),
    );
    assert.equal(
      planned(foundHost([wantedContainer({ state: "paused" })]), desiredService()),
      ["unpause web (it was paused)", "gate web: running for 3s (it has to prove itself again)"].join("\n"),
    );
  });

  it("must make missing networks and volumes, and take back the network with the first failure", () => {
    const spec = {
      networks: ["inner", "there"],
      mounts: [{ type: "volume", source: "files", target: "/files" }],
    } as const;
    const found = foundHost([], { networks: [{ name: "there", owned: false }] });
    assert.equal(
      planned(found, desiredService({ spec })),
      [
        "create network inner (missing) <- remove network inner",
        "create volume files (missing)",
        "create web.next (no container yet) <- remove web.next",
        "connect web.next to there (a network of its spec)",
        "start web.next (no container yet) <- stop web.next",
        "gate web.next: running for 3s (the new version has to prove itself)",
        "* rename web.next to web (it passed its gate)",
        "+ restart policy of web.next: unless-stopped (it serves from now on)",
      ].join("\n"),
    );
  });

  it("must let the candidate carry the new name while the old name serves", () => {
    const old = foundContainer({ name: "shop", labels: { "slipway.service": "shop" } });
    const former = {
      service: "shop",
      slots: [{ slot: 1, live: old, candidate: undefined, copy: undefined, kept: [] }],
    };
    assert.equal(
      planned(foundHost([], { former }), desiredService(NO_PORTS)),
      [
        "create web.next (the service has a new name) <- remove web.next",
        "start web.next (the service has a new name) <- stop web.next",
        "gate web.next: running for 3s (the new version has to prove itself)",
        "* rename web.next to web (it passed its gate)",
        "+ restart policy of web.next: unless-stopped (it serves from now on)",
        "restart policy of shop: no (it serves no more)",
        "stop shop (the new one serves)",
      ].join("\n"),
    );
  });

  it("must refuse where the name of the one that is to be kept is somebody else's, and only then", () => {
    const foreign = foundContainer({ name: "web.aaaaaaaa", labels: {}, foreign: "somebody else's (x)" });
    assert.throws(() => planned(foundHost([foundContainer(), foreign]), desiredService()), {
      code: "name-taken",
      message:
        /the name "web\.aaaaaaaa" belongs to somebody else's \(x\).*Nothing was touched.*Remove or rename/s,
    });
    const other = { ...foreign, name: "web.cccccccc" };
    assert.match(
      planned(foundHost([foundContainer(), other]), desiredService()),
      /rename web to web\.aaaaaaaa/,
    );
    assert.equal(planned(foundHost([wantedContainer(), foreign]), desiredService()), "");
  });

  it("must refuse a foreign container's name, and take it over with adopt", () => {
    const foreign = foundContainer({ id: "0123456789ab", labels: {}, foreign: "somebody else's (x)" });
    assert.throws(() => planned(foundHost([foreign]), desiredService()), {
      message:
        'rolling out "web" on root@host:22: the name "web" belongs to somebody else\'s (x). Nothing was touched. Give the service another name, or say adopt: true to take the container over.',
    });
    assert.equal(
      planned(foundHost([foreign]), desiredService({ ...NO_PORTS, adopt: true })),
      [
        "create web.next (takes over from somebody else's (x)) <- remove web.next",
        "start web.next (takes over from somebody else's (x)) <- stop web.next",
        "gate web.next: running for 3s (the new version has to prove itself)",
        "* rename web to web.01234567 (kept, to go back to)",
        "+ restart policy of web.next: unless-stopped (it serves from now on)",
        "* rename web.next to web (it passed its gate)",
        "+ restart policy of web.01234567: no (it serves no more)",
        "stop web.01234567 (the new one serves)",
      ].join("\n"),
    );
  });

  it("must name who holds the port, unless it is the service itself", () => {
    const taker = { port: 80, protocol: "tcp", hostIp: "", by: 'the container "db"', containerId: "id-db" };
    const own = { ...taker, by: "itself", containerId: "id-web" };
    assert.throws(() => planned(foundHost([], { portTakers: [taker] }), desiredService()), {
      code: "port-taken",
      message:
        'rolling out "web" on root@host:22: port 80/tcp is held by the container "db". Nothing was touched. Stop it, or publish another port.',
    });
    const forgotten = { ...taker, by: "Docker", containerId: undefined, proxyPid: "9" };
    assert.throws(() => planned(foundHost([], { portTakers: [forgotten] }), desiredService()), {
      message:
        'rolling out "web" on root@host:22: port 80/tcp is held by Docker. Nothing was touched. Restart Docker on the host (`systemctl restart docker`; without systemd `/etc/init.d/docker restart`), which frees it, then run pulumi up again.',
    });
    planned(foundHost([foundContainer()], { portTakers: [own] }), desiredService());
    // a port of another address is another port
    const elsewhere = { ...taker, hostIp: "10.0.0.9" };
    const here = { ports: [{ container: 1, host: 80, hostIp: "127.0.0.1", protocol: "tcp" as const }] };
    planned(foundHost([], { portTakers: [elsewhere] }), desiredService({ spec: here }));
  });
});
