import { isSlipwayError, type SlipwayError } from "../../provider/errors";
import type { Connection } from "../../provider/host/connection";
import { type WithHostOptions, closeConnections, withHost } from "../../provider/host/pool";
import { borrower } from "./borrow";
import { startSilentWire } from "./silent-wire";
import { type SshServerOptions, type SshTestServer, startSshServer } from "./ssh-server";

/** A fingerprint that no key has. */
export const OTHER_PRINT = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/** SSH servers for the tests of a suite; they are stopped after each. */
export function sshSite() {
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    closeConnections();
    await Promise.all(stops.splice(0).map((stop) => stop()));
  });
  const login = (connection: Connection, parts: Partial<WithHostOptions> = {}): Promise<string> =>
    withHost(connection, borrower(parts).options, (session) => Promise.resolve(session.hostKey));
  return {
    async start(options?: SshServerOptions): Promise<SshTestServer> {
      const server = await startSshServer(options);
      let stopped = false;
      const stop = async (): Promise<void> => {
        if (stopped) return;
        stopped = true;
        await server.stop();
      };
      stops.push(stop);
      return { ...server, stop };
    },
    async wire(port: number, options?: { readonly afterBytes?: number }) {
      const wire = await startSilentWire(port, options);
      stops.push(() => wire.stop());
      return wire;
    },
    /** Logs in, and gives the fingerprint of the key that was presented. */
    login,
    /** The error of a login that has to fail. */
    async refusal(connection: Connection, parts: Partial<WithHostOptions> = {}): Promise<SlipwayError> {
      try {
        await login(connection, parts);
      } catch (error) {
        if (isSlipwayError(error)) return error;
        throw error;
      }
      throw new Error("it logged in");
    },
  };
}

/** A connection that lacks one of its fields. */
export function without(connection: Connection, field: keyof Connection): Connection {
  return Object.fromEntries(
    Object.entries(connection).filter(([name]) => name !== field),
  ) as unknown as Connection;
}

/** Looks again and again, as fast as the event loop turns. */
export async function turnsUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
