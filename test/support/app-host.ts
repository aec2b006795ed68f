import { execFileSync } from "node:child_process";
import { docker } from "../lab/docker";
import type { LabHost } from "../lab/lab-host";

/**
 * How a version of the app behaves: it never listens (`deaf`), serves for three seconds more when it is to end (`slow`), or takes
 * its time for each answer and owes those that are under way when it is to end (`rude`).
 */
export type AppMode = "serve" | "deaf" | "slow" | "rude";

/** Answers its version on port 3000, over HTTP and UDP, and echoes what a websocket says; ends as a good server does. */
const APP = `
const { VERSION, MODE } = process.env;
if (MODE === "deaf") setInterval(() => {}, 1e6);
else {
  const server = require("node:http").createServer((_request, response) =>
    MODE === "rude" ? setTimeout(() => response.end(VERSION), 300) : response.end(VERSION));
  server.listen({ port: 3000, host: "::", backlog: 511 }).on("error", () => server.listen(3000, "0.0.0.0"));
  server.on("upgrade", ({ headers }, socket) => {
    const key = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    const accept = require("node:crypto").createHash("sha1").update(key).digest("base64");
    const head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: " + accept];
    socket.on("error", () => {}).write(head.join("\\r\\n") + "\\r\\n\\r\\n");
    socket.pipe(socket);
  });
  const udp = require("node:dgram").createSocket("udp4").bind(3000);
  udp.on("message", (_text, from) => udp.send(VERSION, from.port, from.address));
  process.on("SIGTERM", () => {
    if (MODE === "rude") process.exit(1);
    if (MODE === "slow") return setTimeout(() => process.exit(0), 3000);
    server.close(() => process.exit(0));
    udp.close();
  });
}
if (MODE === "deaf") process.on("SIGTERM", () => process.exit(0));
`;

const DOCKERFILE = (version: string, mode: string): string =>
  `FROM app-base\nENV VERSION=${version} MODE=${mode}\n`;
const BASE = `FROM scratch\nCOPY root /\nCOPY app.js /app.js\nCMD ["/node", "/app.js"]\n`;

/** Builds `app:<version>` on the host: a server with a queue of a real one's length, which the lab's busybox has not. */
export async function buildApp(host: LabHost, version: string, mode: AppMode = "serve"): Promise<void> {
  if ((await host.exec(["docker", "image", "inspect", "app-base"])).code !== 0) await buildBase(host);
  await host.must(["docker", "build", "-q", "-t", `app:${version}`, "-"], {
    input: DOCKERFILE(version, mode),
  });
}

/** This process's own Node with the libraries that it was linked to. */
async function buildBase(host: LabHost): Promise<void> {
  const linked = execFileSync("ldd", [process.execPath], { encoding: "utf8" });
  const libraries = linked.match(/\/[^\s()]+/g) ?? [];
  await host.must(["mkdir", "-p", "/root/app/root"]);
  await host.must(["sh", "-c", "cat >/root/app/app.js"], { input: APP });
  await host.must(["sh", "-c", "cat >/root/app/Dockerfile"], { input: BASE });
  for (const library of libraries) {
    await host.must(["sh", "-c", 'mkdir -p "/root/app/root${1%/*}"', "lib", library]);
    await docker(["cp", "-L", library, `${host.name}:/root/app/root${library}`]);
  }
  await docker(["cp", "-L", process.execPath, `${host.name}:/root/app/root/node`]);
  await host.must(["docker", "build", "-q", "-t", "app-base", "/root/app"]);
}
