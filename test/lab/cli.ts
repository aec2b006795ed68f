import { spawn } from "node:child_process";
import { listContainers, labRun, removeContainer } from "./lab-run";
import { docker } from "./docker";
import { startLabHost, type Suite } from "./lab-host";

const USAGE = `npm run lab -- up NAME [bookworm|trixie]   start a bare host that stays
npm run lab -- down NAME                     remove it with its data
npm run lab -- ssh NAME [user]               log in (root, deploy, limited, plain)
npm run lab -- list                          the hosts that stay`;
const KEPT = ["label=slipway.lab=kept"];

async function up(name: string, suite: Suite): Promise<number> {
  const host = await startLabHost({ name, suite, keep: true });
  const seconds = (host.startedInMs / 1000).toFixed(1);
  console.log(`${name}: ${suite}, up in ${seconds} s; npm run lab -- ssh ${name}`);
  console.log(`  connection   root@${host.address}:${host.sshPort}, key file ${host.privateKeyPath}`);
  console.log(`  host key     ${host.hostKeyFingerprint}`);
  console.log(
    `  web ports    ${Object.entries(host.webPorts)
      .map(([inside, outside]) => `${inside} at ${host.address}:${outside}`)
      .join(", ")}`,
  );
  console.log(`  passwords    limited ${host.passwords.limited}, plain ${host.passwords.plain}`);
  return 0;
}

async function down(name: string): Promise<number> {
  await mustBeKept(name);
  await removeContainer(name);
  return 0;
}

async function ssh(name: string, user: string): Promise<number> {
  await mustBeKept(name);
  const { privateKeyPath } = await labRun({ keep: true });
  const port = (await docker(["port", name, "22/tcp"])).split(":").at(-1) ?? "";
  // The address is used again by other hosts with other keys: what is learned here is not to be remembered.
  const unknown = [
    "-o",
    "StrictHostKeyChecking=no",
    "-o",
    "UserKnownHostsFile=/dev/null",
    "-o",
    "LogLevel=ERROR",
  ];
  const child = spawn("ssh", ["-i", privateKeyPath, "-p", port, ...unknown, `${user}@127.0.0.1`], {
    stdio: "inherit",
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

async function mustBeKept(name: string): Promise<void> {
  const hosts = await listContainers(KEPT);
  if (!hosts.includes(name)) throw new Error(`no lab host ${name}; there are: ${hosts.join(", ") || "none"}`);
}

async function main([verb, name, third]: readonly string[]): Promise<number> {
  if (verb === "list") {
    for (const host of await listContainers(KEPT)) console.log(host);
    return 0;
  }
  if (name !== undefined) {
    if (verb === "up" && (third === undefined || third === "bookworm" || third === "trixie")) {
      return up(name, third ?? "bookworm");
    }
    if (verb === "down") return down(name);
    if (verb === "ssh") return ssh(name, third ?? "root");
  }
  console.error(USAGE);
  return 2;
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  },
);
