import type { Socket } from "node:net";

/**
 * Makes the writes of one turn of the event loop leave together: where many channels speak at once, a call of the system for each
 * of their packets would cost more than all that is done with them here. For a socket that has been told to connect: `connect`
 * itself sets `write` (as node's own does when the other side has ended).
 */
export function gatherWrites(socket: Socket): Socket {
  const write = socket.write.bind(socket) as (...words: readonly unknown[]) => boolean;
  let isGathering = false;
  socket.write = (...words: readonly unknown[]) => {
    if (!isGathering) {
      isGathering = true;
      socket.cork();
      setImmediate(() => {
        isGathering = false;
        socket.uncork();
      });
    }
    return write(...words);
  };
  return socket;
}
