/** Labels carry identity only: they cannot change later, so the phase of a rollout is never read from them. */
export const LABEL = {
  /** The name of an EdgeProxy; it is no service, so that nothing takes it for one. */
  proxy: "slipway.proxy",
  /** The service's name. */
  service: "slipway.service",
  /** `project/stack` that made it. */
  stack: "slipway.stack",
  /** URN-like name of the resource that made it. */
  resource: "slipway.resource",
  revision: "slipway.revision",
  specHash: "slipway.spec-hash",
  /** The replica's place, from 1. */
  slot: "slipway.slot",
  /** The effective healthcheck as JSON (health/policy, without secrets). */
  healthcheck: "slipway.healthcheck",
} as const;
