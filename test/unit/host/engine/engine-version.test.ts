import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { isSlipwayError } from "../../../../provider/errors";
import { negotiateVersion } from "../../../../provider/host/engine/engine-version";

describe("negotiateVersion", () => {
  it("must not wait for ever for an engine that takes the call and says nothing", async () => {
    const open = new Set<Socket>();
    const frozen = createServer((socket) => void open.add(socket)).listen(0, "127.0.0.1");
    await once(frozen, "listening");
    const { port } = frozen.address() as AddressInfo;
    const agent = new Agent();
    agent.createConnection = () => connect(port, "127.0.0.1");
    try {
      await assert.rejects(negotiateVersion(agent, "root@host:22", 100), (error) => {
        assert.ok(isSlipwayError(error, "engine-unreachable"));
        assert.match(error.message, /on root@host:22: it takes the call and does not answer \(after 0\.1s\)/);
        return true;
      });
    } finally {
      for (const socket of open) socket.destroy();
      frozen.close();
    }
  });
});
