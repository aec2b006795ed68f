/** The ways to the engine's socket, in the order they are tried. */
export const ENGINE_WAYS = ["streamlocal", "dial-stdio", "sudo dial-stdio"] as const;

export type EngineWay = (typeof ENGINE_WAYS)[number];

/** Where the engine listens. */
export const ENGINE_SOCKET = "/var/run/docker.sock";

/** The relay for machines where sshd forwards no sockets. */
export const DIAL_STDIO: readonly string[] = [
  "docker",
  "--host",
  `unix://${ENGINE_SOCKET}`,
  "system",
  "dial-stdio",
];

/** What is remembered about a route for the life of the process, over reconnects. */
export interface RouteMemory {
  /** The way that worked last. */
  engineWay: EngineWay | undefined;
}
