import fc from "fast-check";
import { LABEL } from "../../provider/container/labels";
import { candidateName, copyName, keptImage } from "../../provider/container/names";
import type { Desired } from "../../provider/rolling-container/desired";
import { UPDATE_DEFAULTS } from "../../provider/rolling-container/update-settings";
import { DockerModel, isUp, type ModelContainer } from "./docker-model";
import { FORMER } from "./former-name";
import { containersIn, onePortHolder, SLOT, type Slot, VERSIONS } from "./slot-cases";
import { desiredService, LIMITS } from "./rollout";
import type { Outlives } from "./rollout-model";
import { routesOn } from "./route-cases";
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

const LEFT = fc.record({
  phase: fc.constantFrom("ruled", "oldstopped", "nextstarted", "back", "stuck", "ended"),
  rules: fc.boolean(),
  alive: fc.boolean(),
});

/** The service had another name: what stands under that one, what of all it left goes by which. */
const RENAMED = fc.record({
  slots: fc.array(SLOT, { minLength: 1, maxLength: 3 }),
  /** Nothing stands under the new name yet. */
  isFirst: fc.boolean(),
  routeIsFormer: fc.boolean(),
  switchIsFormer: fc.boolean(),
});

type Left = typeof LEFT extends fc.Arbitrary<infer T> ? T : never;

const WAYS = {
  overlap: { spec: { networks: ["slipway"] }, update: UPDATE_DEFAULTS },
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
    // what ran was published elsewhere
    oldPort: fc.constantFrom(80, 80, 80, 80, 81),
    renamed: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: RENAMED }),
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
      oldPort,
      renamed,
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
      // under two names at once nobody of ours runs at another port: the first run under the new one ends that
      const isAlone = renamed === undefined || renamed.isFirst;
      const standing = (service: string, all: readonly Slot[]): readonly ModelContainer[] =>
        all.flatMap((each, index) => {
          const portOf = (version: number): number | undefined =>
            publishes && index === 0 ? (version === 0 && isAlone ? oldPort : 80) : undefined;
          return containersIn(each, { service, slot: index + 1, portOf, goodness });
        });
      const containers = [
        ...standing("web", renamed?.isFirst === true ? [] : slots),
        ...standing(FORMER, renamed?.slots ?? []),
      ];
      const tags = containers.map(({ labels }) =>
        keptImage(labels[LABEL.service] ?? "", labels[LABEL.revision] ?? ""),
      );
      const docker = new DockerModel(onePortHolder(containers), goodness, tags.slice(-2));
      if (renamed !== undefined) docker.former = FORMER;
      if ("route" in wanted) docker.routes = routesOn(docker, seen, renamed?.routeIsFormer === true);
      // only the first slot's switch is looked at
      if (way !== "overlap" && way !== "proxied" && (publishes || replicas === 1)) {
        docker.can = can;
        const isRoot = !("root" in can);
        // who wants never two at once has had no bridged switch
        if (left !== undefined && isRoot && way === "rehearsed") {
          const service = renamed?.switchIsFormer === true ? FORMER : "web";
          docker.exchanges = new Map([[service, leftOn(docker, left, service)]]);
        }
      }
      return { docker, desired, cutAt, cutIs, reboot, outlives };
    },
  );

/** What a program that died, or one that is stuck, left of an exchange of these very containers. */
function leftOn(docker: DockerModel, { phase, rules, alive }: Left, service: string): SwitchModel {
  const idOf = (name: string): string => docker.named(name)?.id ?? "";
  const old = docker.named(service)?.id ?? idOf(FORMER);
  const order = {
    bridged: true,
    old,
    next: idOf(candidateName(service, 1)),
    copy: idOf(copyName(service, 1)),
    oldRestart: "unless-stopped",
  };
  // where a kept one runs, it has the port: no program brings that about
  const impossible = docker.containers.some(
    (each) => each.foreign || (/[.][0-9a-f]{8}$/.test(each.name) && isUp(each)),
  );
  const copy = docker.named(copyName(service, 1));
  if (copy !== undefined && rules && !impossible) copy.state = "running";
  const before = docker.containers.find(({ id }) => id === old);
  const next = docker.named(candidateName(service, 1));
  // a program at that point has just stopped it: up again it can only be by a restart of the engine in that very moment. By
  // the port that both have the program finds that out; with two it cannot, and that moment is no case here
  const isStopped = phase === "oldstopped" && alive && !impossible && before?.hostPort !== next?.hostPort;
  if (before !== undefined && isStopped && isUp(before)) before.state = "exited";
  // it gets its policy when the program has ended, or in a run beside one that is stuck
  if (next !== undefined && !impossible && phase !== "ended" && phase !== "stuck") next.restart = "no";
  const model = new SwitchModel(docker, order, {
    phase: impossible ? "ended" : phase,
    rules: rules && !impossible,
  });
  model.alive = alive;
  return model;
}
