import { LABEL } from "../../provider/container/labels";
import type { Desired } from "../../provider/rolling-container/desired";
import type { Found, HostFound } from "../../provider/rolling-container/found";
import { slotsFrom } from "../../provider/rolling-container/observe";
import { UPDATE_DEFAULTS } from "../../provider/rolling-container/update-settings";
import { observedContainer } from "./observed-container";

export const LIMITS = { restart: "unless-stopped", memory: 0, nanoCpus: 0, pidsLimit: 0 };

/** A running container of ours of revision `aaaaaaaa`, from the spec 1:old and the image sha256:old, but for what is given. */
export function foundContainer(given: Partial<Found> & { readonly revision?: string } = {}): Found {
  const { revision = "aaaaaaaa", ...more } = given;
  const name = given.name ?? "web";
  const labels = { [LABEL.service]: "web", [LABEL.revision]: revision, [LABEL.specHash]: "1:old" };
  const base = observedContainer({ id: `id-${name}`, name, imageId: "sha256:old", labels });
  return { ...base, limits: LIMITS, foreign: undefined, ...more };
}

/** The same, of what `desired` wants. */
export function wantedContainer(given: Partial<Found> & { readonly revision?: string } = {}): Found {
  const { revision = "bbbbbbbb", ...more } = given;
  const labels = { [LABEL.service]: "web", [LABEL.revision]: revision, [LABEL.specHash]: "1:new" };
  return foundContainer({ imageId: "sha256:new", labels, ...more });
}

/** A host on which these containers stand. */
export function foundHost(containers: readonly Found[] = [], given: Partial<HostFound> = {}): HostFound {
  return {
    target: "root@host:22",
    service: { service: "web", slots: slotsFrom(containers, "web") },
    former: undefined,
    networks: [],
    volumes: [],
    keptTags: [],
    portTakers: [],
    ...given,
  };
}

/** One replica with host port 80 and the image sha256:new as revision `bbbbbbbb`, but for what is given. */
export function desiredService(given: Partial<Desired> = {}): Desired {
  return {
    service: "web",
    replicas: 1,
    hosts: [],
    image: "web:2",
    spec: { ports: [{ container: 3000, host: 80, protocol: "tcp" }] },
    specHash: "1:new",
    limits: LIMITS,
    update: UPDATE_DEFAULTS,
    keepPrevious: 1,
    registries: [],
    pull: "missing",
    adopt: false,
    abandonUnreachable: false,
    imageId: "sha256:new",
    revision: "bbbbbbbb",
    imageHasHealthcheck: false,
    stack: "project/stack",
    resource: "web",
    ...given,
  };
}
