/** The place that a container's name says. */
export interface ContainerName {
  readonly slot: number;
  readonly phase: "live" | "candidate" | "copy" | "kept" | "fill" | "task";
}

const PHASES = { next: "candidate", try: "copy", fill: "fill", task: "task" } as const;

/** The inverse of container/names; undefined for a name that is none of the service's. */
export function parseContainerName(name: string, service: string): ContainerName | undefined {
  if (!name.startsWith(service)) return undefined;
  const match = /^(?:-([2-9]|[1-9]\d+))?(?:\.(next|try|fill|task|[0-9a-f]{8}))?$/.exec(
    name.slice(service.length),
  );
  if (!match) return undefined;
  const ending = match[2];
  const slot = match[1] === undefined ? 1 : Number(match[1]);
  if (ending === undefined) return { slot, phase: "live" };
  return { slot, phase: isPhase(ending) ? PHASES[ending] : "kept" };
}

function isPhase(ending: string): ending is keyof typeof PHASES {
  return ending in PHASES;
}
