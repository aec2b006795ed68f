import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { PassThrough, Writable } from "node:stream";
import { closeConnections, withHost } from "../../provider/host/pool";
import type { HostSession } from "../../provider/host/session";
import { borrower } from "../support/borrow";
import { type SshTestServer, startSshServer } from "../support/ssh-server";

describe("a remote command's standard output", () => {
  let server: SshTestServer;
  const onHost = <T>(use: (session: HostSession) => Promise<T>): Promise<T> =>
    withHost(server.connection, borrower().options, use);

  beforeEach(async () => {
    server = await startSshServer();
  });
  afterEach(async () => {
    closeConnections();
    await server.stop();
  });

  it("must hand standard output on byte by byte, no faster than it is taken", async () => {
    const hash = createHash("sha256");
    let bytes = 0;
    let most = 0;
    const stdout: Writable = new Writable({
      highWaterMark: 64_000,
      write(chunk: Buffer, _encoding, done) {
        most = Math.max(most, stdout.writableLength);
        bytes += chunk.length;
        hash.update(chunk);
        setImmediate(done);
      },
    });
    const text = "echo words >&2; head -c 20000000 /dev/zero | tr '\\0' '\\377'; printf end";
    const outcome = await onHost((host) => host.exec(["sh", "-c", text], { stdout }));
    assert.deepEqual(outcome, { kind: "exited", code: 0, stdout: "", stderr: "words\n" });
    await new Promise<void>((resolve) => stdout.end(resolve));
    const expected = createHash("sha256").update(Buffer.alloc(20_000_000, 255)).update("end").digest("hex");
    assert.deepEqual([bytes, hash.digest("hex")], [20_000_003, expected]);
    assert.ok(most < 8_000_000, `${most} bytes waited`);
  });

  it("must hear how a command ends whose output nobody takes any more", async () => {
    const stdout = new PassThrough();
    stdout.once("data", () => stdout.destroy());
    const outcome = await onHost((host) =>
      host.exec(["sh", "-c", "head -c 20000000 /dev/zero; exit 3"], { stdout }),
    );
    assert.equal(outcome.kind === "exited" && outcome.code, 3);
  });
});
