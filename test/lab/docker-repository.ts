import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { docker } from "./docker";
import { labRun, removeAtExit, removeContainer } from "./lab-run";

/**
 * An apt repository for Debian 13 with Docker's packages as Docker names them, signed: real engines of three Debian
 * releases, and 27.0.1, whose daemon says 26.1.5. Anybody in the lab can read it.
 */
export interface DockerRepository {
  readonly url: string;
  /** Addresses of key files: the right one, another one, both in one file, and the other one so that only apt sees it. */
  readonly keys: Readonly<Record<"right" | "other" | "both" | "hidden", string>>;
  /** Of the right key. */
  readonly fingerprint: string;
  /** The upstream versions of the three engines, oldest first. */
  readonly engines: readonly [string, string, string];
  /** And of their containerd. */
  readonly containerds: readonly [string, string, string];
  /** Nobody answers at its address until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

const NAME = "slipway-lab-docker-repository";
const BASE = "slipway-lab:trixie";
const HTTPD = ["/httpd", "-p", "80", "-h", "/srv"];
/** On what the image is taken from, which is not kept. */
const MAKING = "slipway.lab.making=docker-repository";
const SCRIPT = path.join(__dirname, "docker-packages.sh");

/** Serves the repository from a container of its own. The first time makes it, about two minutes; then it is kept in the lab's Docker. */
export async function startDockerRepository(): Promise<DockerRepository> {
  const run = await labRun();
  const image = await dockerRepositoryImage();
  const name = `slipway-packages-${randomBytes(3).toString("hex")}`;
  removeAtExit(name);
  await docker(["run", "--detach", "--name", name, ...run.labelArgs, image]);
  const contents = (await docker(["exec", name, "/busybox", "cat", "/srv/contents"])).split("\n");
  const [fingerprint = "", ...versions] = contents;
  const [old = "", middle = "", recent = "", ...containerds] = versions;
  const [oldest = "", older = "", newest = ""] = containerds;
  const address = await docker(["inspect", "--format", "{{.NetworkSettings.IPAddress}}", name]);
  const url = `http://${address}`;
  const key = (file: string): string => `${url}/${file}.asc`;
  return {
    url,
    keys: { right: key("right"), other: key("other"), both: key("both"), hidden: key("hidden") },
    fingerprint,
    engines: [old, middle, recent],
    containerds: [oldest, older, newest],
    stop: async () => {
      await docker(["exec", name, "/busybox", "killall", "httpd"]);
    },
    start: async () => {
      await docker(["exec", name, ...HTTPD]);
    },
    remove: () => removeContainer(name),
  };
}

/** The image of the repository, `/srv/pool` being its packages. Tagged with what it was made from; one that was made from something else goes. */
export async function dockerRepositoryImage(): Promise<string> {
  const base = await docker(["image", "inspect", "--format", "{{.Id}}", BASE]);
  const text = recipe(readFileSync(SCRIPT));
  const image = `${NAME}:${createHash("sha256").update(base).update(text).digest("hex").slice(0, 12)}`;
  const made = (await docker(["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", NAME])).split("\n");
  if (made.includes(image)) return image;
  await docker(["build", "--quiet", "--tag", image, "-"], { input: text });
  for (const old of made.filter((tag) => tag !== "")) await docker(["rmi", "--force", old]);
  await docker(["image", "prune", "--force", "--filter", `label=${MAKING}`]);
  return image;
}

const recipe = (script: Buffer): string => `FROM ${BASE} AS made
LABEL ${MAKING}
RUN echo ${script.toString("base64")} | base64 -d | bash
FROM scratch
COPY --from=made /bin/busybox /busybox
COPY --from=made /bin/busybox /httpd
COPY --from=made /srv /srv
STOPSIGNAL SIGKILL
CMD ["/busybox", "sh", "-c", "${HTTPD.join(" ")}; exec /busybox sleep 1000000"]
`;
