import type { HostSession } from "../host/session";

/** Whether the docker command is run under sudo: it wants the socket, which is root's and its group's. */
export async function needsSudo(session: HostSession, signal: AbortSignal): Promise<boolean> {
  const { user, sudo } = await session.facts({ signal });
  return user.uid !== 0 && !user.groups.includes("docker") && sudo !== "none";
}
