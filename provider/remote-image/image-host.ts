import type { HandlerContext } from "../handler";
import { type Connection, secretsOf } from "../host/connection";
import { recordedHostKeyOf } from "../host/machine/recorded-host-key";
import { withHost } from "../host/pool";
import type { HostSession } from "../host/session";
import type { Log } from "../log";
import { type Redact, redactor } from "../secret";
import type { ImageSpec } from "./spec";

/** Opens a session to one host of an image, whose log shows neither the connection's secrets nor the build's. */
export function onImageHost<T>(
  connection: Connection,
  { hostKeys, spec }: { readonly hostKeys: Readonly<Record<string, string>>; readonly spec?: ImageSpec },
  context: HandlerContext,
  use: (session: HostSession, log: Log, redact: Redact) => Promise<T>,
): Promise<T> {
  const redact = redactor([...secretsOf(connection), ...(spec === undefined ? [] : secretValues(spec))]);
  const log = redacted(context.log, redact);
  const { clock, random, signal } = context;
  const recordedHostKey = recordedHostKeyOf({ hostKeys }, connection);
  return withHost(connection, { log, clock, random, signal, recordedHostKey }, (session) =>
    use(session, log, redact),
  );
}

/** Build arguments count as secrets here: nobody says which of them are. */
function secretValues(spec: ImageSpec): readonly string[] {
  return [
    ...Object.values(spec.secrets),
    ...Object.values(spec.buildArgs),
    ...spec.registries.map((login) => login.password),
  ];
}

function redacted(log: Log, redact: Redact): Log {
  return {
    progress: (line) => log.progress(redact(line)),
    keep: (text) => log.keep(redact(text)),
    warn: (text) => log.warn(redact(text)),
    debug: (text) => log.debug(redact(text)),
  };
}
