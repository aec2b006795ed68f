import assert from "node:assert/strict";
import { once } from "node:events";
import { type Server, createServer } from "node:http";
import type { Socket } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { isSlipwayError } from "../../provider/errors";
import { closeConnections, withHost } from "../../provider/host/pool";
import type { HostSession } from "../../provider/host/session";
import { until } from "../lab/until";
import { borrower } from "../support/borrow";
import { type SshServerOptions, type SshTestServer, runInShell, startSshServer } from "../support/ssh-server";
import { TemporaryFolder } from "../support/temporary-folder";

describe("the engine over SSH", () => {
  let folder: TemporaryFolder;
  let engineSocket: string;
  let engine: Server;
  let server: SshTestServer;
  let apiVersion: string;
  let oldestApi: number;
  let onBody: () => void;
  let connections: number;
  const paths: string[] = [];

  beforeEach(async () => {
    folder = new TemporaryFolder();
    engineSocket = join(folder.path, "docker.sock");
    apiVersion = "1.45";
    oldestApi = 24;
    onBody = () => {};
    connections = 0;
    paths.length = 0;
    engine = createServer((request, response) => {
      paths.push(request.url ?? "");
      response.setHeader("Api-Version", apiVersion);
      if (Number(/^[/]v1[.](\d+)/.exec(request.url ?? "")?.[1] ?? 99) < oldestApi)
        response.writeHead(400).end('{"message":"client version is too old"}');
      else if (request.url?.endsWith("/info")) {
        response.writeHead(200, { "Content-Length": 100 }).write("{");
        setImmediate(() => response.destroy());
      } else if (request.url?.includes("/missing/"))
        response.writeHead(404).end('{"message":"no such container"}');
      else if (request.url?.includes("/silent/") || request.url?.endsWith("/images/load"))
        request.once("data", onBody);
      else if (request.url?.includes("/events")) response.writeHead(200).write('{"Action":"start"}\n');
      else response.writeHead(200).end('{"Version":"26.1.5"}');
    });
    engine.on("connection", () => connections++);
    // exec attach: the connection becomes a raw stream both ways
    engine.on("upgrade", (_request, socket: Socket) => {
      socket.write("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nfirst ");
      socket.once("data", (chunk) => socket.end(chunk));
    });
    engine.listen(engineSocket);
    await once(engine, "listening");
  });
  afterEach(async () => {
    closeConnections();
    await server.stop();
    engine.closeAllConnections();
    engine.close();
    folder.remove();
  });

  const start = async (options: SshServerOptions): Promise<void> => {
    server = await startSshServer(options);
  };
  const onHost = <T>(use: (session: HostSession) => Promise<T>, { options } = borrower()): Promise<T> =>
    withHost(server.connection, options, use);
  it("must speak the newest API that both sides know", async () => {
    await start({ engineSocket });
    assert.deepEqual(await onHost(async (host) => (await host.docker()).version()), { Version: "26.1.5" });
    assert.deepEqual(paths, ["/_ping", "/v1.45/version"]);
  });

  it("must negotiate once a connection, and again when the daemon restarted as another version", async () => {
    await start({ engineSocket });
    await Promise.all(Array.from({ length: 5 }, () => onHost((host) => host.docker())));
    await onHost(async (host) => (await host.docker()).version());
    apiVersion = "1.47";
    engine.closeIdleConnections();
    await until("the end of the idle channel", () => server.counts.streamLocalOpen === 0, 5_000);
    await onHost(async (host) => (await host.docker()).version());
    assert.deepEqual(paths, ["/_ping", "/v1.45/version", "/_ping", "/v1.47/version"]);
  });

  it("must speak the newest API that it knows with an engine that is newer", async () => {
    await start({ engineSocket });
    apiVersion = "1.99";
    await onHost(async (host) => (await host.docker()).version());
    assert.deepEqual(paths, ["/_ping", "/v1.56/_ping", "/v1.56/version"]);
  });

  it("must refuse an engine that is too old", async () => {
    await start({ engineSocket });
    apiVersion = "1.24";
    await assert.rejects(
      onHost((host) => host.docker()),
      (error) => isSlipwayError(error, "engine-unreachable") && error.message.includes("API 1.24"),
    );
  });

  it("must say so when an engine no longer takes any API that we speak", async () => {
    await start({ engineSocket });
    apiVersion = "1.99";
    oldestApi = 60;
    await assert.rejects(
      onHost((host) => host.docker()),
      (error) =>
        isSlipwayError(error, "engine-unreachable") && error.message.includes("no longer takes 1.56"),
    );
  });

  it("must make forty calls at once over at most twenty channels", async () => {
    await start({ engineSocket });
    await onHost(async (host) => {
      const docker = await host.docker();
      await Promise.all(Array.from({ length: 40 }, () => docker.version()));
    });
    assert.ok(connections <= 20, `${connections} channels`);
    assert.equal(server.counts.streamLocal, connections);
    assert.equal(server.counts.streamLocalOpen, connections, "kept for the next calls");
  });

  it("must keep streams apart from the channels for calls", async () => {
    await start({ engineSocket });
    await onHost(async (host) => {
      const docker = await host.docker();
      const streams = await Promise.all(Array.from({ length: 10 }, () => docker.getEvents()));
      assert.deepEqual(await docker.version(), { Version: "26.1.5" });
      for (const stream of streams) (stream as unknown as Socket).destroy();
    });
  });

  it("must carry a hijacked stream both ways", async () => {
    await start({ engineSocket });
    await onHost(async (host) => {
      const docker = await host.docker();
      const stream = await docker.getExec("x").start({ hijack: true, stdin: true });
      stream.write("second");
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      assert.equal(Buffer.concat(chunks).toString(), "first second");
    });
  });

  it("must keep the engine's status codes", async () => {
    await start({ engineSocket });
    await onHost(async (host) => {
      const docker = await host.docker();
      await assert.rejects(docker.getContainer("missing").inspect(), { statusCode: 404 });
    });
  });

  it("must fail when an answer breaks off, and when the line is lost", async () => {
    await start({ engineSocket });
    await onHost(async (host) => {
      const docker = await host.docker();
      await assert.rejects(docker.info(), (error) => isSlipwayError(error, "connection-lost"));
      const calling = docker.version();
      server.drop();
      await assert.rejects(calling, (error) => isSlipwayError(error, "connection-lost"));
    });
  });

  it("must call over a new channel when the daemon restarted while the old one was idle", async () => {
    await start({ engineSocket });
    await onHost(async (host) => {
      const docker = await host.docker();
      await docker.version();
      assert.equal(server.counts.streamLocal, 1);
      engine.closeIdleConnections();
      await until("the end of the idle channel", () => server.counts.streamLocalOpen === 0, 5_000);
      assert.deepEqual(await docker.version(), { Version: "26.1.5" });
      assert.equal(server.counts.streamLocal, 2);
    });
  });

  it("must log each call without its query", async () => {
    await start({ engineSocket });
    const who = borrower();
    await onHost(
      async (host) => (await host.docker()).listContainers({ filters: { label: ["canary"] } }),
      who,
    );
    const all = who.lines.join("\n");
    assert.match(all, /GET \/v1\.45\/containers\/json -> 200, \d+ms/);
    assert.ok(!all.includes("canary"), all);
  });

  it("must fail a call that waits for its answer when the line is lost", async () => {
    await start({ engineSocket });
    await onHost(async (host) => {
      const docker = await host.docker();
      const calling = docker.getContainer("silent").inspect();
      await until("the call", () => paths.some((path) => path.includes("/silent/")), 5_000);
      server.drop();
      await assert.rejects(calling, (error) => isSlipwayError(error, "connection-lost"));
    });
  });

  it("must fail an upload that the line is lost in the middle of", async () => {
    await start({ engineSocket });
    await onHost(async (host) => {
      const docker = await host.docker();
      onBody = () => server.drop();
      const endless = Readable.from(chunks());
      await assert.rejects(
        docker.loadImage(endless),
        (error) => isSlipwayError(error, "connection-lost") && error.message.includes(host.target),
      );
      endless.destroy();
    });
  });

  it("must not take a hijacked stream's loss for its end", async () => {
    await start({ engineSocket });
    await onHost(async (host) => {
      const docker = await host.docker();
      const stream = await docker.getExec("x").start({ hijack: true, stdin: true });
      await once(stream, "data");
      const reading = finished(stream);
      server.drop();
      await assert.rejects(reading, (error) => isSlipwayError(error, "connection-lost"));
    });
  });

  it("must read nothing of DOCKER_HOST and its like", async () => {
    const nonsense = {
      DOCKER_HOST: "tcp://nowhere:2376",
      DOCKER_CERT_PATH: "/nowhere",
      DOCKER_TLS_VERIFY: "1",
    };
    const before = { ...process.env };
    Object.assign(process.env, nonsense);
    try {
      await start({ engineSocket });
      await onHost(async (host) => (await host.docker()).version());
      assert.equal(process.env.DOCKER_HOST, nonsense.DOCKER_HOST);
    } finally {
      for (const name of Object.keys(nonsense)) {
        if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = before[name];
      }
    }
  });

  it("must name every way it tried", async () => {
    await start({ onExec: (line, channel) => runInShell(line.replaceAll("docker", "no-docker"), channel) });
    await assert.rejects(
      onHost((host) => host.docker()),
      (error) =>
        isSlipwayError(error, "engine-unreachable") &&
        /forwarding to .*: .*\n- docker system dial-stdio: .*not found/.test(error.message),
    );
  });
});

function* chunks(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(64 * 1024);
}
