import { dockerHostHandler } from "../docker-host/handler";
import type { Handler } from "../handler";
import { healthPolicyHandler } from "../health-policy/handler";
import { dynamicProvider } from "./adapter";
import { sendMessages } from "./engine-log";
import { lifetimeOf } from "./lifetime";

// What the constant provider text of each resource requires; one process serves all resources of an operation.
const shared = { send: sendMessages(process.argv), lifetime: lifetimeOf(process) };

/** Stands in for a resource whose handler is not there yet: its arguments are its outputs. */
const pending: Handler = {
  check: (_, news) => Promise.resolve({ inputs: news, failures: [] }),
  diff: () => Promise.resolve({ changes: false }),
  create: (inputs, { name }) => Promise.resolve({ id: name, outputs: inputs }),
  read: (id, outputs) => Promise.resolve({ id, outputs }),
  update: (_id, _olds, news) => Promise.resolve(news),
  delete: () => Promise.resolve(),
};

export const DockerHost = dynamicProvider(dockerHostHandler, shared);
export const RemoteImage = dynamicProvider(pending, shared);
export const RollingContainer = dynamicProvider(pending, shared);
export const HealthPolicy = dynamicProvider(healthPolicyHandler, shared);
