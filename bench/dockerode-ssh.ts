import Docker from "dockerode";
import type { Contender } from "./contender";

/** dockerode's own `protocol: "ssh"`: a login for each request, no look at the host key. */
export const dockerodeSsh: Contender = {
  name: "dockerode over ssh",
  keeps: false,
  samples: 3,
  open: ({ host, port, user, privateKey }) => {
    const docker = new Docker({ protocol: "ssh", host, port, username: user, sshOptions: { privateKey } });
    return Promise.resolve({
      call: () => docker.listContainers(),
      list: async () => (await docker.listContainers({ all: true })).length,
      close: () => {},
    });
  },
};
