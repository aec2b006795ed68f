import { createHash, randomBytes } from "node:crypto";
import { get } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { docker } from "./docker";
import { freePort } from "./free-port";
import { labRun, removeAtExit, removeContainer } from "./lab-run";

const BASE = "slipway-lab:trixie";
const LIMIT_MS = 30_000;
const POLL_MS = 40;
// Debian's own configuration asks for a password; JSON is YAML too, and stands on one line.
const CONFIG = JSON.stringify({
  version: "0.1",
  storage: { filesystem: { rootdirectory: "/var/lib/docker-registry" }, delete: { enabled: true } },
  http: { addr: ":5000" },
});
const RECIPE = `FROM ${BASE}
RUN apt-get update -qq \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker-registry \\
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb \\
 && echo '${CONFIG}' >/etc/docker/registry/config.yml
STOPSIGNAL SIGTERM
CMD ["/usr/bin/docker-registry", "serve", "/etc/docker/registry/config.yml"]
`;

/** An image registry, plain HTTP and open to all of the lab. */
export interface LabRegistry {
  /** `address:port` for lab hosts; their daemon needs it under `insecure-registries`. */
  readonly address: string;
  /** `127.0.0.1:port` for this machine. */
  readonly localAddress: string;
  stop(): Promise<void>;
  /** Starts it again after `stop`, with its images and on the same local address. */
  start(): Promise<void>;
  remove(): Promise<void>;
}

/** Starts Debian's docker-registry in a container of its own. The first time makes its image, about ten seconds. */
export async function startRegistry(): Promise<LabRegistry> {
  const run = await labRun();
  const image = await ensureImage();
  const name = `slipway-registry-${randomBytes(3).toString("hex")}`;
  const port = await freePort();
  removeAtExit(name);
  const storage = ["--volume", "/var/lib/docker-registry"];
  const published = ["--publish", `127.0.0.1:${port}:5000`];
  await docker(["run", "--detach", "--name", name, ...run.labelArgs, ...storage, ...published, image]);
  await waitUntilServing(port, name);
  const internal = await docker(["inspect", "--format", "{{.NetworkSettings.IPAddress}}", name]);
  return {
    address: `${internal}:5000`,
    localAddress: `127.0.0.1:${port}`,
    stop: async () => {
      await docker(["stop", name]);
    },
    start: async () => {
      await docker(["start", name]);
      await waitUntilServing(port, name);
    },
    remove: () => removeContainer(name),
  };
}

/** Tagged with what it was made from, so that a new base or recipe makes a new one. */
async function ensureImage(): Promise<string> {
  const base = await docker(["image", "inspect", "--format", "{{.Id}}", BASE]);
  const image = `slipway-lab-registry:${createHash("sha256").update(base).update(RECIPE).digest("hex").slice(0, 12)}`;
  const present = await docker(["image", "ls", "--quiet", image]);
  if (present === "") await docker(["build", "--quiet", "--tag", image, "-"], { input: RECIPE });
  return image;
}

async function waitUntilServing(port: number, name: string): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  while (!(await serves(port))) {
    if (Date.now() > deadline)
      throw new Error(`the lab's registry does not answer: ${await docker(["logs", name])}`);
    await pause(POLL_MS);
  }
}

function serves(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(
      { host: "127.0.0.1", port, path: "/v2/", agent: false, timeout: 2_000 },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}
