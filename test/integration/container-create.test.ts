import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import Docker from "dockerode";
import { createContainer } from "../../provider/container/create";

describe("createContainer", () => {
  it("must put nothing but the name into the address of the call", async () => {
    const calls: { readonly url: string | undefined; readonly body: unknown }[] = [];
    const server = createServer((request, response) => {
      void text(request).then((body) => {
        calls.push({ url: request.url, body: JSON.parse(body) });
        response.writeHead(201, { "content-type": "application/json" }).end('{"Id":"1"}');
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const docker = new Docker({ host: "127.0.0.1", port: (server.address() as AddressInfo).port });
      const spec = { Image: "web:1", Env: ["PASSWORD=open sesame"], HostConfig: { Memory: 1 } };
      const made = await createContainer(docker, { name: "web.next", ...spec }, new AbortController().signal);
      assert.equal(made.id, "1");
      assert.deepEqual(calls, [{ url: "/containers/create?name=web.next", body: spec }]);
    } finally {
      server.close();
    }
  });
});
