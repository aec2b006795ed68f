import { once } from "node:events";
import { Agent } from "node:http";
import Docker from "dockerode";
import { Client } from "ssh2";
import { LazyChannel, type OpenedStream, openedStream } from "../provider/host/lazy-channel";
import type { Contender } from "./contender";

/** ssh2 as it comes, without TCP_NODELAY; its channels kept and bounded as ours are. */
export const plainSsh2: Contender = {
  name: "ssh2 without TCP_NODELAY",
  keeps: true,
  samples: 7,
  open: async ({ host, port, user, privateKey }) => {
    const client = new Client();
    client.connect({ host, port, username: user, privateKey });
    await once(client, "ready");
    client.on("error", () => {}); // what hangs on it fails by itself
    const agent = new Agent({ keepAlive: true, maxSockets: 20, maxFreeSockets: 20 });
    Object.assign(agent, {
      createConnection: () =>
        new LazyChannel(
          () => engineOf(client),
          () => undefined,
        ),
    });
    const options = { host: "docker", port: 80, protocol: "http", agent };
    const docker = new Docker(options as unknown as Docker.DockerOptions);
    return {
      exec: () => execTrue(client),
      call: () => docker.listContainers(),
      list: async () => (await docker.listContainers({ all: true })).length,
      close: () => void client.end(),
    };
  },
};

function engineOf(client: Client): Promise<OpenedStream> {
  return new Promise((resolve, reject) => {
    client.openssh_forwardOutStreamLocal("/var/run/docker.sock", (error, channel) => {
      if (error === undefined) resolve(openedStream(channel, () => ""));
      else reject(error);
    });
  });
}

function execTrue(client: Client): Promise<void> {
  return new Promise((resolve, reject) => {
    client.exec("true", (error, channel) => {
      if (error !== undefined) return reject(error);
      channel.on("close", () => resolve()).resume();
    });
  });
}
