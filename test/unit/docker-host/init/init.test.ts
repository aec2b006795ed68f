import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initOf } from "../../../../provider/docker-host/init/init-of";
import type { InitSystem } from "../../../../provider/docker-host/init/init-system";
import { openrc } from "../../../../provider/docker-host/init/openrc";
import { systemd } from "../../../../provider/docker-host/init/systemd";
import { sysv } from "../../../../provider/docker-host/init/sysv";
import { LOOK } from "../../../../provider/docker-host/look/observe";

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
    [openrc, "start", "rc-service docker start"],
    [openrc, "reload", '/bin/sh -c rc-service docker reload || kill -HUP "$(cat /var/run/docker.pid)"'],
    [openrc, "restart", "/bin/sh -c rc-service docker restart || exec rc-service docker start"],
    [sysv, "restart", "/bin/sh -c /etc/init.d/docker restart || exec /etc/init.d/docker start"],
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

  it("must forget failures with systemd, and take off the guard of a run that was killed whole", () => {
    const folder = mkdtempSync(join(tmpdir(), "units-"));
    try {
      writeFileSync(join(folder, "systemctl"), '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
      const [shell = "", flag = "", text = ""] = systemd.forgive ?? [];
      const forgive = (): string => {
        const env = { PATH: `${folder}:${process.env.PATH ?? ""}` };
        return spawnSync(shell, [flag, text.replaceAll("/run/systemd/system", folder)], {
          env,
        }).stdout.toString();
      };
      const reset = "reset-failed docker.service docker.socket containerd.service\n";
      assert.equal(forgive(), reset);
      mkdirSync(join(folder, "docker.socket.d"));
      for (const name of ["slipway.conf", "mine.conf"]) {
        writeFileSync(join(folder, "docker.socket.d", name), "[Unit]\n");
      }
      assert.equal(forgive(), `daemon-reload\n${reset}`);
      assert.deepEqual(readdirSync(join(folder, "docker.socket.d")), ["mine.conf"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("must see a mask beside a daemon that runs and starts at boot: its restart would fail", () => {
    const folder = mkdtempSync(join(tmpdir(), "units-"));
    try {
      writeFileSync(
        join(folder, "systemctl"),
        `#!/bin/sh\ncase "$*" in "is-enabled docker.socket") echo masked; exit 1 ;; "is-enabled docker"*) echo enabled ;; esac\n`,
        { mode: 0o755 },
      );
      const look = (): string => {
        const text = `active=; isActive() { active=yes; echo "active yes"; }\n${systemd.look}`;
        const env = { PATH: `${folder}:${process.env.PATH ?? ""}` };
        return spawnSync("/bin/sh", ["-c", text.replaceAll("/etc/systemd/system", folder)], {
          env,
        }).stdout.toString();
      };
      const runs = "active yes\nenabled yes\n";
      assert.equal(look(), runs);
      symlinkSync("/dev/null", join(folder, "docker.socket"));
      assert.equal(look(), `${runs}masked docker.socket\n`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("must have the daemon start at boot", () => {
    const lines = (init: InitSystem) => init.enable.map((argv) => argv.join(" "));
    assert.deepEqual(lines(systemd), ["systemctl enable --quiet docker.service"]);
    assert.deepEqual(lines(openrc), ["rc-update add docker default"]);
    assert.deepEqual(lines(sysv), ["update-rc.d docker defaults", "update-rc.d docker enable"]);
  });
});
