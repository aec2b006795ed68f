import { once } from "node:events";
import Docker from "dockerode";
import { Client } from "ssh2";
import { borrowedAgent, EngineAgent } from "../provider/host/engine/engine-agent";
import { type OpenedStream, openedStream } from "../provider/host/engine/lazy-channel";
import type { Contender } from "./contender";

/** ssh2 as it comes, without TCP_NODELAY; on our own channels: what the one option costs. */
export const plainSsh2: Contender = {
  name: "ssh2 without TCP_NODELAY",
  keeps: true,
  samples: 7,
  open: async ({ host, port, user, privateKey }) => {
    const client = new Client();
    client.connect({ host, port, username: user, privateKey });
    await once(client, "ready");
    client.on("error", () => {}); // what hangs on it fails by itself
    const channels = { mayKeep: () => true, lost: () => undefined, calls: 20 };
    const shared = new EngineAgent({ ...channels, open: () => engineOf(client) });
    const agent = borrowedAgent(shared, {
      onStart: () => () => {},
      explain: (error) => error,
      brokenOff: () => new Error("the answer broke off"),
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
