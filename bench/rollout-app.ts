import { docker } from "../test/lab/docker";
import type { LabHost } from "../test/lab/lab-host";
import { buildApp } from "../test/support/app-host";

/**
 * Answers its version on port 3000. At SIGTERM it ends as a good server does: it listens no more, answers what is under way,
 * tells kept connections to close, and ends with the last of them, after two seconds at most.
 */
const SERVER = `
const net = require("node:net");
let ending = false;
const server = require("node:http").createServer((request, response) => {
  if (ending) response.setHeader("connection", "close");
  response.end(process.env.VERSION);
});
server.keepAliveTimeout = 65_000;
server.listen({ port: 3000, host: "0.0.0.0", backlog: 511 });
process.on("SIGTERM", () => {
  ending = true;
  net.Server.prototype.close.call(server, () => process.exit(0));
  setTimeout(() => process.exit(0), 2_000).unref();
});
`;

const DOCKERFILE = `FROM app-base
ARG VERSION
ENV VERSION=\${VERSION}
CMD ${JSON.stringify(["/node", "-e", SERVER])}
`;

/**
 * Serves, but not where its own version serves already behind the host's port: the copy passes its gate, and the container
 * that is to take the port does not.
 */
const SICK_SERVER = `
const { readFileSync } = require("node:fs");
const route = readFileSync("/proc/net/route", "utf8").split("\\n").map((line) => line.split("\\t")).find((line) => line[1] === "00000000");
const gateway = route[2].match(/../g).reverse().map((two) => parseInt(two, 16)).join(".");
const serve = () => { ${SERVER} };
const request = require("node:http").get({ host: gateway, port: 80, agent: false, timeout: 1_000 }, (response) => {
  let body = "";
  response.on("data", (chunk) => (body += chunk)).on("end", () => {
    if (body !== process.env.VERSION) return serve();
    process.on("SIGTERM", () => process.exit(0));
    setInterval(() => {}, 1e6);
  });
});
request.on("timeout", () => request.destroy(new Error("late"))).on("error", serve);
`;

const SICK = `FROM app-base
ENV VERSION=sick
CMD ${JSON.stringify(["/node", "-e", SICK_SERVER])}
`;

/** The versions that stand on the host: `shop:v1`, `shop:v2` and so on. */
export const VERSIONS = ["v1", "v2", "v3", "v4", "v5", "v6"] as const;
/** Passes as a copy, fails in its place. */
export const SICK_IMAGE = "shop:sick";
/** Node alone, for clients in containers. */
export const CLIENT_IMAGE = "app-base";

/** Builds the versions of the service on the host. */
export async function buildShop(host: LabHost): Promise<void> {
  await buildApp(host, "base"); // makes app-base
  const build = (tag: string, input: string, version = ""): Promise<string> =>
    host.must(["docker", "build", "-q", "-t", tag, "--build-arg", `VERSION=${version}`, "-"], { input });
  for (const version of VERSIONS) await build(imageOf(version), DOCKERFILE, version);
  await build(SICK_IMAGE, SICK);
}

/** `shop:v2` */
export function imageOf(version: string): string {
  return `shop:${version}`;
}

/** What a start and a stop of the service cost by themselves, with docker alone. */
export interface AloneMs {
  /** From `docker start` to the first answer. */
  readonly startMs: number;
  readonly stopMs: number;
}

/** Times one start and one stop on the host itself, without anything of ours, with a port on all addresses as the service has. */
export async function timeAlone(host: LabHost): Promise<AloneMs> {
  await host.must(["docker", "create", "--name", "alone", "-p", "7999:3000", imageOf("v1")]);
  try {
    const printed = await docker(["exec", "--interactive", host.name, "bash", "-s"], { input: TIME_ALONE });
    const [startMs = Number.NaN, stopMs = Number.NaN] = printed.trim().split(" ").map(Number);
    return { startMs, stopMs };
  } finally {
    await host.exec(["docker", "rm", "-f", "alone"]);
  }
}

/** Its probes come one after another without a pause. */
const TIME_ALONE = `
trap '' PIPE
began=\${EPOCHREALTIME/./}
docker start alone >/dev/null
until { exec 3<>/dev/tcp/127.0.0.1/7999 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && read -r -t 2 line <&3; } 2>/dev/null; do sleep 0.005; done
answered=\${EPOCHREALTIME/./}
docker stop alone >/dev/null
echo $(((answered - began) / 1000)) $(((\${EPOCHREALTIME/./} - answered) / 1000))
`;
