import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type Server, type ServerResponse, createServer } from "node:http";
import { join } from "node:path";
import { closeConnections, withHost } from "../../provider/host/pool";
import type { HostSession } from "../../provider/host/session";
import { until } from "../lab/until";
import { borrower } from "../support/borrow";
import { type SshTestServer, runInShell, startSshServer } from "../support/ssh-server";
import { TemporaryFolder } from "../support/temporary-folder";

/** Where sshd forwards no sockets, API calls and commands share the session channels. */
describe("the engine through dial-stdio", () => {
  let folder: TemporaryFolder;
  let engine: Server;
  let server: SshTestServer;
  let streams: ServerResponse[];

  beforeEach(async () => {
    folder = new TemporaryFolder();
    streams = [];
    engine = createServer((request, response) => {
      response.setHeader("Api-Version", "1.45");
      if (!request.url?.includes("/events")) return response.writeHead(200).end('{"Version":"26.1.5"}');
      streams.push(response);
      return response.writeHead(200).write('{"Action":"start"}\n');
    });
    const socket = join(folder.path, "docker.sock");
    engine.listen(socket);
    await once(engine, "listening");
    // a `docker` whose dial-stdio is a small relay to the socket
    const relay = `const s = require("net").connect(${JSON.stringify(socket)}); process.stdin.pipe(s).pipe(process.stdout)`;
    await writeFile(join(folder.path, "docker"), `#!${process.execPath}\n${relay}\n`, { mode: 0o755 });
  });
  afterEach(async () => {
    closeConnections();
    await server.stop();
    engine.closeAllConnections();
    engine.close();
    folder.remove();
  });

  const start = async (maxSessions: number): Promise<void> => {
    server = await startSshServer({
      maxSessions,
      onExec: (line, channel) => runInShell(line.replaceAll("PATH=", `PATH=${folder.path}:`), channel),
    });
  };
  const onHost = <T>(use: (session: HostSession) => Promise<T>, { options } = borrower()): Promise<T> =>
    withHost(server.connection, options, use);

  it("must be the way where forwarding is refused, remembered, with its command in the debug log", async () => {
    await start(3);
    const who = borrower();
    await onHost(async (host) => {
      const docker = await host.docker();
      const [version, , echo] = await Promise.all([
        docker.version(),
        docker.version(),
        host.run(["echo", "hi"]),
      ]);
      assert.deepEqual(version, { Version: "26.1.5" });
      assert.equal(echo, "hi\n");
      await host.docker();
    }, who);
    assert.equal(server.counts.streamLocal, 1);
    assert.match(who.lines.join("\n"), /\$ docker --host unix:\/\/\S+docker\.sock system dial-stdio/);
  });

  it("must not let an idle channel keep commands out where one session is allowed", async () => {
    await start(1);
    await onHost(async (host) => {
      const docker = await host.docker();
      for (let turn = 0; turn < 3; turn++) {
        await docker.version();
        assert.equal(await host.run(["echo", "hi"]), "hi\n");
      }
    });
    assert.equal(server.counts.mostSessionsOpen, 1);
  });

  it("must let long streams wait for one another, not commands and calls for them", async () => {
    await start(10);
    await onHost(async (host) => {
      const docker = await host.docker();
      const opening = Array.from({ length: 12 }, async () => (await docker.getEvents()).resume());
      await until("half of the eight channels as streams", () => streams.length === 4, 10_000);
      assert.equal(await host.run(["echo", "hi"]), "hi\n");
      assert.deepEqual(await docker.version(), { Version: "26.1.5" });
      assert.equal(streams.length, 4);
      // whoever ends makes room for the next
      for (let ended = 0; ended < 12; ended++) {
        await until(`stream ${ended + 1}`, () => streams.length > ended, 10_000);
        streams[ended]?.end();
      }
      await Promise.all(opening);
    });
    assert.ok(server.counts.mostSessionsOpen <= 8);
  });
});
