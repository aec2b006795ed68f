import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import type { Socket } from "node:net";

/** A websocket after its handshake, at a server that echoes; frames are left out, for nobody between looks into them. */
export interface OpenWebSocket {
  /** Sends a word and gives what came back; rejects when it is closed. */
  echo(word: string): Promise<string>;
  /** Resolves when it is closed, however. */
  readonly closed: Promise<unknown>;
  readonly isOpen: () => boolean;
  close(): void;
}

/** Opens a websocket under a host name. */
export async function openWebSocket(url: string, host: string): Promise<OpenWebSocket> {
  const asked = request(url, {
    agent: false,
    headers: {
      host,
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": randomBytes(16).toString("base64"),
    },
  });
  asked.end();
  const [, socket] = (await once(asked, "upgrade")) as [unknown, Socket];
  const closed = new Promise((resolve) => void socket.on("close", resolve));
  // a cut may come as a reset: `closed` says so
  socket.on("error", () => {});
  return {
    echo: async (word) => {
      socket.write(word);
      const [chunk] = (await Promise.race([
        once(socket, "data"),
        closed.then(() => Promise.reject(new Error("closed"))),
      ])) as [Buffer];
      return chunk.toString();
    },
    closed,
    isOpen: () => !socket.destroyed,
    close: () => socket.destroy(),
  };
}
