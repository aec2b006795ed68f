import { systemClock } from "../provider/clock";
import { closeConnections, withHost } from "../provider/host/pool";
import type { HostSession } from "../provider/host/session";
import type { Contender, Session, Target } from "./contender";

const silent = (): void => {};
const OPTIONS = {
  log: { progress: silent, keep: silent, warn: silent, debug: silent },
  clock: systemClock,
  random: Math.random,
  signal: new AbortController().signal,
};

/** Slipway's own host layer, as the resources use it. */
export const ours: Contender = {
  name: "slipway",
  keeps: true,
  samples: 15,
  open: (target) =>
    new Promise<Session>((resolve, reject) => {
      const held = (session: HostSession): Promise<void> =>
        new Promise((done) => resolve(sessionOf(session, done)));
      withOurs(target, held).catch(reject);
    }),
};

/** Runs `use` with a session of a connection of its own. */
export async function withOurs<T>(target: Target, use: (session: HostSession) => Promise<T>): Promise<T> {
  const { host, port, user, privateKey, hostKey } = target;
  try {
    return await withHost({ host, port, user, privateKey, hostKey }, OPTIONS, use);
  } finally {
    closeConnections();
  }
}

function sessionOf(session: HostSession, close: () => void): Session {
  return {
    exec: () => session.run(["true"]),
    call: async () => (await session.docker()).listContainers(),
    list: async () => (await (await session.docker()).listContainers({ all: true })).length,
    close,
  };
}
