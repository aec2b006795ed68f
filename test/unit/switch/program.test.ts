import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
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

    it(`must know a process by its number and its start in ${shell.join(" ")}`, () => {
      assert.equal(
        run(shell, 'alive $$ && echo alive; [ -n "$START" ] && echo start; alive 4194303 || echo gone'),
        "alive\nstart\ngone\n",
      );
    });
  }
});
