import { systemClock } from "../../provider/clock";
import type { HandlerContext, Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { silentLog } from "../../provider/log";
import { isObject } from "../../provider/values";
import { busyboxPath } from "../lab/busybox";
import { docker } from "../lab/docker";
import { type LabHost, startLabHost } from "../lab/lab-host";

const DOCKERFILE = "FROM scratch\nCOPY busybox /bin/busybox\nSTOPSIGNAL SIGKILL\n";
const QUICK = ["--health-interval", "1s", "--health-retries", "2", "--health-timeout", "5s"];

const RESTARTS = "/root/restarts";

/** What a container without a page runs. */
export const SLEEP = ["probe-me", "/bin/busybox", "sleep", "100000"];

/** Healthy until somebody touches /run/sick; /run is empty again after a restart. */
export const SICK_FILE = "! /bin/busybox test -e /run/sick";

/** A lab host with Docker whose containers can be made unhealthy, and what a policy kept to say. */
export class HealthHost {
  readonly kept: string[] = [];
  readonly lab: LabHost;

  private constructor(lab: LabHost) {
    this.lab = lab;
  }

  static async start(): Promise<HealthHost> {
    const lab = await startLabHost({ suite: "bookworm" });
    await lab.must(["apt-get", "update", "-qq"]);
    const install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "docker.io", "curl"];
    await lab.must(["env", "DEBIAN_FRONTEND=noninteractive", ...install]);
    return HealthHost.on(lab);
  }

  /** On a machine that has Docker. */
  static async on(lab: LabHost): Promise<HealthHost> {
    await lab.must(["mkdir", "-p", "/root/image"]);
    await docker(["cp", await busyboxPath(), `${lab.name}:/root/image/busybox`]);
    await lab.must(["sh", "-c", "cat > /root/image/Dockerfile"], { input: DOCKERFILE });
    await lab.must(["docker", "build", "-q", "-t", "probe-me", "/root/image"]);
    return new HealthHost(lab);
  }

  async remove(): Promise<void> {
    closeConnections();
    await this.lab.remove();
  }

  /** Removes every container, and forgets what was kept. */
  async clear(): Promise<void> {
    this.kept.length = 0;
    await this.lab.exec(["sh", "-c", "docker rm -f $(docker ps -aq)"]);
  }

  get target(): string {
    return `root@127.0.0.1:${this.lab.sshPort}`;
  }

  context(): HandlerContext {
    const keep = (text: string): void => void this.kept.push(text);
    return {
      urn: "",
      name: "health",
      log: { ...silentLog, keep, warn: keep },
      clock: systemClock,
      random: Math.random,
      signal: new AbortController().signal,
      holder: "test",
      stack: "test/test",
    };
  }

  inputs(more: Properties = {}): Properties {
    return { name: "health", hosts: [this.lab.connection()], backoff: "100ms", ...more };
  }

  /** A container that is nobody's, as its options say; its /run is empty again after a restart. */
  stranger(name: string, check: string, ...options: readonly string[]): Promise<string> {
    return this.lab.must([
      ...["docker", "run", "-d", "--name", name, "--restart", "unless-stopped", "--tmpfs", "/run"],
      ...(check === "" ? [] : ["--health-cmd", check, ...QUICK]),
      // the image has no shell, with which Docker tries a check: so one is put there
      ...["-v", "/root/image/busybox:/bin/sh:ro", ...options, ...SLEEP],
    ]);
  }

  /** One of a service's containers. */
  replica(service: string, slot: number, check: string, ...options: readonly string[]): Promise<string> {
    const labels = ["--label", `slipway.service=${service}`, "--label", `slipway.slot=${slot}`];
    return this.stranger(slot === 1 ? service : `${service}-${slot}`, check, ...labels, ...options);
  }

  /** Makes a container unhealthy whose check is SICK_FILE; an agent may have restarted it before anybody has seen it so. */
  async makeSick(name: string): Promise<void> {
    const before = await this.startedAt(name);
    await this.lab.must(["docker", "exec", name, "/bin/busybox", "touch", "/run/sick"]);
    const look = `docker inspect -f '{{.State.Health.Status}} {{.State.StartedAt}}' "$1"`;
    const text = `until now=$(${look}) && { [ "\${now%% *}" = unhealthy ] || [ "\${now#* }" != "$2" ]; }; do sleep 0.2; done`;
    await this.lab.must(["timeout", "60", "sh", "-c", text, "until", name, before]);
  }

  startedAt(name: string): Promise<string> {
    return this.lab.must(["docker", "inspect", "-f", "{{.State.StartedAt}}", name]);
  }

  async untilDocker(name: string, status: string, seconds = 60): Promise<void> {
    const text = `until [ "$(docker inspect -f '{{.State.Health.Status}}' "$1")" = "$2" ]; do sleep 0.2; done`;
    await this.lab.must(["timeout", String(seconds), "sh", "-c", text, "until", name, status]);
  }

  /** Notes restarts from now on. The engine itself keeps the last 256 events only, and every probe makes three. */
  async noteRestarts(): Promise<void> {
    const filters = "--filter type=container --filter event=restart";
    const format = "--format '{{.Actor.Attributes.name}} {{.TimeNano}}'";
    const follow = `setsid docker events --since "$(date +%s)" ${filters} ${format} >${RESTARTS} 2>&1 </dev/null &`;
    await this.lab.must(["sh", "-c", follow]);
  }

  /** When the container of this name was restarted since `noteRestarts`, in seconds. */
  async restartsOf(name: string): Promise<readonly number[]> {
    const lines = (await this.lab.must(["cat", RESTARTS])).split("\n").map((line) => line.split(" "));
    return lines.filter(([who]) => who === name).map(([, at]) => Number(at) / 1e9);
  }
}

/** `web running healthy`, a line a container of the report. */
export function rowsOf(outputs: Properties): readonly string[] {
  const report = outputs.report as readonly unknown[];
  return report.filter(isObject).map(({ name, state, health }) => [name, state, health].join(" "));
}
