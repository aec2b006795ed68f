import assert from "node:assert/strict";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { closeConnections, withHost } from "../../provider/host/pool";
import type { HostSession } from "../../provider/host/session";
import type { LabHost } from "../lab/lab-host";
import { borrower } from "../support/borrow";
import { buildPage, startDockerHost } from "../support/web-host";

/** Streams that leave HTTP behind, over each way to a real engine. */
for (const way of ["forwarding", "dial-stdio"] as const) {
  describe(`a real engine through ${way}`, () => {
    let host: LabHost;
    const onHost = <T>(use: (session: HostSession) => Promise<T>): Promise<T> =>
      withHost(host.connection(), borrower().options, use);

    before(async function () {
      this.timeout(300_000);
      host = await startDockerHost("bookworm");
      await buildPage(host, "v1");
      await host.must(["docker", "run", "--detach", "--name", "web", "page:v1"]);
      if (way === "forwarding") return;
      await host.must(["sh", "-c", "echo AllowStreamLocalForwarding no >> /etc/ssh/sshd_config"]);
      await host.must(["systemctl", "restart", "ssh"]);
    });
    after(async () => {
      closeConnections();
      await host.remove();
    });

    it("must carry exec both ways", async () => {
      await onHost(async (session) => {
        const exec = await (await session.docker()).getContainer("web").exec({
          Cmd: ["/bin/busybox", "cat"],
          AttachStdin: true,
          AttachStdout: true,
          Tty: true,
        });
        const stream = await exec.start({ hijack: true, stdin: true, Tty: true });
        stream.write("to and fro\n\x04");
        assert.match(await text(stream), /to and fro/);
        assert.equal((await exec.inspect()).ExitCode, 0);
      });
    });

    it("must carry attach, logs and events while calls go on", async () => {
      await onHost(async (session) => {
        const docker = await session.docker();
        const events = (await docker.getEvents({
          filters: { container: ["talker"] },
        })) as unknown as Readable;
        const options = { name: "talker", Image: "page:v1", Tty: true, OpenStdin: true, StdinOnce: true };
        const talker = await docker.createContainer({ ...options, Cmd: ["/bin/busybox", "cat"] });
        const attached = await talker.attach({ stream: true, stdin: true, stdout: true, hijack: true });
        await talker.start();
        const logs = (await talker.logs({ follow: true, stdout: true })) as unknown as Readable;
        attached.write("hello\n\x04");
        assert.match(await text(attached), /hello/);
        assert.match(await text(logs), /hello/);
        assert.equal((await talker.inspect()).State.ExitCode, 0);
        let seen = "";
        for await (const chunk of events) {
          seen += String(chunk);
          if (seen.includes('"die"')) break;
        }
        assert.match(seen, /"start"/);
        await talker.remove();
      });
    });
  });
}
