import type { LabHost } from "../lab/lab-host";
import { until } from "../lab/until";

/** What one client saw. */
export interface LoadReport {
  readonly name: string;
  readonly requests: number;
  /** Refused, reset, not answered with 200, or answered after more than 3 s. */
  readonly failed: number;
  readonly slowestMs: number;
}

/**
 * A client asks one request after another, each over a connection of its own, until the file `stop` is there. A connection
 * that is reset under its hands is a failed request, not the end of the shell.
 */
const ASK = `
trap '' PIPE
folder=\${0%/*} host=$1 port=$2 name=$3 protocol=$4 ok=0 bad=0 slowest=0 letters=15
[ "$protocol" != udp ] || letters=2
exec 9<>"$folder/pause"
while [ ! -e "$folder/stop" ]; do
  began=\${EPOCHREALTIME/./} line=
  { exec 3<>"/dev/$protocol/$host/$port" && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && IFS= read -r -n "$letters" -t 3 line <&3; } 2>/dev/null
  took=$(((\${EPOCHREALTIME/./} - began) / 1000))
  exec 3>&-
  if [[ ( $line == *" 200 "* || $protocol == udp && $line == v* ) && $took -le 3000 ]]; then ok=$((ok + 1)); else bad=$((bad + 1)); fi
  [ "$took" -le "$slowest" ] || slowest=$took
  echo "$ok $bad $slowest" >"$folder/$name.now"
  read -r -t 0.005 -u 9 _
done
echo "$ok $bad $slowest" >"$folder/$name.done"
`;

const FOLDER = "/root/load";
let loads = 0;

/** A shell that speaks TCP by itself, with the libraries of the host it runs on. */
const IMAGE = `mkdir -p ${FOLDER}-image/root && cd ${FOLDER}-image && rm -rf root/* && cp --parents /bin/bash $(ldd /bin/bash |
  grep -o '/lib[^ ]*') root && printf 'FROM scratch\\nCOPY root /\\n' >Dockerfile && docker build -q -t ask . `;

/** Clients on the host and in its containers. */
export class SwitchLoad {
  private readonly host: LabHost;
  private readonly folder: string;
  private readonly names: string[] = [];

  private constructor(host: LabHost, folder: string) {
    this.host = host;
    this.folder = folder;
  }

  static async on(host: LabHost): Promise<SwitchLoad> {
    // the clients of a test that failed may still write where they were
    const folder = `${FOLDER}/${process.pid}-${++loads}`;
    const fresh = `mkdir -p ${folder} && mkfifo ${folder}/pause && cat >${folder}/ask`;
    await host.must(["sh", "-c", fresh], { input: ASK });
    if ((await host.exec(["docker", "image", "inspect", "ask"])).code !== 0)
      await host.must(["sh", "-c", IMAGE]);
    return new SwitchLoad(host, folder);
  }

  /** `wrap`: what the client is started by, such as `ip netns exec NAME`. */
  async fromHost(
    name: string,
    address: string,
    port = 80,
    wrap: readonly string[] = [],
    protocol: "tcp" | "udp" = "tcp",
  ): Promise<void> {
    const ask = [...wrap, "bash", `${this.folder}/ask`, address, String(port), name, protocol];
    await this.host.must(["sh", "-c", 'setsid "$@" </dev/null >/dev/null 2>&1 &', "load", ...ask]);
    await this.begun(name);
  }

  async fromContainer(name: string, address: string, port: number, network: string): Promise<void> {
    const args = ["-d", "--name", `load-${name}`, "--network", network, "-v", `${this.folder}:/load`, "ask"];
    await this.host.must([
      "docker",
      "run",
      ...args,
      "/bin/bash",
      "/load/ask",
      address,
      String(port),
      name,
      "tcp",
    ]);
    await this.begun(name);
  }

  /** Ends all clients, and says what they saw. */
  async stop(): Promise<readonly LoadReport[]> {
    await this.host.must(["touch", `${this.folder}/stop`]);
    const reports: LoadReport[] = [];
    for (const name of this.names) {
      let text = "";
      await until(`the load ${name} to end`, async () => {
        text = (await this.host.exec(["cat", `${this.folder}/${name}.done`])).stdout;
        return text !== "";
      });
      const [ok = 0, failed = 0, slowestMs = 0] = text.trim().split(" ").map(Number);
      reports.push({ name, requests: ok + failed, failed, slowestMs });
      await this.host.exec(["docker", "rm", "-f", `load-${name}`]);
    }
    return reports;
  }

  private async begun(name: string): Promise<void> {
    this.names.push(name);
    await until(`the load ${name} to begin`, async () =>
      /^[1-9]/.test((await this.host.exec(["cat", `${this.folder}/${name}.now`])).stdout),
    );
  }
}
