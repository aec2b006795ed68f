/** Waits for containers of one engine that are under way at the same time. */
export interface Crowd {
  readonly size: number;
}

const crowds = new WeakMap<object, { size: number }>();

/** Runs `use` as one more of those that wait on the same engine (keyed by its API client). */
export async function inCrowd<T>(engine: object, use: (crowd: Crowd) => Promise<T>): Promise<T> {
  const crowd = crowds.get(engine) ?? { size: 0 };
  crowds.set(engine, crowd);
  crowd.size += 1;
  try {
    return await use(crowd);
  } finally {
    crowd.size -= 1;
  }
}
