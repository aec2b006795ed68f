import fc from "fast-check";
import { LABEL } from "../../provider/container/labels";
import { candidateName, copyName, keptName, liveName } from "../../provider/container/names";
import type { ContainerState } from "../../provider/container/observed";
import { FORMER } from "./former-name";
import { isUp, type ModelContainer } from "./docker-model";

interface Version {
  readonly revision: string;
  readonly specHash: string;
  readonly imageId: string;
}

/** What ran, what is wanted, and something else. */
export const VERSIONS: readonly Version[] = [
  { revision: "aaaaaaaa", specHash: "1:old", imageId: "sha256:old" },
  { revision: "bbbbbbbb", specHash: "1:new", imageId: "sha256:new" },
  { revision: "cccccccc", specHash: "1:odd", imageId: "sha256:odd" },
];

const STATES: fc.Arbitrary<ContainerState> = fc.oneof(
  { weight: 6, arbitrary: fc.constant("running" as const) },
  { weight: 4, arbitrary: fc.constant("exited" as const) },
  { weight: 3, arbitrary: fc.constantFrom("created" as const, "paused" as const, "restarting" as const) },
  { weight: 1, arbitrary: fc.constant("dead" as const) },
);

const NEVER_SERVED: ReadonlySet<ContainerState> = new Set(["created", "restarting", "dead"]);

const ONE = fc.record({
  version: fc.constantFrom(0, 1, 2),
  state: STATES,
  restart: fc.constantFrom("unless-stopped", "always", "no"),
  stoppedByHand: fc.boolean(),
  foreign: fc.oneof(
    { weight: 15, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
  startedAt: fc.nat({ max: 100 }),
});

type One = typeof ONE extends fc.Arbitrary<infer T> ? T : never;

const maybe = (weight: number): fc.Arbitrary<One | undefined> =>
  fc.oneof({ weight, arbitrary: ONE }, { weight: 3, arbitrary: fc.constant(undefined) });

/** What stands in one slot. */
export const SLOT = fc.record({
  live: maybe(12),
  candidate: maybe(2),
  copy: maybe(2),
  kept: fc.uniqueArray(ONE, { maxLength: 2, selector: ({ version }) => version }),
});

export type Slot = typeof SLOT extends fc.Arbitrary<infer T> ? T : never;

/** Who stands under which service's names, and where the ports of each version are. */
export interface Standing {
  readonly service: string;
  readonly slot: number;
  /** By the version; undefined where none is published. */
  readonly portOf: (version: number) => number | undefined;
  readonly goodness: (imageId: string) => boolean;
}

/** The containers of one slot. */
export function containersIn(
  { live, candidate, copy, kept }: Slot,
  { service, slot, portOf, goodness }: Standing,
): readonly ModelContainer[] {
  const made = (one: One | undefined, name: string, given: Partial<ModelContainer>): ModelContainer[] => {
    if (one === undefined) return [];
    const { state, restart, stoppedByHand, foreign, startedAt } = one;
    const { revision, specHash, imageId } = VERSIONS[one.version] ?? {
      revision: "",
      specHash: "",
      imageId: "",
    };
    const labels = { [LABEL.service]: service, [LABEL.revision]: revision, [LABEL.specHash]: specHash };
    const good = goodness(imageId);
    // a stranger under the former name is nobody's previous one
    const hostPort = foreign && service === FORMER ? undefined : portOf(one.version);
    const base = {
      id: `old-${name}`,
      name,
      state,
      restart,
      imageId,
      labels,
      hostPort,
      good,
      foreign,
    };
    return [
      {
        ...base,
        proved: false,
        gated: false,
        stoppedByHand: stoppedByHand && state === "exited",
        startedAt,
        networks: ["slipway"],
        ...given,
      },
    ];
  };
  const served = (one: One | undefined): Partial<ModelContainer> => ({
    proved:
      one !== undefined &&
      !one.foreign &&
      !NEVER_SERVED.has(one.state) &&
      goodness(VERSIONS[one.version]?.imageId ?? ""),
  });
  return [
    ...made(live, liveName(service, slot), served(live)),
    ...made(candidate, candidateName(service, slot), {}),
    ...made(copy, copyName(service, slot), { hostPort: undefined }),
    ...kept.flatMap((one) =>
      made(one, keptName(service, slot, VERSIONS[one.version]?.revision ?? ""), {
        ...served(one),
        // whether a stranger has the port is seen by its own look
        ...(one.foreign ? { hostPort: undefined } : {}),
      }),
    ),
  ];
}

/** The engine gives a port once. */
export function onePortHolder(containers: readonly ModelContainer[]): readonly ModelContainer[] {
  const isFirst = (each: ModelContainer): boolean =>
    each === containers.find((other) => other.hostPort === each.hostPort && isUp(other));
  return containers.map((each) =>
    each.hostPort !== undefined && isUp(each) && !isFirst(each)
      ? { ...each, state: "exited" as const }
      : each,
  );
}
