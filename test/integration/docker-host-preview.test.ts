import assert from "node:assert/strict";
import { systemClock } from "../../provider/clock";
import { dockerHostHandler as handler } from "../../provider/docker-host/handler";
import type { HandlerContext, Properties } from "../../provider/handler";
import { closeConnections } from "../../provider/host/pool";
import { silentLog } from "../../provider/log";
import { type SshTestServer, startSshServer } from "../support/ssh-server";

const OTHER_KEY = `SHA256:${"A".repeat(43)}`;

describe("a preview of a DockerHost that cannot be looked at", () => {
  let server: SshTestServer;
  let said: string[];

  before(async () => {
    server = await startSshServer();
  });
  after(async () => {
    closeConnections();
    await server.stop();
  });
  beforeEach(() => {
    said = [];
  });

  const context = (): HandlerContext => ({
    urn: "",
    name: "host",
    log: {
      ...silentLog,
      keep: (text) => void said.push(`info: ${text}`),
      warn: (text) => void said.push(`warning: ${text}`),
    },
    clock: systemClock,
    random: Math.random,
    signal: new AbortController().signal,
    holder: "test",
    stack: "p/s",
  });
  const inputs = (over: Properties = {}): Properties => ({
    connection: { ...server.connection, hostKey: OTHER_KEY, ...over },
    dockerVersion: "28.x",
  });

  it("must warn that a host with another key will be refused, for a new one and for another way to an old one", async () => {
    await handler.check({}, inputs(), context());
    const olds = { ...inputs({ hostKey: server.fingerprint }), targets: ["t"], version: "28.5.2", drift: [] };
    await handler.diff("id", olds, inputs(), context());
    assert.equal(said.length, 2);
    for (const line of said) {
      assert.match(
        line,
        /^warning: .* will be refused: checking the host key on .* presents .* says SHA256:A/,
      );
      assert.match(line, /Nobody was logged in/);
    }
  });

  it("must say why a host was not reached, and not that it was silent", async () => {
    await handler.check({}, inputs({ port: 1, dialErrorLimit: 10 }), context());
    assert.equal(said.length, 1);
    assert.match(said[0] ?? "", /^info: could not look at .*ECONNREFUSED.*28\.x is wanted/);
  });
});
