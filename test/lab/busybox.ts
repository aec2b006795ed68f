import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { docker, dockerBytes } from "./docker";
import { labFolder } from "./lab-run";

const IMAGE = "slipway-lab:bookworm";
const TAKE = `apt-get update -qq >&2 && cd /tmp && apt-get download -qq busybox-static >&2 &&
  dpkg-deb --fsys-tarfile busybox-static_*.deb | tar -xO ./bin/busybox`;

/** A static busybox for the lab hosts' architecture, for images that start from nothing; taken once from Debian's package. */
export async function busyboxPath(): Promise<string> {
  const architecture = await docker(["image", "inspect", "--format", "{{.Architecture}}", IMAGE]);
  const file = path.join(labFolder("busybox"), `busybox-${architecture}`);
  if (existsSync(file)) return file;
  const binary = await dockerBytes(["run", "--rm", "--entrypoint", "sh", IMAGE, "-ec", TAKE]);
  const fresh = `${file}.${randomBytes(4).toString("hex")}`;
  writeFileSync(fresh, binary);
  chmodSync(fresh, 0o755);
  renameSync(fresh, file);
  return file;
}
