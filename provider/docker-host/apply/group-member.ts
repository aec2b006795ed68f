import type { HostSession } from "../../host/session";

/** `$1` the user. Alpine has busybox's commands where nobody installed the others. */
const ADD = `
if command -v usermod >/dev/null; then exec usermod -aG docker -- "$1"; fi
exec addgroup "$1" docker
`;
const REMOVE = `
if command -v gpasswd >/dev/null; then exec gpasswd -d "$1" docker; fi
exec delgroup "$1" docker
`;

/** @throws SlipwayError command-failed, connection-lost */
export async function addGroupMember(session: HostSession, user: string, signal: AbortSignal): Promise<void> {
  await session.run(["/bin/sh", "-c", ADD, "slipway-group", user], { sudo: true, signal });
}

/** @throws SlipwayError command-failed, connection-lost */
export async function removeGroupMember(
  session: HostSession,
  user: string,
  signal: AbortSignal,
): Promise<void> {
  await session.run(["/bin/sh", "-c", REMOVE, "slipway-group", user], { sudo: true, signal });
}
