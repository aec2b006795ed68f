import type { ObservedContainer } from "../../provider/container/observed";

/** A running container without a check, but for what is given. */
export function observedContainer(given: Partial<ObservedContainer> = {}): ObservedContainer {
  return {
    id: "c1",
    name: "web",
    imageId: "sha256:1",
    image: "web:1",
    labels: { "slipway.service": "web", "slipway.slot": "1" },
    state: "running",
    health: "none",
    exitCode: 0,
    oomKilled: false,
    restartCount: 0,
    startedAt: "2026-01-01T00:00:00Z",
    createdAt: "2026-01-01T00:00:00Z",
    address: "172.17.0.2",
    networkMode: "bridge",
    networks: ["bridge"],
    restartPolicy: "unless-stopped",
    ports: [],
    hasDockerHealthcheck: false,
    dockerHealthcheck: undefined,
    healthOutput: "",
    failingStreak: 0,
    ...given,
  };
}
