import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { appContext } from "./app-context";
import type { DemoHost, Look } from "./demo-host";

const ADDRESS = /^(?:(?<user>[^@\s]+)@)?(?<host>\[[0-9a-fA-F:]+\]|[^\s:@]+)(?::(?<port>\d+))?$/;
const KEYS = ["id_ed25519", "id_ecdsa", "id_rsa"];

/**
 * A machine of the user's, looked at through the user's own `ssh`. Its host key has to be in known_hosts.
 * @throws Error when the address is none, or the machine cannot be reached by ssh without a question
 */
export async function realDemoHost(address: string): Promise<DemoHost> {
  const { user = "root", host: bracketed, port = "22" } = ADDRESS.exec(address)?.groups ?? {};
  const host = bracketed?.replace(/^\[|\]$/g, "");
  if (host === undefined) throw new Error(`--host ${address}: an address is user@host or user@host:port`);
  const key = KEYS.map((name) => path.join(homedir(), ".ssh", name)).find((file) => existsSync(file));
  const target = ["-o", "BatchMode=yes", "-p", port, "-l", user, "--", host];
  const context = appContext();
  const look = (script: string): Promise<Look> => overSsh(target, script);
  const first = await look("id -u");
  if (first.code !== 0) throw new Error(`ssh ${address} does not work from here: ${first.out.trim()}`);
  return {
    label: `${user}@${host}:${port}`,
    dockerVersion: undefined,
    url: `http://${host.includes(":") ? `[${host}]` : host}:${WEB_PORT}`,
    config: {
      host,
      port,
      user,
      dockerVersion: ">=20.10.0",
      source: "distro",
      webPort: WEB_PORT,
      context,
      ...(key === undefined ? {} : { privateKeyPath: key }),
    },
    // a user who has just been put into the docker group sees it in the next session; sudo serves until then
    look: (script) => look(`docker() { command docker "$@" 2>/dev/null || sudo -n docker "$@"; }\n${script}`),
    dispose() {
      rmSync(context, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}

const WEB_PORT = "8080";

function overSsh(target: readonly string[], script: string): Promise<Look> {
  return new Promise((resolve, reject) => {
    const child = spawn("ssh", [...target, "sh", "-s"], { stdio: ["pipe", "pipe", "pipe"] });
    let out = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? -1, out }));
    child.stdin.end(script);
  });
}
