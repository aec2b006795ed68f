import assert from "node:assert/strict";
import { once } from "node:events";
import { type Server, createServer } from "node:http";
import { join } from "node:path";
import { systemd } from "../../provider/docker-host/init/systemd";
import { reviveContainers } from "../../provider/docker-host/apply/revive";
import { verifyVersion } from "../../provider/docker-host/apply/verify";
import { closeConnections, withHost } from "../../provider/host/pool";
import { silentLog } from "../../provider/log";
import { until } from "../lab/until";
import { borrower } from "../support/borrow";
import { ManualClock } from "../support/manual-clock";
import { type SshTestServer, startSshServer } from "../support/ssh-server";
import { TemporaryFolder } from "../support/temporary-folder";

describe("verifying a daemon that takes calls and does not answer", () => {
  let folder: TemporaryFolder;
  let engine: Server;
  let server: SshTestServer;
  let clock: ManualClock;
  /** How many of the calls other than `/_ping` are never answered, and how many were not. */
  let mute: number;
  let unanswered: number;

  beforeEach(async () => {
    folder = new TemporaryFolder();
    clock = new ManualClock();
    unanswered = 0;
    engine = createServer((request, response) => {
      response.setHeader("Api-Version", "1.45");
      if (request.url === "/_ping") response.end("OK");
      else if (unanswered < mute) unanswered++;
      else response.end(request.url?.includes("/containers/json") ? "[]" : '{"Version":"26.1.5"}');
    });
    engine.listen(join(folder.path, "docker.sock"));
    await once(engine, "listening");
    server = await startSshServer({ engineSocket: join(folder.path, "docker.sock") });
  });
  afterEach(async () => {
    closeConnections();
    await server.stop();
    engine.closeAllConnections();
    engine.close();
    folder.remove();
  });

  const verifying = (): Promise<void> =>
    withHost(server.connection, borrower().options, (session) =>
      verifyVersion("26.1.5", { session, init: systemd, clock, signal: new AbortController().signal }),
    );

  it("must ask again after half a minute, over new channels", async () => {
    mute = 3;
    const done = verifying();
    await until("the first question", () => unanswered === 3);
    await clock.advance(30_000);
    await until("the end of the mute channels", () => server.counts.streamLocalOpen === 0);
    await clock.advance(250);
    await done;
  });

  it("must give up after a minute", async () => {
    mute = Number.POSITIVE_INFINITY;
    const refused = assert.rejects(
      verifying(),
      /waiting for the Docker daemon .*does not answer \(after 1m\)/,
    );
    await until("the first question", () => unanswered === 3);
    await clock.advance(60_000);
    await refused;
  });

  it("must give up on containers that the daemon does not speak of", async () => {
    mute = Number.POSITIVE_INFINITY;
    const reviving = withHost(server.connection, borrower().options, (session) =>
      reviveContainers(
        { containers: ["abc"], healthy: [], outlived: false },
        { session, clock, log: silentLog, signal: new AbortController().signal },
      ),
    );
    const refused = assert.rejects(
      reviving,
      /1 containers that ran before are not as they were: abc is not running/,
    );
    await until("the question", () => unanswered === 1);
    await clock.advance(60_000);
    await refused;
  });
});
