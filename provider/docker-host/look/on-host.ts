import type { HandlerContext, Properties } from "../../handler";
import type { Connection } from "../../host/connection";
import { withHost } from "../../host/pool";
import { recordedHostKeyOf } from "../../host/machine/recorded-host-key";
import type { HostSession } from "../../host/session";

/** A session on the machine; a learned key that `olds` recorded is demanded. */
export function onHost<T>(
  connection: Connection,
  olds: Properties,
  context: HandlerContext,
  use: (session: HostSession) => Promise<T>,
): Promise<T> {
  const { log, clock, random, signal } = context;
  const recordedHostKey = recordedHostKeyOf(olds, connection);
  return withHost(connection, { log, clock, random, signal, recordedHostKey }, use);
}
