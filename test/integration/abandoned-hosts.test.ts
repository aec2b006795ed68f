import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { systemClock } from "../../provider/clock";
import { dockerHostHandler } from "../../provider/docker-host/handler";
import { isSlipwayError } from "../../provider/errors";
import type { Handler, HandlerContext, Properties } from "../../provider/handler";
import { healthPolicyHandler } from "../../provider/health-policy/handler";
import type { Connection } from "../../provider/host/connection";
import { closeConnections } from "../../provider/host/pool";
import { silentLog } from "../../provider/log";
import { remoteImageHandler } from "../../provider/remote-image/handler";
import { rollingContainerHandler } from "../../provider/rolling-container/handler";
import { type SshTestServer, startSshServer } from "../support/ssh-server";
import { testKey } from "../lab/test-key";

const NO_KEY_OF_IT = `SHA256:${"A".repeat(43)}`;

/** Each resource, and its last work on a host: the one thing that may be left undone. */
interface Case {
  readonly kind: string;
  readonly lastWork: (connection: Connection, abandonUnreachable: boolean) => Promise<unknown>;
}

describe("abandonUnreachable", () => {
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

  const context = (): HandlerContext => {
    const keep = (text: string): void => void said.push(text);
    return {
      urn: "",
      name: "r",
      log: { ...silentLog, keep, warn: keep },
      clock: systemClock,
      random: Math.random,
      signal: new AbortController().signal,
      holder: "test",
      stack: "p/s",
    };
  };
  const remove = (handler: Handler, outputs: Properties): Promise<unknown> =>
    handler.delete("id", outputs, context());
  const cases: readonly Case[] = [
    {
      kind: "DockerHost",
      lastWork: (connection, abandonUnreachable) => {
        const wish = { dockerVersion: "28.x", uninstallOnDelete: true, abandonUnreachable };
        return remove(dockerHostHandler, { connection, ...wish });
      },
    },
    {
      kind: "RemoteImage",
      lastWork: (connection, abandonUnreachable) =>
        remove(remoteImageHandler, { hosts: [connection], name: "web", ref: "web:1", abandonUnreachable }),
    },
    {
      kind: "RollingContainer",
      lastWork: (connection, abandonUnreachable) =>
        remove(rollingContainerHandler, { hosts: [connection], name: "web", abandonUnreachable }),
    },
    {
      // leaves nothing on a host: what it passes over is the look
      kind: "HealthPolicy",
      lastWork: (connection, abandonUnreachable) =>
        healthPolicyHandler.create({ hosts: [connection], name: "health", abandonUnreachable }, context()),
    },
  ];
  const codeOf = async (work: Promise<unknown>): Promise<string> => {
    try {
      await work;
      return "";
    } catch (error) {
      if (isSlipwayError(error)) return error.code;
      throw error;
    }
  };

  for (const { kind, lastWork } of cases) {
    it(`must let a ${kind} pass over a host that does not answer, and only when told`, async () => {
      const connection = { ...server.connection, port: await closedPort() };
      assert.equal(await codeOf(lastWork(connection, false)), "dial-failed");
      assert.deepEqual(said, []);
      assert.equal(await codeOf(lastWork(connection, true)), "");
      assert.match(said.join(), new RegExp(`127\\.0\\.0\\.1:${connection.port}`));
    });

    it(`must not take a dead bastion for a dead host of a ${kind}, and name the bastion`, async () => {
      const bastion = { ...server.connection, port: await closedPort() };
      await assert.rejects(lastWork({ ...server.connection, proxy: bastion }, true), (error) => {
        assert.ok(isSlipwayError(error, "dial-failed"), String(error));
        assert.match(error.message, new RegExp(`reaching sshd on root@127\\.0\\.0\\.1:${bastion.port}`));
        return true;
      });
      // the bastion answers, and cannot reach the host: that is the host's own silence
      const host = { ...server.connection, port: await closedPort(), proxy: server.connection };
      assert.equal(await codeOf(lastWork(host, true)), "");
      said = [];
    });

    it(`must not take a refused login or another host key for a dead host of a ${kind}`, async () => {
      const stranger = { ...server.connection, privateKey: testKey().privateKey };
      assert.equal(await codeOf(lastWork(stranger, true)), "authentication-failed");
      const other = { ...server.connection, hostKey: NO_KEY_OF_IT };
      assert.equal(await codeOf(lastWork(other, true)), "host-key-mismatch");
      assert.deepEqual(said, []);
    });
  }
});

/** A port at which nothing listens any more. */
async function closedPort(): Promise<number> {
  const listener = createServer();
  const port = await new Promise<number>((resolve) => {
    listener.listen(0, "127.0.0.1", () => resolve((listener.address() as AddressInfo).port));
  });
  await new Promise((resolve) => listener.close(resolve));
  return port;
}
