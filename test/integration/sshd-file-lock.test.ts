import assert from "node:assert/strict";
import { closeConnections, withHost } from "../../provider/host/pool";
import { type FileLock, withFileLock } from "../../provider/host/machine/file-lock";
import { type LabConnection, type LabHost, startLabHost } from "../lab/lab-host";
import { type RestoreSshd, sshdSettings } from "../lab/sshd-settings";
import { until } from "../lab/until";
import { borrower } from "../support/borrow";

const LOCK: FileLock = {
  path: "/run/slipway/thing.lock",
  code: "engine-locked",
  guarded: "the thing",
  deed: "changes the thing",
};

describe("a lock that is a file on a real machine", function () {
  this.timeout(120_000);
  let host: LabHost;
  let restore: RestoreSshd | undefined;

  before(async () => {
    host = await startLabHost({ suite: "bookworm" });
  });
  afterEach(async () => {
    closeConnections();
    await restore?.();
    restore = undefined;
  });
  after(() => host.remove());

  /** As somebody who waits for so long. */
  const locked = <T>(connection: LabConnection, holder: string, waitMs: number, use: () => Promise<T>) => {
    const { options, lines } = borrower();
    const done = withHost(connection, options, (session) =>
      withFileLock(session, LOCK, { ...options, holder, waitMs }, use),
    );
    return { done, lines };
  };
  const isFree = async (): Promise<boolean> =>
    (await host.exec(["flock", "-n", LOCK.path, "true"])).code === 0;

  for (const user of ["root", "deploy"] as const) {
    it(`must be held while ${user} works over the only session that sshd gives, and free after it`, async () => {
      restore = await sshdSettings(host, "MaxSessions 1");
      const { options } = borrower();
      await withHost(host.connection(user), options, (session) =>
        withFileLock(session, LOCK, { ...options, holder: "ann" }, async () => {
          assert.equal(await session.run(["echo", "heard"]), "heard\n");
          assert.equal(await isFree(), false);
        }),
      );
      assert.equal(await isFree(), true);
      assert.equal((await host.exec(["pgrep", "-f", "slipway-lock"])).code, 1);
    });
  }

  it("must be waited for, and refused with its holder's name when the time is over", async () => {
    let release = (): void => {};
    const worked = new Promise<void>((resolve) => (release = resolve));
    const first = locked(host.connection(), "ann", 5_000, () => worked);
    await until("the first to hold it", async () => !(await isFree()));
    const impatient = locked(host.connection("deploy"), "bob", 1_000, () => Promise.resolve());
    await assert.rejects(impatient.done, (error) => {
      assert.match(
        String(error),
        /taking the lock of the thing on deploy@.*: ann changes the thing there \(after 1s\)\. Nothing was changed/,
      );
      return true;
    });
    const patient = locked(host.connection("deploy"), "bob", 60_000, () => Promise.resolve("done"));
    await until("the second to wait", () =>
      patient.lines.some((line) => line.includes("waiting for ann, who changes the thing")),
    );
    release();
    await first.done;
    assert.equal(await patient.done, "done");
  });

  it("must not name one who held it before, but who keeps it now", async () => {
    await locked(host.connection(), "ann", 5_000, () => Promise.resolve()).done;
    const sharing = host.exec(["flock", "-s", LOCK.path, "sleep", "1000"]);
    try {
      await until("it to be shared", async () => !(await isFree()));
      const bob = locked(host.connection(), "bob", 2_000, () => Promise.resolve());
      bob.done.catch(() => {});
      const isTold = (): boolean => bob.lines.some((line) => line.includes("waiting for somebody else, who"));
      await until("bob to wait", isTold);
      // as the next one does who gets it
      await host.must(["sh", "-c", `echo carl >${LOCK.path}`]);
      await assert.rejects(bob.done, /: carl changes the thing there \(after 2s\)/);
    } finally {
      await host.must(["pkill", "-f", "^sleep 1000"]);
      await sharing;
    }
  });

  it("must name nobody when its holder's connection is gone", async () => {
    const holding = locked(host.connection("deploy"), "ann", 5_000, () => new Promise<never>(() => {}));
    holding.done.catch(() => {});
    await until("ann to be named", async () => (await host.must(["cat", LOCK.path])).includes("ann"));
    await host.must(["pkill", "-KILL", "-u", "deploy", "sshd"]);
    await until("it to be free", isFree);
    assert.equal(await host.must(["cat", LOCK.path]), "");
  });

  it("must be free again when the holder's connection is gone, whatever it was at", async () => {
    const holding = locked(host.connection("deploy"), "ann", 5_000, () => new Promise<never>(() => {}));
    holding.done.catch(() => {});
    await until("it to be held", async () => !(await isFree()));
    await host.must(["pkill", "-KILL", "-u", "deploy", "sshd"]);
    await until("it to be free", isFree);
  });
});
