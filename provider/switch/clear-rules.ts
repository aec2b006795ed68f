import type { HostSession } from "../host/session";
import { RULES_BY_COMMENT } from "./program/rules";

/** `$1` the service. */
const CLEAR = `${RULES_BY_COMMENT}
SERVICE=$1
rules_off
`;

/**
 * Takes a service's rules off, in every backend, whoever left them; as often as wanted.
 * @throws SlipwayError command-failed, connection-lost
 */
export async function clearRules(session: HostSession, service: string, signal?: AbortSignal): Promise<void> {
  await session.run(["/bin/sh", "-c", CLEAR, "clear-rules", service], {
    sudo: true,
    ...(signal ? { signal } : {}),
  });
}
