import type Docker from "dockerode";
import { observeContainer } from "../../provider/container/inspect";
import type { ObservedContainer } from "../../provider/container/observed";
import type { PortSpec } from "../../provider/container/spec";
import type { HostSession } from "../../provider/host/session";
import { silentLog } from "../../provider/log";
import { bridgedConditions } from "../../provider/switch/conditions";
import { copyBindings, observeCopy, publishedBindings } from "../../provider/switch/observe-copy";
import { observeSwitch } from "../../provider/switch/observe-switch";
import { runSwitch } from "../../provider/switch/run-switch";
import type { SwitchResult } from "../../provider/switch/switch-event";
import { longestSwitchMs, type SwitchCheck, type SwitchOrder } from "../../provider/switch/switch-order";
import type { LabHost } from "../lab/lab-host";
import { until } from "../lab/until";

export const PORT = 3000;
export const HTTP_CHECK: SwitchCheck = {
  test: { kind: "http", port: PORT, path: "/" },
  timeoutMs: 3_000,
};

/** How a switch is set up; what is not given is a service "web" on port 80. */
export interface SceneOptions {
  readonly way?: "bridged" | "plain";
  readonly service?: string;
  readonly ports?: readonly PortSpec[];
  readonly network?: string;
  readonly from?: string;
  readonly to?: string;
  /** The candidate's image where it is another than the copy's. @default `to` */
  readonly next?: string;
  readonly order?: Partial<SwitchOrder>;
  readonly check?: SwitchCheck | undefined;
  readonly nextMs?: { readonly minHealthyMs: number; readonly deadlineMs: number };
}

/** A live container, its copy up, its successor created: all that stands when the program begins. */
export interface Scene {
  readonly order: SwitchOrder;
  readonly service: string;
  readonly old: string;
  readonly next: string;
  readonly copy: string | undefined;
}

/** Sets the scene over the connection, as a rollout does. */
export async function setScene(session: HostSession, options: SceneOptions = {}): Promise<Scene> {
  const { way = "bridged", service = "web", network = "default", from = "app:v1", to = "app:v2" } = options;
  const ports = options.ports ?? [{ container: PORT, host: 80, protocol: "tcp" as const }];
  const check = "check" in options ? options.check : HTTP_CHECK;
  const docker = await session.docker();
  const bindings = portBindings(ports);
  const old = await run(docker, service, from, network, bindings, "unless-stopped");
  const host = await observeSwitch(session, service);
  const choice = bridgedConditions(host, { networkMode: network, ports, sharesWritableMount: false });
  let copy: ObservedContainer | undefined;
  let place: SwitchOrder["way"] = { kind: "plain" };
  if (way === "bridged") {
    if (choice.kind === "plain") throw new Error(choice.why);
    const bindingsOf = copyBindings(ports, host, choice.network) as Record<
      string,
      { HostIp: string; HostPort: string }[]
    >;
    copy = await run(docker, `${service}.try`, to, network, bindingsOf, "no");
    const seen = await observeCopy(session, copy, host, choice.network);
    if (seen === undefined) throw new Error("no rules of Docker's for the copy");
    place = { kind: "bridged", copy: seen };
    await up(session, seen.relays[0]?.loopback ?? 0);
  }
  const next = await create(docker, `${service}.next`, options.next ?? to, network, bindings, "no");
  const order: SwitchOrder = {
    service,
    way: place,
    old: { id: old.id, check, minHealthyMs: 200, deadlineMs: 20_000, restart: "unless-stopped" },
    next: { id: next.id, check, ...(options.nextMs ?? { minHealthyMs: 500, deadlineMs: 5_000 }) },
    ports: publishedBindings(old),
    stopTimeoutMs: 5_000,
    drainMs: 5_000,
    deadlineMs: 60_000,
    backMs: 60_000,
    ...options.order,
  };
  return { order, service, old: old.id, next: next.id, copy: copy?.id };
}

/** Starts the program and follows it to its end. */
export async function exchange(
  session: HostSession,
  { order }: Scene,
  options: { readonly program?: string; readonly signal?: AbortSignal } = {},
): Promise<SwitchResult> {
  const { program, signal = new AbortController().signal } = options;
  const how = { log: silentLog, limitMs: longestSwitchMs(order), signal, until: "gone" as const };
  return runSwitch(session, order, program === undefined ? how : { ...how, program });
}

/** What stands: each container's name and state, and the rules of ours. */
export async function standing(
  host: LabHost,
): Promise<{ readonly containers: readonly string[]; readonly rules: number }> {
  const names = await host.must(["docker", "ps", "-a", "--format", "{{.Names}} {{.State}}"]);
  const rules = await host.exec(["sh", "-c", "iptables-save; ip6tables-save; :"]);
  return {
    containers: names.split("\n").sort(),
    rules: rules.stdout.split("\n").filter((line) => line.includes("slipway:")).length,
  };
}

/** Ends what a test left: programs, rules, containers. */
export async function clear(host: LabHost): Promise<void> {
  const rules = "iptables-save -t nat | grep -v slipway: | iptables-restore";
  await host.exec(["sh", "-c", "for load in /root/load/*/; do : >$load/stop; done"]);
  await host.exec(["sh", "-c", `systemctl stop 'slipway-switch-*'; docker rm -f $(docker ps -aq); ${rules}`]);
  await host.exec(["sh", "-c", "ip6tables-save -t nat | grep -v slipway: | ip6tables-restore"]);
}

/** The log of the program as it is on the host. */
export async function eventsOn(host: LabHost, service: string): Promise<string> {
  return (await host.exec(["cat", `/run/slipway/${service}/events`])).stdout;
}

function portBindings(ports: readonly PortSpec[]): Record<string, { HostIp: string; HostPort: string }[]> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { container, protocol, host, hostIp = "" } of ports)
    (bindings[`${container}/${protocol}`] ??= []).push({ HostIp: hostIp, HostPort: String(host ?? "") });
  return bindings;
}

async function create(
  docker: Docker,
  name: string,
  image: string,
  network: string,
  bindings: Record<string, { HostIp: string; HostPort: string }[]>,
  restart: string,
): Promise<Docker.Container> {
  return docker.createContainer({
    name,
    Image: image,
    ExposedPorts: Object.fromEntries(Object.keys(bindings).map((key) => [key, {}])),
    HostConfig: { NetworkMode: network, PortBindings: bindings, RestartPolicy: { Name: restart } },
  });
}

async function run(...args: Parameters<typeof create>): Promise<ObservedContainer> {
  const container = await create(...args);
  await container.start();
  const observed = await observeContainer(args[0], container.id);
  if (observed === undefined) throw new Error(`${args[1]} is gone`);
  return observed;
}

async function up(session: HostSession, port: number): Promise<void> {
  await until("the copy to answer", async () => {
    const ask = `exec 3<>/dev/tcp/127.0.0.1/${port} && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q 200 <&3`;
    const outcome = await session.exec(["bash", "-c", ask]);
    return outcome.kind === "exited" && outcome.code === 0;
  });
}
