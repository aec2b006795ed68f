import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { gatherWrites } from "../../provider/host/transport/gather-writes";

describe("gatherWrites", () => {
  let server: Server;
  let socket: Socket;
  let peer: Socket;

  beforeEach(async () => {
    server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const accepted = once(server, "connection");
    socket = gatherWrites(connect((server.address() as AddressInfo).port, "127.0.0.1"));
    [peer] = (await accepted) as [Socket];
    if (socket.connecting) await once(socket, "connect");
  });

  afterEach(() => {
    socket.destroy();
    server.close();
  });

  it("must hand on by one call what is written in one turn of the event loop", async () => {
    const calls: number[] = [];
    const writev = socket._writev?.bind(socket);
    socket._writev = (chunks, callback) => {
      calls.push(chunks.length);
      writev?.(chunks, callback);
    };
    const heard = text(peer);
    for (const word of ["one ", "two ", "three "]) socket.write(word);
    await new Promise(setImmediate);
    socket.write("four ");
    socket.write("five");
    socket.end();
    assert.equal(await heard, "one two three four five");
    assert.deepEqual(calls, [3, 2]);
  });

  it("must not keep a word that is written alone", async () => {
    socket.write("ping");
    const [heard] = (await once(peer, "data")) as [Buffer];
    assert.equal(heard.toString(), "ping");
    assert.equal(socket.writableCorked, 0);
  });
});
