import { SlipwayError } from "../../errors";
import type { DaemonConfig } from "../daemon/config";
import { adoptionNeeds, consentNeeds, refuseWithoutConsent, repairNeeds } from "./consent";
import type { Desired } from "../wish/desired";
import type { ForeignEngine, ObservedEngine } from "../look/observed";
import type { Operation } from "./operation";
import { goesOn } from "./install";

/**
 * Ends what cannot be done on this machine, or was not adopted, before anything is touched.
 * @throws SlipwayError engine-foreign, sudo-unavailable
 */
export function refuseMachine(desired: Desired, observed: ObservedEngine): void {
  refuseWithoutRights(observed);
  refuseUnmovable(observed);
  refuseWithoutConsent(observed.target, desired.wish, adoptionNeeds(observed), leftOf(observed));
}

/** @throws SlipwayError sudo-unavailable */
export function refuseWithoutRights({ facts, target: host }: Pick<ObservedEngine, "facts" | "target">): void {
  if (facts.sudo !== "none") return;
  throw new SlipwayError({
    code: "sudo-unavailable",
    what: "setting up Docker",
    host,
    why: `${facts.user.name} is not root and cannot become root`,
    left: "Nothing was changed on the host",
    next: "Log in as root, allow sudo for this user, or set sudoPassword on the connection",
  });
}

/**
 * The daemon.json that the engine which is installed is to take, and can judge beforehand; undefined where none is written, or
 * another engine comes.
 */
export function configToJudge(plan: readonly Operation[]): DaemonConfig | undefined {
  if (plan.some(({ kind }) => kind === "install")) return undefined;
  return plan.findLast((operation) => operation.kind === "write-config")?.config;
}

/**
 * `left`: what stands, as a sentence.
 * @throws SlipwayError engine-consent
 */
export function refusePlan(
  plan: readonly Operation[],
  desired: Desired,
  observed: ObservedEngine,
  left: string,
): void {
  const { wish, former } = desired;
  const needs = [
    ...repairNeeds(plan, observed),
    ...consentNeeds(plan, observed, former !== undefined, wish.dockerVersion),
  ];
  refuseWithoutConsent(observed.target, wish, needs, left);
}

/** What adopting would lose, it does not do. */
export function refuseUnmovable({ foreign, target: host }: ObservedEngine): void {
  const engine = foreign.find((each) => whyUnmovable(each) !== undefined);
  if (engine === undefined) return;
  const why = whyUnmovable(engine) ?? "";
  throw new SlipwayError({
    code: "engine-foreign",
    what: "setting up Docker",
    host,
    why,
    left: "Nothing was changed on the host",
    next:
      engine.kind === "unpackaged"
        ? "Stop and remove it by hand; /var/lib/docker may stay"
        : "Save what you need of it, remove the snap by hand (`snap remove docker`), then run pulumi up again",
  });
}

function whyUnmovable(engine: ForeignEngine): string | undefined {
  if (engine.kind === "unpackaged") {
    return `${engine.path} belongs to no package, so Slipway cannot replace it`;
  }
  if (engine.kind !== "snap") return undefined;
  const what = "the docker snap's images, containers and volumes cannot be taken over";
  if (engine.store === "taken") return `${what}: /var/lib/docker holds those of another engine`;
  if (engine.store === "apart") return `${what}: /var/lib is on another file system`;
  return undefined;
}

/** What goes on as it was when nothing was done. */
export function leftOf(observed: ObservedEngine): string {
  if (observed.daemon === undefined) return "Nothing was changed on the host";
  return `${goesOn(observed)}, nothing was changed`;
}

/** What adopting leaves where it is, as sentences. */
export function leftBehind(observed: ObservedEngine): readonly string[] {
  return observed.foreign.flatMap((engine): readonly string[] => {
    if (engine.kind === "rootless") {
      const users = engine.users.join(", ");
      return [
        `the rootless Docker of ${users} goes on beside this one, with its images, containers and volumes`,
      ];
    }
    return engine.kind === "packages" && engine.names.includes("podman-docker")
      ? ["containers, images and volumes of podman stay with podman: Docker does not see them"]
      : [];
  });
}
