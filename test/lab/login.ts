/** One accepted SSH login, as sshd logged it. */
export interface Login {
  readonly user: string;
  readonly method: string;
}

/** Reads the accepted logins out of sshd's log, oldest first. */
export function parseLogins(log: string): readonly Login[] {
  return [...log.matchAll(/^Accepted (\S+) for (\S+) from /gm)].map(([, method = "", user = ""]) => ({
    user,
    method,
  }));
}
