import { createHash, randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { docker, dockerBytes } from "./docker";
import type { LabHost, Suite } from "./lab-host";

/** Where an image's HAProxy is from: 2.6 of bookworm, 3.0 of trixie, 3.2 of sid. */
export type HaproxySuite = Suite | "sid";

const SID = `sed -n 's/ trixie main/ sid main/p' /etc/apt/sources.list >/etc/apt/sources.list.d/sid.list && `;

/** HAProxy of Debian with the libraries that it needs and nothing else. */
const recipe = (base: string, suite: HaproxySuite): string => `FROM ${base} AS taken
RUN ${suite === "sid" ? SID : ""}apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -t ${suite} haproxy
RUN mkdir -p /root/fs/usr/sbin /root/fs/etc && cp /usr/sbin/haproxy /root/fs/usr/sbin/ && cp /etc/nsswitch.conf /root/fs/etc/ \\
 && for file in $(ldd /usr/sbin/haproxy | grep -o '/[^ ]*') /lib/*/libnss_files.so.2 /lib/*/libnss_dns.so.2 /lib/*/libresolv.so.2; do \\
      [ -e "$file" ] && mkdir -p "/root/fs\${file%/*}" && cp -L "$file" "/root/fs$file"; done; true
FROM scratch
COPY --from=taken /root/fs/ /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["haproxy"]
`;

/** Brings the image `haproxy-lab:<suite>` onto a lab host; made once, about ten seconds. */
export async function loadHaproxy(host: LabHost, suite: HaproxySuite): Promise<string> {
  const made = await ensureImage(suite);
  const file = path.join(tmpdir(), `slipway-haproxy-${randomBytes(4).toString("hex")}.tar`);
  try {
    writeFileSync(file, await dockerBytes(["save", made]));
    await docker(["cp", file, `${host.name}:/root/haproxy.tar`]);
  } finally {
    rmSync(file, { force: true });
  }
  const image = `haproxy-lab:${suite}`;
  await host.must(["docker", "load", "--quiet", "--input", "/root/haproxy.tar"]);
  await host.must(["docker", "tag", made, image]);
  await host.must(["docker", "rmi", made]);
  return image;
}

/** Tagged with what it was made from, so that a new base or recipe makes a new one. */
async function ensureImage(suite: HaproxySuite): Promise<string> {
  const base = `slipway-lab:${suite === "sid" ? "trixie" : suite}`;
  const id = await docker(["image", "inspect", "--format", "{{.Id}}", base]);
  const text = recipe(base, suite);
  const image = `slipway-lab-haproxy:${createHash("sha256").update(id).update(text).digest("hex").slice(0, 12)}`;
  const present = await docker(["image", "ls", "--quiet", image]);
  if (present === "") await docker(["build", "--quiet", "--tag", image, "-"], { input: text });
  return image;
}
