import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isSlipwayError } from "../../provider/errors";
import { closeConnections, withHost } from "../../provider/host/pool";
import { borrower } from "../support/borrow";
import { FakeClock } from "../support/fake-clock";
import { ManualClock } from "../support/manual-clock";
import { testKey } from "../lab/test-key";
import { sshSite, without } from "../support/ssh-site";
import { TemporaryFolder } from "../support/temporary-folder";

describe("logging in", () => {
  const site = sshSite();
  let folder: TemporaryFolder;
  beforeEach(() => {
    folder = new TemporaryFolder();
  });
  afterEach(() => folder.remove());

  it("must try a wrong key once, and not again for the next resource", async () => {
    const server = await site.start();
    const connection = { ...server.connection, privateKey: testKey().privateKey, dialErrorLimit: 5 };
    const { code, message } = await site.refusal(connection);
    assert.equal(code, "authentication-failed");
    assert.ok(message.includes("refused privateKey"), message);
    const clock = new ManualClock();
    await site.refusal(connection, { clock });
    await clock.advance(3_600_000); // also in a run that takes long
    await site.refusal(connection, { clock });
    assert.equal(server.counts.attempts, 1);
  });

  it("must try a refused key again once the connections were closed, as for a server that was mended", async () => {
    let allowed = false;
    const server = await site.start({
      onAuthentication: (context) => (allowed ? context.accept() : context.reject(["publickey"])),
    });
    assert.equal((await site.refusal(server.connection)).code, "authentication-failed");
    allowed = true;
    assert.equal((await site.refusal(server.connection)).code, "authentication-failed");
    closeConnections();
    assert.equal(await site.login(server.connection), server.fingerprint);
  });

  it("must log in by password", async () => {
    const server = await site.start({ password: "correct horse" });
    const connection = without(server.connection, "privateKey");
    await site.login({ ...connection, password: "correct horse" });
  });

  it("must read a key file when it is used, and name it when it is not there", async () => {
    const server = await site.start();
    const { privateKey = "", ...connection } = server.connection;
    const privateKeyPath = join(folder.path, "id");
    const { code, message } = await site.refusal({ ...connection, privateKeyPath });
    assert.equal(code, "invalid-input");
    assert.ok(message.includes(privateKeyPath), message);
    await writeFile(privateKeyPath, privateKey.trim());
    await site.login({ ...connection, privateKeyPath });
  });

  it("must name a machine that is down, and how long was tried", async () => {
    const server = await site.start();
    await server.stop();
    const { options, lines } = borrower({ random: () => 0 });
    const connection = { ...server.connection, dialErrorLimit: 2 };
    const failed = await withHost(connection, options, () => Promise.resolve()).catch(
      (error: unknown) => error,
    );
    assert.ok(isSlipwayError(failed, "dial-failed"));
    assert.match(
      failed.message,
      new RegExp(`root@127.0.0.1:${server.port}: .*ECONNREFUSED.*\\(after .*, 2 attempts\\)`),
    );
    assert.ok(
      lines.some((line) => line.startsWith(`connecting to root@127.0.0.1:${server.port} (attempt 2)`)),
    );
  });

  it("must pause longer after each failed attempt, up to ten seconds, and never just as long", async () => {
    const server = await site.start();
    await server.stop();
    const pausesFor = async (random: number): Promise<readonly number[]> => {
      const clock = new FakeClock();
      await site.refusal({ ...server.connection, dialErrorLimit: 8 }, { clock, random: () => random });
      return clock.sleeps;
    };
    assert.deepEqual(await pausesFor(0), [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
    assert.deepEqual(await pausesFor(0.5), [375, 750, 1_500, 3_000, 6_000, 7_500, 7_500]);
  });

  it("must try ten times by default, and on and on where dialErrorLimit is -1", async () => {
    const server = await site.start();
    await server.stop();
    const clock = new FakeClock();
    const { message } = await site.refusal(without(server.connection, "dialErrorLimit"), { clock });
    assert.match(message, /10 attempts/);
    const abort = new AbortController();
    let pauses = 0;
    const sleep = (_ms: number, signal?: AbortSignal): Promise<void> => {
      pauses += 1;
      if (pauses === 40) abort.abort(new Error("enough"));
      return signal?.aborted === true ? Promise.reject(signal.reason as Error) : Promise.resolve();
    };
    const connection = { ...server.connection, dialErrorLimit: -1 };
    const trying = site.login(connection, {
      clock: { now: () => 0, wall: () => 0, sleep },
      signal: abort.signal,
    });
    await assert.rejects(trying, /enough/);
  });

  it("must name every address of a name that was tried", async () => {
    const server = await site.start();
    await server.stop();
    const { message } = await site.refusal({ ...server.connection, host: "localhost" });
    assert.match(message, /root@localhost:\d+: connect ECONNREFUSED/);
  });
});
