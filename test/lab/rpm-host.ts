import { readFileSync } from "node:fs";
import path from "node:path";
import { dockerRepositoryImage } from "./docker-repository";
import { keptImage } from "./kept-image";
import { type LabHost, startLabHost } from "./lab-host";

/** A lab host with dnf that says it is Rocky 9, and a signed rpm repository of Docker's packages on itself. */
export interface RpmHost {
  readonly host: LabHost;
  readonly url: string;
  /** The same packages, signed by somebody else. */
  readonly otherUrl: string;
  /** Addresses of key files. */
  readonly keys: Readonly<Record<"right" | "other", string>>;
  /** Of the right key. */
  readonly fingerprint: string;
}

const NAME = "slipway-lab-rpm-host";
const BASE = "slipway-lab:trixie";
const SCRIPT = path.join(__dirname, "rpm-packages.sh");
const URL = "file:///srv/rpm";

/** Starts one. The first time makes its image, about two minutes; then that is kept in the lab's Docker. */
export async function startRpmHost(): Promise<RpmHost> {
  const host = await startLabHost({ suite: "trixie", image: await ensureImage() });
  const fingerprint = await host.must(["cat", "/srv/rpm/fingerprint"]);
  const keys = { right: `${URL}/right.asc`, other: `${URL}/other.asc` };
  return { host, url: URL, otherUrl: `${URL}-other`, keys, fingerprint };
}

async function ensureImage(): Promise<string> {
  const packages = await dockerRepositoryImage();
  const script = readFileSync(SCRIPT).toString("base64");
  const text = `FROM ${BASE}
COPY --from=${packages} /srv/pool /srv/pool
RUN echo ${script} | base64 -d | bash
`;
  return keptImage(NAME, BASE, text);
}
