import assert from "node:assert/strict";
import { initOf } from "../../../provider/docker-host/init/init-of";
import type { InitSystem } from "../../../provider/docker-host/init/init-system";
import { openrc } from "../../../provider/docker-host/init/openrc";
import { systemd } from "../../../provider/docker-host/init/systemd";
import { sysv } from "../../../provider/docker-host/init/sysv";
import { LOOK } from "../../../provider/docker-host/packages/families";

describe("the init system of a machine", () => {
  it("must be told by its process 1, and by OpenRC's own folder where that is a mere init", () => {
    assert.equal(initOf("h", { init: "systemd" }), systemd);
    assert.equal(initOf("h", { init: "openrc" }), openrc);
    assert.equal(initOf("h", { init: "init" }), sysv);
  });

  it("must be refused by name when it is none that can be used", () => {
    assert.throws(
      () => initOf("root@h:22", { init: "runit" }),
      /on root@h:22: its process 1 is runit, and not/,
    );
    assert.throws(() => initOf("h", { init: "" }), /its process 1 is not to be seen/);
  });

  it("must have a place in the look of every machine", () => {
    for (const { processOne, look } of [systemd, openrc, sysv]) {
      assert.ok(LOOK.includes(`\n${processOne})\n${look}`), processOne);
    }
  });

  const words: readonly [InitSystem, keyof InitSystem, string][] = [
    [systemd, "restart", "systemctl restart docker.service"],
    [systemd, "forgive", "systemctl reset-failed docker.service docker.socket containerd.service"],
    [openrc, "start", "rc-service docker start"],
    [openrc, "reload", "rc-service docker reload"],
    [sysv, "restart", "/etc/init.d/docker restart"],
    // the script's own force-reload is a restart
    [sysv, "reload", "start-stop-daemon --stop --signal HUP --pidfile /var/run/docker.pid"],
  ];
  for (const [init, verb, line] of words) {
    it(`must ${verb} the daemon with ${init.title} by ${line}`, () => {
      const argv = init[verb];
      assert.ok(Array.isArray(argv));
      assert.equal(argv.join(" "), line);
    });
  }

  it("must have the daemon start at boot", () => {
    const lines = (init: InitSystem) => init.enable.map((argv) => argv.join(" "));
    assert.deepEqual(lines(systemd), ["systemctl enable --quiet docker.service"]);
    assert.deepEqual(lines(openrc), ["rc-update add docker default"]);
    assert.deepEqual(lines(sysv), ["update-rc.d docker defaults", "update-rc.d docker enable"]);
  });
});
