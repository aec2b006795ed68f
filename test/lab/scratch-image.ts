import { createHash, randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { docker, dockerBytes } from "./docker";
import type { LabHost, Suite } from "./lab-host";

/** A program of a Debian package with the libraries that it needs and nothing else. */
export interface ScratchImage {
  readonly suite: Suite | "sid";
  /** The package, and the program's name in it. */
  readonly program: string;
  /** Its path. */
  readonly at: string;
}

const SID = `sed -n 's/ trixie main/ sid main/p' /etc/apt/sources.list >/etc/apt/sources.list.d/sid.list && `;

const recipe = (base: string, { suite, program, at }: ScratchImage): string => `FROM ${base} AS taken
RUN ${suite === "sid" ? SID : ""}apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -t ${suite} ${program}
RUN mkdir -p /root/fs${path.dirname(at)} /root/fs/etc && cp ${at} /root/fs${at} && cp /etc/nsswitch.conf /root/fs/etc/ \\
 && for file in $(ldd ${at} | grep -o '/[^ ]*') /lib/*/libnss_files.so.2 /lib/*/libnss_dns.so.2 /lib/*/libresolv.so.2; do \\
      [ -e "$file" ] && mkdir -p "/root/fs\${file%/*}" && cp -L "$file" "/root/fs$file"; done; true
FROM scratch
COPY --from=taken /root/fs/ /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["${program}"]
`;

/** Brings the image `<program>-lab:<suite>` onto a lab host; made once, about ten seconds, and kept in the lab's Docker. */
export async function loadScratchImage(host: LabHost, image: ScratchImage): Promise<string> {
  const made = await ensureImage(image);
  const file = path.join(tmpdir(), `slipway-${image.program}-${randomBytes(4).toString("hex")}.tar`);
  const place = `/root/${image.program}.tar`;
  try {
    writeFileSync(file, await dockerBytes(["save", made]));
    await docker(["cp", file, `${host.name}:${place}`]);
  } finally {
    rmSync(file, { force: true });
  }
  const name = `${image.program}-lab:${image.suite}`;
  await host.must(["docker", "load", "--quiet", "--input", place]);
  await host.must(["docker", "tag", made, name]);
  await host.must(["docker", "rmi", made]);
  return name;
}

/** Tagged with what it was made from, so that a new base or recipe makes a new one. */
async function ensureImage(wanted: ScratchImage): Promise<string> {
  const base = `slipway-lab:${wanted.suite === "sid" ? "trixie" : wanted.suite}`;
  const id = await docker(["image", "inspect", "--format", "{{.Id}}", base]);
  const text = recipe(base, wanted);
  const hash = createHash("sha256").update(id).update(text).digest("hex").slice(0, 12);
  const image = `slipway-lab-${wanted.program}:${hash}`;
  const present = await docker(["image", "ls", "--quiet", image]);
  if (present === "") await docker(["build", "--quiet", "--tag", image, "-"], { input: text });
  return image;
}
