import { readFileSync } from "node:fs";
import { askDocker, docker } from "./docker";

/** The first of them is bit 0 of the kernel's masks. */
const CAPABILITIES =
  "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service " +
  "net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin " +
  "sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override " +
  "mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore";

/** systemd of Debian 13 takes cgroup v1 only when told so on its command line. */
const LEGACY_CGROUPS = "systemd.unified_cgroup_hierarchy=0 SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1";

let known: Promise<readonly string[]> | undefined;

/** The arguments that let a container be a machine: systemd inside, and Docker inside that. Asked once per process. */
export function machinePower(image: string): Promise<readonly string[]> {
  known ??= findPower(image);
  return known;
}

async function findPower(image: string): Promise<readonly string[]> {
  const cgroups = await cgroupArgs();
  const privileged = await askDocker(["run", "--rm", "--privileged", "--network", "none", image, "true"]);
  if (privileged.code === 0) return ["--privileged", ...cgroups];
  const unconfined = ["seccomp", "apparmor", "systempaths"].flatMap((what) => [
    "--security-opt",
    `${what}=unconfined`,
  ]);
  return [...capabilityArgs(), ...unconfined, "--device-cgroup-rule", "a *:* rwm", ...cgroups];
}

async function cgroupArgs(): Promise<readonly string[]> {
  if ((await docker(["info", "--format", "{{.CgroupVersion}}"])) === "2") return ["--cgroupns", "private"];
  const tree = ["--cgroupns", "host", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup"];
  return [...tree, "--env", `SYSTEMD_PROC_CMDLINE=${LEGACY_CGROUPS}`];
}

/** All that this machine has itself; --privileged asks for what a sandbox may lack, and then fails. */
function capabilityArgs(): readonly string[] {
  const mask = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  const bits = BigInt(`0x${mask}`);
  const missing = CAPABILITIES.split(" ").filter((_name, bit) => ((bits >> BigInt(bit)) & 1n) === 0n);
  return ["--cap-add", "all", ...missing.flatMap((name) => ["--cap-drop", name])];
}
