import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { AGENT_PROGRAM } from "../../provider/health-policy/agent/program";
import { HAPROXY_ARMS } from "./haproxy-files";
import { TemporaryFolder } from "./temporary-folder";

/** One container of the agent's engine. */
export interface AgentContainer {
  readonly id: string;
  readonly name: string;
  /** @default "running" */
  readonly state?: string;
  readonly health?: "unhealthy" | "starting";
  /** @default the name: it is of ours */
  readonly service?: string;
  readonly slot?: string;
  readonly check?: string;
  /** Its exit code, number of restarts and restart policy. @default "0 0 unless-stopped" */
  readonly down?: string;
  /** Its process, network mode and address. @default "0 bridge 172.17.0.2" */
  readonly where?: string;
}

/** Answers of a docker command: what it lists, and what became of a restart, are files. */
const DOCKER = `#!/bin/sh
echo "$*" >>"$FAKE/calls"
case "$*" in *dial-stdio*) [ ! -f "$FAKE/meanwhile" ] || sh "$FAKE/meanwhile" </dev/null ;; esac
case "$1 $*" in
  'ps '*health=unhealthy*) cat "$FAKE/unhealthy" ;;
  'ps '*health=starting*) cat "$FAKE/starting" ;;
  'ps '*--format*) cat "$FAKE/list" ;;
  'ps '*) : ;;
  'inspect '*lock.session*) for last; do :; done; cat "$FAKE/locks/$last" ;;
  'inspect '*RestartCount*) for each; do grep "^$each " "$FAKE/down"; done ;;
  'inspect '*Pid*) for each; do grep "^$each " "$FAKE/where"; done ;;
  'restart '*) [ ! -f "$FAKE/slow" ] || sleep 0.5; [ ! -f "$FAKE/refuse" ] ;;
  'inspect '*{{.Name}}*) for last; do :; done; awk -F '|' -v id="$last" '$1 == id { print "/" $3 }' "$FAKE/list" ;;
  'inspect '*IPv6*) echo "172.18.0.4  " ;;
${HAPROXY_ARMS}
esac
`;
const CURL = `#!/bin/sh
for last; do :; done
case "$*" in *--help*) echo --parallel-max; exit 0 ;; esac
printf '%s\\n' "$*" >>"$FAKE/curled"
cat >>"$FAKE/asked"
cat "$FAKE/said" 2>/dev/null
exit 0
`;

/** What the agent needs of a machine; its shell has to find them. */
const COMMANDS = [
  ...["sh", "cat", "grep", "sed", "tr", "awk", "mv", "rm", "mkdir", "tail", "timeout", "flock"],
  ...["wc", "cmp", "cut", "sort", "sleep"],
];

/** A machine of the agent's whose commands are all ours: its engine is a set of files, and its time is given. */
export class AgentHost {
  readonly folder = new TemporaryFolder();
  private readonly shell: readonly string[];
  private commands = process.env.PATH ?? "";

  constructor(shell: readonly string[], policy = "label slipway.service\n") {
    this.shell = shell;
    this.folder
      .file("bin/docker", DOCKER, 0o755)
      .file("bin/curl", CURL, 0o755)
      .file("bin/date", '#!/bin/sh\ncase $1 in +%s) cat "$FAKE/now" ;; *) echo AT ;; esac\n', 0o755)
      .file("bin/logger", "#!/bin/sh\n", 0o755)
      .file("agent/policy", policy)
      .file("now", "1000\n")
      .file("hostname", "web1\n");
  }

  /** What the engine has from now on. */
  engine(containers: readonly AgentContainer[]): this {
    const lines = (text: (container: AgentContainer) => string): string =>
      containers.map((each) => `${text(each)}\n`).join("");
    const ids = (health: string): string =>
      containers
        .filter((each) => each.health === health)
        .map(({ id }) => `${id}\n`)
        .join("");
    this.folder
      .file(
        "list",
        lines(({ id, name, state = "running", service = name, slot = "1", check = "" }) =>
          [id, state, name, slot, service, check].join("|"),
        ),
      )
      .file(
        "down",
        lines(({ id, state = "running", down = "0 0 unless-stopped" }) => `${id} ${state} ${down}`),
      )
      .file(
        "where",
        lines(({ id, where = "0 bridge 172.17.0.2" }) => `${id} ${where}`),
      )
      .file("unhealthy", ids("unhealthy"))
      .file("starting", ids("starting"));
    return this;
  }

  /** A machine that has not curl, or anything else that the agent can do without. */
  withoutCurl(): this {
    this.folder.file("commands/.keep", "");
    const link = 'cd "$1" && shift && for each; do ln -s "$(command -v "$each")" . || exit 1; done';
    const { status } = spawnSync("sh", ["-c", link, "link", `${this.folder.path}/commands`, ...COMMANDS]);
    if (status !== 0) throw new Error("a command that the agent needs is not here");
    rmSync(`${this.folder.path}/bin/curl`);
    this.commands = `${this.folder.path}/commands`;
    return this;
  }

  /** Its clock of seconds since it began is a file, too. */
  uptime(seconds: number): this {
    this.folder.file("uptime", `${seconds}.00 1\n`);
    return this;
  }

  /** One turn of the agent; gives who was restarted in it. */
  turn(nowSeconds?: number): readonly string[] {
    if (nowSeconds !== undefined) this.folder.file("now", `${nowSeconds}\n`);
    return this.run([]);
  }

  /** What it does before it is taken away. */
  leave(): readonly string[] {
    return this.run(["back"]);
  }

  private run(more: readonly string[]): readonly string[] {
    this.folder.file("calls", "");
    const { path } = this.folder;
    const program = AGENT_PROGRAM.replace(/PATH=\S+;/, `PATH=${path}/bin:${this.commands};`)
      .replaceAll("/var/lib/slipway/proxy", `${path}/proxies`)
      .replaceAll("/run/slipway", `${path}/run`)
      .replaceAll("/proc/sys/kernel/hostname", `${path}/hostname`);
    const clocked = existsSync(`${path}/uptime`)
      ? program.replaceAll("/proc/uptime", `${path}/uptime`)
      : program;
    this.folder.file("agent/agent", clocked);
    // whoever is not waited for has written nothing yet when the turn has ended
    const turn = '"$@"; code=$?; cat "$FAKE/agent/log" >"$FAKE/log-at-end" 2>/dev/null; exit $code';
    const { status, stderr } = spawnSync(
      "sh",
      ["-c", turn, "turn", ...this.shell, `${path}/agent/agent`, `${path}/agent`, ...more],
      { encoding: "utf8", env: { FAKE: path, PATH: process.env.PATH } },
    );
    if (status !== 0 || stderr !== "") throw new Error(`the agent ended with ${status}: ${stderr}`);
    return this.read("calls")
      .filter((line) => line.startsWith("restart "))
      .map((line) => line.slice(8))
      .sort();
  }

  /** The lines of a file of the machine. */
  read(name: string): readonly string[] {
    const path = `${this.folder.path}/${name}`;
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
  }

  /** `EVENT container: why` */
  events(): readonly string[] {
    return this.read("agent/log").map((line) => {
      const { event, container, why } = JSON.parse(line) as Record<string, string>;
      return `${event} ${container}: ${why}`;
    });
  }

  remove(): void {
    this.folder.remove();
  }
}
