import fc from "fast-check";
import { LABEL } from "../../provider/container/labels";
import { candidateName, copyName, keptImage, keptName, liveName } from "../../provider/container/names";
import type { ContainerState } from "../../provider/container/observed";
import type { Desired } from "../../provider/rolling-container/desired";
import { UPDATE_DEFAULTS } from "../../provider/rolling-container/update-settings";
import { DockerModel, isUp, type ModelContainer } from "./docker-model";
import { desiredService, LIMITS } from "./rollout";
import type { Outlives } from "./rollout-model";
import { routeOn } from "./route-cases";
import { WANTED_ROUTE } from "./route-model";
import { SwitchModel } from "./switch-model";

/** What stands on a host, what is wanted there, and where the run is cut. */
export interface RolloutCase {
  readonly docker: DockerModel;
  readonly desired: Desired;
  /** After how many of the run's operations the client dies, modulo their number. */
  readonly cutAt: number;
  /** The host restarts after the cut; who is first at the port. */
  readonly reboot: readonly number[] | undefined;
  /** How a change of the route ends there: not begun, half done, or the client lives and the proxy says nothing. */
  readonly cutIs: "before" | "halfway" | "silent";
  /** What becomes of a program on the host then. */
  readonly outlives: Outlives;
}

interface Version {
  readonly revision: string;
  readonly specHash: string;
  readonly imageId: string;
}

/** What ran, what is wanted, and something else. */
const VERSIONS: readonly Version[] = [
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

const SLOT = fc.record({
  live: maybe(12),
  candidate: maybe(2),
  copy: maybe(2),
  kept: fc.uniqueArray(ONE, { maxLength: 2, selector: ({ version }) => version }),
});

const LEFT = fc.record({
  phase: fc.constantFrom("ruled", "oldstopped", "nextstarted", "back", "stuck", "ended"),
  rules: fc.boolean(),
  alive: fc.boolean(),
});

type Left = typeof LEFT extends fc.Arbitrary<infer T> ? T : never;

type Slot = typeof SLOT extends fc.Arbitrary<infer T> ? T : never;

const WAYS = {
  overlap: { spec: {}, update: UPDATE_DEFAULTS },
  rehearsed: { spec: desiredService().spec, update: UPDATE_DEFAULTS },
  proxied: { spec: {}, update: UPDATE_DEFAULTS, route: WANTED_ROUTE },
  routed: {
    spec: {},
    update: { ...UPDATE_DEFAULTS, switch: "plain" as const },
    route: WANTED_ROUTE,
  },
  plain: { spec: desiredService().spec, update: { ...UPDATE_DEFAULTS, switch: "plain" as const } },
  mount: {
    spec: { mounts: [{ type: "volume" as const, source: "files", target: "/files" }] },
    update: UPDATE_DEFAULTS,
  },
} as const;

/** Any mixture of containers, and any wish. */
export const ROLLOUT_CASES: fc.Arbitrary<RolloutCase> = fc
  .record({
    way: fc.constantFrom<keyof typeof WAYS>(
      ...([
        "overlap",
        "rehearsed",
        "rehearsed",
        "rehearsed",
        "plain",
        "mount",
        "proxied",
        "proxied",
        "routed",
      ] as const),
    ),
    // who is behind the route, picked from all that stand there; undefined: there is no route yet
    behind: fc.option(fc.array(fc.nat({ max: 9 }), { maxLength: 4 }), { nil: undefined }),
    routePort: fc.constantFrom(3000, 3000, 3000, 4000),
    routeHost: fc.constantFrom("example.com", "example.com", "old.example.com"),
    slots: fc.array(SLOT, { minLength: 1, maxLength: 3 }),
    replicas: fc.integer({ min: 1, max: 3 }),
    keepPrevious: fc.integer({ min: 0, max: 2 }),
    restart: fc.constantFrom("unless-stopped", "always", "no"),
    good: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
    cutAt: fc.noBias(fc.nat({ max: 9_999 })),
    cutIs: fc.constantFrom<RolloutCase["cutIs"]>("before", "halfway", "silent"),
    // what the running proxy does otherwise than its file says, picked from all that stand there
    differs: fc.array(fc.tuple(fc.nat({ max: 9 }), fc.constantFrom("ready", "drain", "gone")), {
      maxLength: 2,
    }),
    fileGone: fc.oneof(
      { weight: 9, arbitrary: fc.constant(false) },
      { weight: 1, arbitrary: fc.constant(true) },
    ),
    outlives: fc.constantFrom<Outlives>("working", "dead", "done"),
    // what the host allows: a bridged switch, a plain one by the program, or none
    can: fc.oneof(
      { weight: 3, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: fc.constant({ dockerRules: false }) },
      { weight: 2, arbitrary: fc.constant({ root: false }) },
    ),
    left: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: LEFT }),
    reboot: fc.option(fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 4 }), { nil: undefined }),
  })
  .map(
    ({
      way,
      slots,
      replicas,
      keepPrevious,
      restart,
      good,
      cutAt,
      cutIs,
      reboot,
      outlives,
      can,
      left,
      ...seen
    }) => {
      const wanted = WAYS[way];
      const publishes = "ports" in wanted.spec;
      const desired = desiredService({
        ...wanted,
        replicas: publishes ? 1 : replicas,
        keepPrevious,
        limits: { ...LIMITS, restart },
      });
      const goodness = (imageId: string): boolean =>
        good[VERSIONS.findIndex((version) => version.imageId === imageId)] ?? false;
      const containers = slots.flatMap((slot, index) =>
        containersIn(slot, index + 1, publishes && index === 0, goodness),
      );
      const tags = containers.map(({ labels }) => keptImage("web", labels[LABEL.revision] ?? ""));
      const docker = new DockerModel(onePortHolder(containers), goodness, tags.slice(0, 2));
      if ("route" in wanted) docker.route = routeOn(docker, seen);
      // only the first slot's switch is looked at
      if (way !== "overlap" && way !== "proxied" && (publishes || replicas === 1)) {
        docker.can = can;
        const isRoot = !("root" in can);
        // who wants never two at once has had no bridged switch
        if (left !== undefined && isRoot && way === "rehearsed") docker.exchange = leftOn(docker, left);
      }
      return { docker, desired, cutAt, cutIs, reboot, outlives };
    },
  );

/** What a program that died, or one that is stuck, left of an exchange of these very containers. */
function leftOn(docker: DockerModel, { phase, rules, alive }: Left): SwitchModel {
  const idOf = (name: string): string => docker.named(name)?.id ?? "";
  const order = {
    bridged: true,
    old: idOf("web"),
    next: idOf(candidateName("web", 1)),
    copy: idOf(copyName("web", 1)),
    oldRestart: "unless-stopped",
  };
  // where a kept one runs, it has the port: no program brings that about
  const impossible = docker.containers.some(
    (each) => each.foreign || (/[.][0-9a-f]{8}$/.test(each.name) && isUp(each)),
  );
  const copy = docker.named(copyName("web", 1));
  if (copy !== undefined && rules && !impossible) copy.state = "running";
  const model = new SwitchModel(docker, order, {
    phase: impossible ? "ended" : phase,
    rules: rules && !impossible,
  });
  model.alive = alive;
  return model;
}

function containersIn(
  { live, candidate, copy, kept }: Slot,
  slot: number,
  publishes: boolean,
  goodness: (imageId: string) => boolean,
): readonly ModelContainer[] {
  const made = (one: One | undefined, name: string, given: Partial<ModelContainer>): ModelContainer[] => {
    if (one === undefined) return [];
    const { state, restart, stoppedByHand, foreign, startedAt } = one;
    const { revision, specHash, imageId } = VERSIONS[one.version] ?? {
      revision: "",
      specHash: "",
      imageId: "",
    };
    const labels = { [LABEL.service]: "web", [LABEL.revision]: revision, [LABEL.specHash]: specHash };
    const good = goodness(imageId);
    const base = { id: `old-${name}`, name, state, restart, imageId, labels, publishes, good, foreign };
    return [
      {
        ...base,
        proved: false,
        gated: false,
        stoppedByHand: stoppedByHand && state === "exited",
        startedAt,
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
    ...made(live, liveName("web", slot), served(live)),
    ...made(candidate, candidateName("web", slot), {}),
    ...made(copy, copyName("web", slot), { publishes: false }),
    ...kept.flatMap((one) =>
      made(one, keptName("web", slot, VERSIONS[one.version]?.revision ?? ""), {
        ...served(one),
        // whether a stranger has the port is seen by its own look
        publishes: publishes && !one.foreign,
      }),
    ),
  ];
}

/** The engine gives a port once. */
function onePortHolder(containers: readonly ModelContainer[]): readonly ModelContainer[] {
  const first = containers.find((each) => each.publishes && isUp(each));
  return containers.map((each) =>
    each !== first && each.publishes && isUp(each) ? { ...each, state: "exited" as const } : each,
  );
}
