export {
  type ConnectionArgs,
  DockerHost,
  type DockerHostArgs,
  type EngineSummary,
  type HostArgument,
  type HostRolloutArgs,
  type OperatingSystem,
  type PackageFileArgs,
  type PackageSourceArgs,
  type UploadedPackagesArgs,
} from "./docker-host/resource";
export {
  type CertificateArgs,
  EdgeProxy,
  type EdgeProxyArgs,
  type ProxyTimeoutArgs,
  type RouteArgs,
  type RouteSummary,
  type TlsArgs,
} from "./edge-proxy/resource";
export { type ErrorCode, SlipwayError } from "./errors";
export {
  type ContainerReport,
  type HealthCounts,
  HealthPolicy,
  type HealthPolicyArgs,
} from "./health-policy/resource";
export type { Connection } from "./host/connection";
export type { ProxyRef } from "./proxy/ref";
export {
  type GitAuthArgs,
  type RegistryArgs,
  RemoteImage,
  type RemoteImageArgs,
} from "./remote-image/resource";
export {
  type ContainerArgs,
  type HealthcheckArgs,
  type LoggingArgs,
  type MountArgs,
  type PortArgs,
  type PublishedPort,
  RollingContainer,
  type RollingContainerArgs,
  type RolloutSummary,
  type ServiceContainer,
  type UlimitArgs,
  type UpdateArgs,
} from "./rolling-container/resource";
