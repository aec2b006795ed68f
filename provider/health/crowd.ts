/** What this process has under way on one host: containers that are started, and those that are waited for. */
export interface Crowd {
  readonly size: number;
  /** How many of them have not been healthy yet. */
  readonly starting: number;
}

/** One of a crowd. */
export interface Member {
  isHealthy: boolean;
}

/** By target. Each resource has a session and an API client of its own, so those tell nothing of one another. */
const crowds = new Map<string, Set<Member>>();

/** Runs `use` as one more that is under way on a host, whichever resource it is of; not healthy until it says so. */
export async function inCrowd<T>(
  target: string,
  use: (crowd: Crowd, member: Member) => Promise<T>,
): Promise<T> {
  const members = crowds.get(target) ?? new Set<Member>();
  crowds.set(target, members);
  const member: Member = { isHealthy: false };
  members.add(member);
  const crowd: Crowd = {
    get size() {
      return members.size;
    },
    get starting() {
      return [...members].filter(({ isHealthy }) => !isHealthy).length;
    },
  };
  try {
    return await use(crowd, member);
  } finally {
    members.delete(member);
    if (members.size === 0) crowds.delete(target);
  }
}
