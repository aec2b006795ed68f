import { dockerHostHandler } from "../docker-host/handler";
import { edgeProxyHandler } from "../edge-proxy/handler";
import { healthPolicyHandler } from "../health-policy/handler";
import { remoteImageHandler } from "../remote-image/handler";
import { rollingContainerHandler } from "../rolling-container/handler";
import { dynamicProvider } from "./adapter";
import { sendMessages } from "./engine-log";
import { lifetimeOf } from "./lifetime";

// What the constant provider text of each resource requires; one process serves all resources of an operation.
const shared = { send: sendMessages(process.argv), lifetime: lifetimeOf(process) };

export const DockerHost = dynamicProvider(dockerHostHandler, shared);
export const RemoteImage = dynamicProvider(remoteImageHandler, shared);
export const RollingContainer = dynamicProvider(rollingContainerHandler, shared);
export const HealthPolicy = dynamicProvider(healthPolicyHandler, shared);
export const EdgeProxy = dynamicProvider(edgeProxyHandler, shared);
