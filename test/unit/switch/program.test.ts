import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { SWITCH_PROGRAM } from "../../../provider/switch/program";
import { formatOrder } from "../../../provider/switch/switch-order";
import { bridgedOrder } from "../../support/switch-order";
import { TemporaryFolder } from "../../support/temporary-folder";

const SHELLS = [["dash"], ["bash"], ["bash", "--posix"], ["busybox", "sh"]].filter(
  ([command = ""]) => spawnSync(command, ["-c", ":"]).error === undefined,
);

/** The program without its paths, its functions only: what a test calls comes after. */
const FUNCTIONS = SWITCH_PROGRAM.slice(0, SWITCH_PROGRAM.indexOf("read_order || exit 0"))
  .replace(/^LC_ALL=C PATH=\S+/m, "LC_ALL=C")
  .replaceAll("/proc/uptime", "$DIR/uptime");

describe("SWITCH_PROGRAM", () => {
  let folder: TemporaryFolder;
  const run = (shell: readonly string[], text: string): string => {
    const [command = "", ...args] = shell;
    const program = folder.file("program", `${FUNCTIONS}\n${text}`);
    const { stdout, stderr } = spawnSync(command, [...args, `${program.path}/program`, folder.path], {
      encoding: "utf8",
      env: { PATH: `${folder.path}/bin:${process.env.PATH ?? ""}` },
    });
    assert.equal(stderr, "");
    return stdout;
  };

  beforeEach(() => {
    folder = new TemporaryFolder()
      .file("order", formatOrder(bridgedOrder(), { count4: 5, count6: 0 }))
      .file("uptime", "100.25 1.00\n");
  });
  afterEach(() => folder.remove());

  it("must be text that every shell reads", () => {
    for (const [command = "", ...args] of SHELLS) {
      const { status, stderr } = spawnSync(command, [...args, "-n"], {
        input: SWITCH_PROGRAM,
        encoding: "utf8",
      });
      assert.equal(status, 0, stderr);
    }
  });

  for (const shell of SHELLS) {
    it(`must read its order in ${shell.join(" ")}`, () => {
      const said = run(
        shell,
        'read_order; echo "$SERVICE $WAY $RULES4 $DRAIN$TCP $OLD_CHECK"; now; echo $NOW',
      );
      assert.equal(said, "web bridged 5 30000 0BB8 http 3 3000 - /ready\n100250\n");
    });

    it(`must give a command's end on in ${shell.join(" ")}, and end one that hangs`, () => {
      folder.file("uptime", "100.00 1.00\n");
      const hang = 'sh -c \'echo 200.00 >"$0"; exec sleep 60\' "$DIR/uptime"';
      assert.equal(run(shell, `run 5 sh -c 'exit 7'; echo $?; run 5 ${hang}; echo $?`), "7\n124\n");
    });

    it(`must take exactly its own rules off, in ${shell.join(" ")}`, () => {
      const rules = [
        '-A OUTPUT -p tcp --dport 80 -m comment --comment "slipway:web" -j REDIRECT --to-ports 1',
        "-A OUTPUT -p tcp --dport 80 -m comment --comment slipway:web -j REDIRECT --to-ports 2",
        "-A OUTPUT -p tcp --dport 81 -m comment --comment slipway:web-2 -j REDIRECT --to-ports 3",
        "-A DOCKER -p tcp --dport 80 -j DNAT --to-destination 172.18.0.2:3000",
      ];
      folder
        .file("rules", `${rules.join("\n")}\n`)
        .file("bin/iptables-save", `#!/bin/sh\ncat ${folder.path}/rules\n`, 0o755)
        .file(
          "bin/iptables-restore",
          `#!/bin/sh\ncat >>${folder.path}/given; : >${folder.path}/rules\n`,
          0o755,
        );
      const said = run(
        shell,
        'backends() { echo iptables; }; SERVICE=web; rules_off; echo $?; cat "$DIR/given"',
      );
      const deleted = rules.slice(0, 2).map((rule) => rule.replace("-A", "-D"));
      assert.equal(said, ["0", "*nat", ...deleted, "COMMIT", ""].join("\n"));
    });

    it(`must not take it for a failure that there was no flow to forget, in ${shell.join(" ")}`, () => {
      folder.file("bin/conntrack", "#!/bin/sh\nexit 1\n", 0o755);
      assert.equal(run(shell, "COPY_ADDRESS= COPY_ADDRESS6= RULES6=1 UDP=' 53'; flush; echo $?"), "0\n");
    });

    it(`must ask the engine itself where it can, and by docker where that fails, in ${shell.join(" ")}`, () => {
      folder
        .file("uptime", "100.00 1.00\n")
        .file(
          "bin/curl",
          `#!/bin/sh\necho "curl $@" >>${folder.path}/asked; exit $(cat ${folder.path}/code)\n`,
          0o755,
        )
        .file("bin/docker", `#!/bin/sh\necho "docker $@" >>${folder.path}/asked\n`, 0o755);
      const start = 'SOCKET=/s; start_it one; echo $?; sed "s/.* -X/-X/" "$DIR/asked"; rm "$DIR/asked"';
      const post = "-X POST http://localhost/containers/one/start";
      folder.file("code", "0\n");
      assert.equal(run(shell, `HTTP=curl; ${start}`), `0\n${post}\n`);
      assert.equal(run(shell, `HTTP=wget; ${start}`), "0\ndocker start one\n");
      folder.file("code", "22\n");
      assert.equal(run(shell, `HTTP=curl; ${start}`), `0\n${post}\ndocker start one\n`);
    });

    it(`must put rules back in one transaction, so that at no moment none stands, in ${shell.join(" ")}`, () => {
      const [first, second] = [80, 81].map(
        (port) => `-p tcp --dport ${port} -m comment --comment slipway:web -j REDIRECT --to-ports 1`,
      );
      folder
        .file("rules4", `*nat\n-I OUTPUT 1 ${first}\n-I OUTPUT 1 ${second}\nCOMMIT\n`)
        .file("bin/iptables-save", `#!/bin/sh\necho '-A OUTPUT ${first}'\n`, 0o755)
        .file(
          "bin/iptables-restore",
          `#!/bin/sh\ncat >>${folder.path}/given; echo END >>${folder.path}/given\n`,
          0o755,
        );
      const said = run(
        shell,
        'SERVICE=web RULES4=2 RULES6=0 IPT=iptables; put_again; echo $?; cat "$DIR/given"',
      );
      const lines = [`-D OUTPUT ${first}`, `-I OUTPUT 1 ${first}`, `-I OUTPUT 1 ${second}`];
      assert.equal(said, ["0", "*nat", ...lines, "COMMIT", "END", ""].join("\n"));
    });

    it(`must read process and address from the engine's words, whatever labels say, in ${shell.join(" ")}`, () => {
      const said = {
        State: { Running: true, Pid: 4321 },
        Config: {
          Cmd: ["sh", '{"Pid":1,"Networks":{"IPAddress":"10.9.9.9"}}'],
          Labels: { Pid: "99", Networks: '{,"IPAddress":"10.9.9.9"}', IPAddress: "10.9.9.9" },
        },
        NetworkSettings: {
          IPAddress: "",
          Networks: {
            a: { IPAMConfig: null, DriverOpts: null, IPAddress: "", GlobalIPv6Address: "" },
            b: { IPAMConfig: {}, DriverOpts: null, IPAddress: "172.18.0.5", GlobalIPv6Address: "fd00::5" },
          },
        },
      };
      folder
        .file("uptime", "100.00 1.00\n")
        .file("said", JSON.stringify(said))
        .file("bin/curl", `#!/bin/sh\ncat ${folder.path}/said\n`, 0o755);
      const see = 'HTTP=curl SOCKET=/s; see one; echo "$? $PID $IP"';
      assert.equal(run(shell, see), "0 4321 172.18.0.5\n");
      const { a } = said.NetworkSettings.Networks;
      const alone = { ...said, NetworkSettings: { Networks: { a: { ...a, GlobalIPv6Address: "fd00::5" } } } };
      folder.file("said", JSON.stringify(alone));
      assert.equal(run(shell, see), "0 4321 fd00::5\n");
      folder.file("said", JSON.stringify({ State: { Pid: 0 }, NetworkSettings: { Networks: {} } }));
      assert.equal(run(shell, see), "0 0 127.0.0.1\n");
    });

    it(`must have all that the engine says of a container, its environment with it, in no file, in ${shell.join(" ")}`, () => {
      const said = (pid: number): string =>
        JSON.stringify({
          State: { Pid: pid },
          Config: { Env: ['TOKEN=s3cret "Pid":1,"Networks":{"IPAddress":"10.9.9.9"}'], Labels: { Pid: "9" } },
          NetworkSettings: { Networks: { a: { IPAddress: "172.18.0.5" } } },
        });
      folder
        .file("uptime", "100.00 1.00\n")
        .file("bin/said", `${said(11)}\n${said(12)}\n`)
        .file("bin/curl", `#!/bin/sh\ncat "\${0%/*}/said"\n`, 0o755);
      const see = 'HTTP=curl SOCKET=/s; see one; echo "$PID $IP"';
      assert.equal(
        run(
          shell,
          `${see}; COPY=copy OLD=old; alive() { START=1; [ "$1" = 11 ] || [ "$1" = 12 ]; }; known_both; echo "$COPY_PID $OLD_PID"`,
        ),
        "11 172.18.0.5\n11 12\n",
      );
      for (const file of readdirSync(folder.path, { withFileTypes: true }).filter((each) => each.isFile())) {
        const text = readFileSync(`${folder.path}/${file.name}`, "utf8");
        assert.equal(text.includes("s3cret"), false, `${file.name} has the environment`);
      }
    });

    it(`must not go by half of what the engine said, in ${shell.join(" ")}`, () => {
      const written = 'until [ $# = 0 ]; do [ "$1" != -w ] || printf %b "$2"; shift; done\n';
      const whole = JSON.stringify({ State: { Pid: 11 }, NetworkSettings: { Networks: {} } });
      folder
        .file("uptime", "100.00 1.00\n")
        .file("bin/said", whole.slice(0, -1))
        // as curl does: what was asked for stands behind what it got
        .file("bin/curl", `#!/bin/sh\ncat "\${0%/*}/said"\n${written}exit 18\n`, 0o755)
        .file("bin/docker", "#!/bin/sh\necho 12 172.18.0.6\n", 0o755);
      assert.equal(run(shell, 'HTTP=curl SOCKET=/s END=200000; see one; echo "$PID $IP"'), "12 172.18.0.6\n");
    });

    it(`must not go forward again with a candidate that was told to stop, however it answers, in ${shell.join(" ")}`, () => {
      folder.file("uptime", "100.00 1.00\n");
      // the candidate runs and is good, the old one does not run
      const stands =
        'runs() { PID=7; [ "$1" = next ]; }; gate() { :; }; forward() { echo forward; exit; }; back() { echo "back: $*"; exit; }';
      const found = (phase: string): string =>
        run(shell, `read_order; OLD=old NEXT=next; ${stands}; echo ${phase} >"$DIR/phase"; recover`);
      for (const phase of ["back", "nextstopped", "oldstarted", "oldgated"])
        assert.equal(found(phase), `back: recovered after ${phase}\n`);
      assert.equal(found("nextstarted"), "forward\n");
    });

    it(`must count what is open, and name what is listened on, in ${shell.join(" ")}`, () => {
      const socket = (port: string, state: string): string => `   0: 00000000:${port} 00000000:0000 ${state}`;
      folder
        .file("tcp", `${[socket("0BB8", "0A"), socket("0BB9", "0A"), socket("0BB8", "06")].join("\n")}\n`)
        .file("tcp6", `${socket("0BB8", "0A")}\n`)
        .file("host", `${[socket("0050", "0A"), socket("0050", "01"), socket("0BB8", "01")].join("\n")}\n`);
      const program = 'TCP="0BB8 0BBA"; open_connections 7 "0050"; open_connections 7 ""';
      const there =
        'cat() { for file; do case $file in /proc/7/net/*) command cat "$DIR/${file##*/}" ;; /proc/net/tcp) command cat "$DIR/host" ;; esac; done; }';
      assert.equal(run(shell, `${there}\n${program}`), "1 0BB8\n0 0BB8\n");
    });

    it(`must know a process by its number and its start in ${shell.join(" ")}`, () => {
      assert.equal(
        run(shell, 'alive $$ && echo alive; [ -n "$START" ] && echo start; alive 4194303 || echo gone'),
        "alive\nstart\ngone\n",
      );
    });
  }
});
