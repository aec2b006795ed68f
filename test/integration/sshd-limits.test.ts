import assert from "node:assert/strict";
import { probeHttp } from "../../provider/health/probe-http";
import { systemClock } from "../../provider/clock";
import { isSlipwayError } from "../../provider/errors";
import { closeConnections, withHost } from "../../provider/host/pool";
import { addAccount, installOn } from "../lab/lab-account";
import { type LabConnection, type LabHost, startLabHost } from "../lab/lab-host";
import { type RestoreSshd, sshdSettings } from "../lab/sshd-settings";
import { borrower } from "../support/borrow";

const NUMBERS = Array.from({ length: 20 }, (_, index) => String(index));
const CLOSED_PORT = 6;

describe("limits of a real sshd", function () {
  this.timeout(120_000);
  let host: LabHost;
  let restore: RestoreSshd | undefined;
  let users = 0;

  before(async () => {
    host = await startLabHost({ suite: "bookworm" });
    await installOn(host, ["docker.io"]);
  });
  afterEach(async () => {
    closeConnections();
    await restore?.();
    restore = undefined;
  });
  after(() => host.remove());

  /** A user nobody knows yet: which way leads to the engine is remembered for the life of the process. */
  const member = (groups: readonly string[] = ["docker"]): Promise<LabConnection> =>
    addAccount(host, { name: `user${String((users += 1))}`, groups });
  const settings = async (lines: string): Promise<void> => {
    restore = await sshdSettings(host, lines);
  };
  /** The engine's version and the log of how it was reached. */
  const engineOf = async (connection: LabConnection) => {
    const { options, lines } = borrower();
    const version = await withHost(connection, options, async (session) => {
      const docker = await session.docker();
      const answers = await Promise.all(NUMBERS.map(() => docker.version()));
      assert.equal(new Set(answers.map(({ Version }) => Version)).size, 1);
      return answers[0]?.Version;
    });
    assert.match(String(version), /^\d+\.\d+/);
    return lines.filter((line) => line.startsWith("engine ")).join("\n");
  };
  const all = (connection: LabConnection) =>
    withHost(connection, borrower().options, (session) =>
      Promise.all(NUMBERS.map((number) => session.run(["echo", number]))),
    );
  const echoed = NUMBERS.map((number) => `${number}\n`);

  for (const sessions of [1, 2]) {
    it(`must run twenty commands at once where MaxSessions is ${sessions}`, async () => {
      await settings(`MaxSessions ${sessions}`);
      assert.deepEqual(await all(await member()), echoed);
    });

    it(`must run commands and talk to the engine over dial-stdio where MaxSessions is ${sessions}`, async () => {
      await settings(`MaxSessions ${sessions}\nAllowStreamLocalForwarding no`);
      const { options, lines } = borrower();
      const connection = await member();
      await withHost(connection, options, async (session) => {
        const docker = await session.docker();
        const containers = async (): Promise<number> => (await docker.listContainers({ all: true })).length;
        for (const number of NUMBERS.slice(0, 5)) {
          assert.equal(await containers(), 0);
          assert.equal(await session.run(["echo", number]), `${number}\n`); // the idle channel has to give way
        }
        const [outputs, counts] = await Promise.all([
          Promise.all(NUMBERS.map((number) => session.run(["echo", number]))),
          Promise.all(NUMBERS.map(containers)),
        ]);
        assert.deepEqual(outputs, echoed);
        assert.deepEqual(new Set(counts), new Set([0]));
      });
      assert.match(lines.join("\n"), /docker system dial-stdio, API v1\.\d+/);
      assert.equal((await host.logins()).filter(({ user }) => user === connection.user).length, 1);
    });
  }

  it("must say so where no session may be opened at all", async () => {
    await settings("MaxSessions 0");
    await assert.rejects(
      withHost(await member(), borrower().options, (session) => session.run(["true"])),
      (error) => isSlipwayError(error, "command-failed") && error.message.includes("open failed"),
    );
  });

  it("must forward to the socket where that is allowed", async () => {
    assert.match(await engineOf(await member()), /forwarding to \/var\/run\/docker\.sock, API/);
  });

  it("must probe from the host where AllowTcpForwarding is no", async () => {
    await settings("AllowTcpForwarding no");
    await withHost(await member(), borrower().options, async (session) => {
      await assert.rejects(
        session.forward("127.0.0.1", 22),
        (error) =>
          isSlipwayError(error, "forwarding-refused") &&
          /127\.0\.0\.1:22.*AllowTcpForwarding/s.test(error.message),
      );
      const test = { kind: "http", port: CLOSED_PORT, path: "/" } as const;
      const options = { clock: systemClock, signal: new AbortController().signal, timeoutMs: 5_000 };
      const result = await probeHttp(session, "127.0.0.1", test, options);
      assert.equal(result.verdict, "fail"); // asked by curl on the host: refused, not unknown
    });
  });

  it("must say that nobody listens where a stream is forwarded to", async () => {
    await withHost(await member(), borrower().options, (session) =>
      assert.rejects(
        session.forward("127.0.0.1", CLOSED_PORT),
        (error) =>
          isSlipwayError(error, "forwarding-refused") &&
          /127\.0\.0\.1:6.*nobody answers/s.test(error.message),
      ),
    );
  });

  // OpenSSH forwards no socket either where it forwards no connections
  for (const line of ["AllowStreamLocalForwarding no", "AllowTcpForwarding no", "DisableForwarding yes"]) {
    it(`must reach the engine by dial-stdio under ${line}`, async () => {
      await settings(line);
      const log = await engineOf(await member());
      assert.match(log, /forwarding to \S+ failed/);
      assert.match(log, /docker system dial-stdio, API/);
    });

    it(`must reach it under sudo for a user without rights on the socket, and ${line}`, async () => {
      await settings(line);
      assert.match(await engineOf(host.connection("deploy")), /dial-stdio under sudo, API/);
      const limited = { ...host.connection("limited"), sudoPassword: host.passwords.limited };
      assert.match(await engineOf(limited), /dial-stdio under sudo, API/);
    });
  }

  it("must name every way that was tried when none leads to the engine", async () => {
    const connection = await member([]);
    await assert.rejects(
      withHost(connection, borrower().options, (session) => session.docker()),
      (error) => {
        assert.ok(isSlipwayError(error, "engine-unreachable"), String(error));
        assert.match(error.message, /forwarding to \/var\/run\/docker\.sock: /);
        assert.match(error.message, /dial-stdio: .*permission denied/s);
        assert.match(error.message, /dial-stdio under sudo: .*sudo/s);
        return true;
      },
    );
  });
});
