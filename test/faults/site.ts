import type { LabHost } from "../lab/lab-host";
import { until } from "../lab/until";
import { buildPage, startDockerHost } from "../support/web-host";
import { Edge } from "./edge";
import type { Way } from "./way";

/** What the images on the site are made of; their pages say the version. */
export const VERSIONS = ["v1", "v2", "v3"] as const;
/** Runs and never listens; exits at once. */
export const BROKEN = { deaf: "page:deaf", exit: "page:exit" } as const;

const FOREIGN = "neighbour";
const IMAGES = "/root/pages.tar";
const UP_MS = 90_000;

/** How large the engine's file system is where it is small. */
export const SMALL_DISK_MB = 64;
export const SMALL_ROOT = "/var/lib/small";
const SMALL_DISK = `systemctl stop docker.socket docker; mkdir -p ${SMALL_ROOT}; mount -t tmpfs -o size=${SMALL_DISK_MB}m small ${SMALL_ROOT}`;
/** Where the lab's registries are. */
const PRIVATE_NETWORKS = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/**
 * Asks whoever serves `$1` on port `$2` of the host for its page, or (`address`) each running container of it, or (`route`) as
 * often as there may be containers whoever is behind its route.
 */
const ASK = `
ask() { exec 3<>"/dev/tcp/$1/$2" && printf 'GET / HTTP/1.0\\r\\nHost: %s.example.com\\r\\n\\r\\n' "$3" >&3 && sed '1,/^\\r*$/d' <&3; }
export -f ask
case $2 in
  address) for address in $(docker ps -q --filter "label=slipway.service=$1" | xargs -r docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}'); do
    timeout 3 bash -c 'ask "$@"' ask "$address" 3000 "$1"; echo
  done ;;
  route) for turn in 1 2 3; do timeout 3 bash -c 'ask "$@"' ask 127.0.0.1 80 "$1" || break; echo; done ;;
  *) timeout 3 bash -c 'ask "$@"' ask 127.0.0.1 "$2" "$1" ;;
esac`;

/** Everything that bears the service's name, one thing a line. */
const LEFT = `
docker ps -a --filter "label=slipway.service=$1" --format 'container {{.Names}} ({{.State}})'
docker ps -a --format '{{.Names}}' | grep -E "^(slipway\\.lock\\.)?$1(-[0-9]+)?(\\..*)?\\$" | sed 's/^/container /'
docker images --format 'tag {{.Repository}}:{{.Tag}}' | grep -F "slipway/kept:$1-"
docker network ls --format 'network {{.Name}}' | grep -F "$1-"
docker volume ls --format 'volume {{.Name}}' | grep -F "slipway.secrets.$1"
{ iptables-save; ip6tables-save; } 2>/dev/null | grep -F "slipway:$1" | sed 's/^/rule /'
[ ! -e "/run/slipway/$1" ] || echo "/run/slipway/$1"
grep -rlF "$1." /var/lib/slipway/proxy 2>/dev/null
systemctl list-units --all --plain --no-legend "slipway-switch-$1.*" | sed 's/^/unit /'
:`;

/** What is on the host for everybody to read, or in a log. */
const SAID = `
docker ps -aq --filter "label=slipway.service=$1" | xargs -r docker inspect -f '{{json .Name}} {{json .Config.Labels}}'
cat /run/slipway/*/* 2>/dev/null
cat /var/lib/slipway/proxy/*/conf/* 2>/dev/null
journalctl --no-pager --quiet --output cat --since -15min
:`;

const KILL_PROGRAM = `
parent() { read -r stat <"/proc/$1/stat"; set -- \${stat##*) }; echo "$2"; }
read -r program _ <"/run/slipway/$1/pid"
loop=$(parent "$program")
case $2 in loop) kill -KILL "$loop" "$program" ;; keeper) keeper=$(parent "$loop") && [ "$keeper" -gt 1 ] && kill -KILL "$keeper" ;; esac`;

const SYSTEMD_RUN = "/usr/bin/systemd-run";

/** Says what it removed. */
const CLEAR = `
systemctl stop 'slipway-switch-svc*' 2>/dev/null
docker ps -a --format '{{.Names}}' | grep -E '^(slipway\\.lock\\.)?svc[0-9]+x' | xargs -r docker rm -f
docker images --format '{{.Repository}}:{{.Tag}}' | grep -F 'slipway/kept:svc' | xargs -r docker rmi
for table in iptables ip6tables; do
  ! $table-save -t nat 2>/dev/null | grep -q slipway: || { $table-save -t nat | grep -v slipway: | $table-restore; echo rules; }
done
rm -rf /run/slipway/svc*
for file in /var/lib/slipway/proxy/*/conf/50-svc*; do [ ! -e "$file" ] || { rm "$file"; echo route; }; done
:`;

/** A lab host with Docker, pages to deploy, and a neighbour that nobody of ours may touch. */
export class Site {
  readonly host: LabHost;
  private readonly smallDisk: boolean;
  private foreign = "";
  private proxy: Edge | undefined;
  private liveRestore = false;

  private constructor(host: LabHost, smallDisk: boolean) {
    this.host = host;
    this.smallDisk = smallDisk;
  }

  /** `smallDisk`: the engine's files have SMALL_DISK_MB. */
  static async start({ smallDisk = false }: { readonly smallDisk?: boolean } = {}): Promise<Site> {
    const host = await startDockerHost("bookworm");
    try {
      const site = new Site(host, smallDisk);
      if (smallDisk) await host.must(["sh", "-c", SMALL_DISK]);
      await site.configureEngine();
      for (const version of VERSIONS) await buildPage(host, version);
      await buildPage(host, "deaf", "deaf");
      await buildPage(host, "exit", "exit");
      const images = [...VERSIONS.map((version) => `page:${version}`), ...Object.values(BROKEN)];
      await host.must(["docker", "save", "-o", IMAGES, ...images]);
      await site.settle();
      return site;
    } catch (error) {
      await host.remove();
      throw error;
    }
  }

  /** The neighbour moves in where there is none. */
  async settle(): Promise<void> {
    const args = [
      "--restart",
      "always",
      "-v",
      "neighbours:/neighbours",
      "page:v1",
      "/bin/busybox",
      "sleep",
      "1000000",
    ];
    if ((await this.host.exec(["docker", "inspect", FOREIGN])).code !== 0)
      await this.host.must(["docker", "run", "-d", "--name", FOREIGN, ...args]);
    this.foreign = await this.neighbour();
  }

  /** Why the neighbour is not as it was; a restart of its machine or engine is none of ours. */
  async disturbed(afterRestart: boolean): Promise<string | undefined> {
    if (afterRestart)
      await until(
        "the neighbour to be up again",
        async () => (await this.neighbour()).includes(" true "),
        UP_MS,
      );
    const now = await this.neighbour();
    const same = (text: string): string => (afterRestart ? text.replace(/ started \S+/, "") : text);
    const before = this.foreign;
    this.foreign = now;
    return same(now) === same(before) ? undefined : `the neighbour was ${before}, and is ${now}`;
  }

  /** The proxy of this site; `useEdge` comes before. */
  get edge(): Edge {
    if (this.proxy === undefined) throw new Error("there is no proxy on this site yet");
    return this.proxy;
  }

  /** Starts the proxy where there is none yet; what an earlier case did to it is put right. */
  async useEdge(): Promise<void> {
    if (this.proxy === undefined) this.proxy = await Edge.start(this.host);
    else await this.proxy.up();
  }

  /** The pages that are served, without those that do not answer. `at`: a port of the host, or a way's entrance. */
  async served(service: string, at: number | Way["entrance"]): Promise<readonly string[]> {
    const { stdout } = await this.host.exec(["bash", "-c", ASK, "ask", service, String(at)]);
    return stdout.split("\n").filter((line) => line !== "");
  }

  /** What is left of a service, apart from `kept` things. */
  async left(service: string): Promise<readonly string[]> {
    const { stdout } = await this.host.exec(["sh", "-c", LEFT, "left", service]);
    return [...new Set(stdout.split("\n").filter((line) => line !== ""))];
  }

  /** Every place on the host where a secret must not be. */
  async said(service: string): Promise<string> {
    return (await this.host.exec(["sh", "-c", SAID, "said", service])).stdout;
  }

  /** Each container of the service with its id and start. */
  async containers(service: string): Promise<string> {
    const list = `docker ps -aq --filter "label=slipway.service=$1" | xargs -r docker inspect -f '{{.Name}} {{.Id}} {{.State.Status}} {{.State.StartedAt}}' | sort`;
    return this.host.must(["sh", "-c", list, "list", service]);
  }

  /** The same with policies, errors, rules and what the host-side program said, for a person to read. */
  async standing(service: string): Promise<string> {
    const look = `docker ps -aq --filter "label=slipway.service=$1" | xargs -r docker inspect -f '{{.Name}} {{.State.Status}} {{.HostConfig.RestartPolicy.Name}} {{.State.Error}} {{.State.StartedAt}} {{.State.FinishedAt}}'
iptables-save | grep -F "slipway:$1"; cat "/run/slipway/$1/events"; journalctl -u docker -n 15 --no-pager -o cat | grep level=error; :`;
    return (await this.host.exec(["sh", "-c", look, "look", service])).stdout;
  }

  /** Makes the images again, as whoever built them does. */
  async restoreImages(): Promise<void> {
    await this.host.must(["docker", "load", "-q", "-i", IMAGES]);
  }

  async restartEngine(): Promise<void> {
    await this.host.must(["sh", "-c", "systemctl reset-failed docker; systemctl restart docker"]);
    await this.engineUp();
  }

  /** Writes the engine's configuration where it is another, and restarts it. */
  async useLiveRestore(wanted: boolean): Promise<void> {
    if (wanted === this.liveRestore) return;
    this.liveRestore = wanted;
    await this.configureEngine();
    await this.disturbed(true);
  }

  /** The power goes and comes again. */
  async powerCycle(): Promise<void> {
    await this.host.kill();
    await this.host.start();
    await this.engineUp();
  }

  /** A shutdown in order, and a start. */
  async reboot(): Promise<void> {
    await this.host.stop();
    await this.host.start();
    await this.engineUp();
  }

  /** Kills what serves the connections that are open: sshd's children, not sshd. */
  async cutConnections(): Promise<void> {
    const kill = `pkill -KILL -P "$(systemctl show -p MainPID --value ssh)"; :`;
    await this.host.must(["sh", "-c", kill]);
  }

  /** A signal for the program that exchanges the containers of a service, by its id; it may have ended. */
  async signalProgram(service: string, signal: "KILL" | "STOP" | "CONT"): Promise<void> {
    const send = 'read -r pid _ <"/run/slipway/$1/pid" && kill -s "$2" "$pid"; :';
    await this.host.must(["sh", "-c", send, "signal", service, signal]);
  }

  /**
   * Kills at once the program that exchanges the containers of a service and the loop that starts it again, or who starts the
   * loop again. The loop has the program for a child, and is the keeper's.
   */
  async killProgram(service: string, whose: "loop" | "keeper"): Promise<void> {
    await this.host.must(["sh", "-c", KILL_PROGRAM, "kill", service, whose]);
  }

  /** Takes away what a switch looks for to find systemd. */
  async hideSystemd(): Promise<void> {
    await this.host.must(["mv", SYSTEMD_RUN, `${SYSTEMD_RUN}-hidden`]);
  }

  async showSystemd(): Promise<void> {
    await this.host.must(["mv", `${SYSTEMD_RUN}-hidden`, SYSTEMD_RUN]);
  }

  /** What a clean-up job does. */
  async prune(): Promise<void> {
    await this.host.must(["sh", "-c", "docker container prune -f && docker system prune -af"]);
  }

  /** Ends by hand what a case that broke left, so that it disturbs no other. */
  async clearAll(): Promise<void> {
    const { stdout } = await this.host.exec(["sh", "-c", CLEAR]);
    if (stdout.trim() === "") return;
    await this.restoreImages();
    await this.settle();
  }

  private async configureEngine(): Promise<void> {
    const config = {
      "insecure-registries": PRIVATE_NETWORKS,
      "live-restore": this.liveRestore,
      ...(this.smallDisk ? { "data-root": SMALL_ROOT } : {}),
    };
    const write = "mkdir -p /etc/docker; cat >/etc/docker/daemon.json";
    await this.host.must(["sh", "-c", write], { input: JSON.stringify(config) });
    await this.restartEngine();
  }

  private async engineUp(): Promise<void> {
    await until(
      "the engine to answer",
      async () => (await this.host.exec(["docker", "version"])).code === 0,
      UP_MS,
    );
  }

  private async neighbour(): Promise<string> {
    const format = "{{.Id}} {{.State.Running}} started {{.State.StartedAt}}";
    const { stdout } = await this.host.exec(["docker", "inspect", "-f", format, FOREIGN]);
    const volume = await this.host.exec([
      "docker",
      "volume",
      "inspect",
      "-f",
      "{{.CreatedAt}}",
      "neighbours",
    ]);
    return `${stdout.trim()} volume ${volume.stdout.trim()}`;
  }
}
