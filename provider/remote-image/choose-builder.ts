import { SlipwayError } from "../errors";
import type { HostSession } from "../host/session";
import type { Builder } from "./build-job";
import { findDockerCommand } from "./build-on-host";
import { fitsCommand, type ImageSpec, needsBuildKit } from "./spec";

/** What a host builds with. */
export interface BuilderChoice {
  readonly builder: Builder;
  /** By the host's docker command, which takes a context from the host's store; else by the Engine API. */
  readonly byCommand: boolean;
}

/** Chooses by the wish and by what the host has. @throws SlipwayError image-build-failed: it has not what is needed */
export async function chooseBuilder(
  session: HostSession,
  { spec, ref }: { readonly spec: ImageSpec; readonly ref: string },
  sudo: boolean,
  signal: AbortSignal,
): Promise<BuilderChoice> {
  if (!fitsCommand(spec)) return { builder: "classic", byCommand: false };
  const command = await findDockerCommand(session, sudo, signal);
  const need = needsBuildKit(spec);
  if (spec.builder === "classic" || (command !== "buildkit" && need === undefined)) {
    return { builder: "classic", byCommand: command !== "none" };
  }
  if (command === "buildkit") return { builder: "buildkit", byCommand: true };
  const lack =
    command === "none" ? "there is no docker command there" : "the docker command there has no buildx";
  throw new SlipwayError({
    code: "image-build-failed",
    what: `building ${ref}`,
    host: session.target,
    why: `${need ?? "this"} BuildKit, and ${lack}`,
    left: "Nothing was touched",
    next: "Install the host's package docker-buildx-plugin (Docker's own) or docker-buildx (Debian's)",
  });
}
