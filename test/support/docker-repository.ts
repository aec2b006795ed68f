import type { LabHost } from "../lab/lab-host";

/** A signed apt repository on a lab host, served by itself: Docker's packages as Docker names them. */
export interface DockerRepository {
  readonly url: string;
  /** Addresses of key files: the right one, another one, both in one file, and the other one so that only apt sees it. */
  readonly keys: Readonly<Record<"right" | "other" | "both" | "hidden", string>>;
  /** Of the right key. */
  readonly fingerprint: string;
}

const PORT = 8099;
const URL = `http://127.0.0.1:${PORT}`;

/**
 * Debian's packages under other names. The daemon of 26.1.4 is 26.1.5 with another version in its binary, so that it says
 * what its package says; that of 27.0.1 goes on saying 26.1.5.
 */
const MAKE = `set -eu
export DEBIAN_FRONTEND=noninteractive GNUPGHOME=/srv/gpg
echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/lab
mkdir -p /srv/make /srv/repo/pool && mkdir -m 700 /srv/gpg && cd /srv/make
apt-get update -qq && apt-get install -qq -y --no-install-recommends busybox-static >&2
apt-get download -qq docker.io docker-cli containerd runc 2>&1
for name in docker.io docker-cli containerd runc; do dpkg-deb -R "$name"_*.deb "$name"; rm -f "$name"/DEBIAN/md5sums; done
cp -a runc/usr containerd/ && rm -rf containerd/usr/bin/ctr containerd/usr/bin/containerd-stress
architecture=$(dpkg --print-architecture)

# $1 folder (or a new one), $2 name, $3 version, $4 further fields
build() {
  mkdir -p "$1/DEBIAN"
  printf 'Package: %s\\nVersion: %s\\nArchitecture: %s\\nMaintainer: Lab <lab@localhost>\\n%bDescription: %s\\n' \\
    "$2" "$3" "$architecture" "$4" "$2 for tests" >"$1/DEBIAN/control"
  dpkg-deb --root-owner-group -Znone -b "$1" /srv/repo/pool >&2
}
engine() {
  build docker.io docker-ce "5:$1-1~debian.13~trixie" \\
    'Depends: containerd.io, docker-ce-cli, iptables, adduser, tini, libsystemd0\\nRecommends: docker-buildx-plugin, docker-compose-plugin\\nConflicts: docker.io\\nReplaces: docker.io\\n'
  build docker-cli docker-ce-cli "5:$1-1~debian.13~trixie" 'Depends: libc6\\nConflicts: docker.io, docker-cli\\nReplaces: docker-cli\\n'
}
engine 26.1.5
engine 27.0.1
perl -0777 -pi -e 's/26\\.1\\.5\\+dfsg1/26.1.4+dfsg1/g' docker.io/usr/sbin/dockerd
engine 26.1.4
build containerd containerd.io 1.7.24-1 'Depends: libc6, libseccomp2\\nProvides: containerd, runc\\nConflicts: containerd, runc\\nReplaces: containerd, runc\\n'
build buildx docker-buildx-plugin 0.14.1-1~debian.13~trixie ''
build compose docker-compose-plugin 2.27.1-1~debian.13~trixie ''

cd /srv/repo
lists=dists/trixie/stable/binary-$architecture
mkdir -p "$lists"
for file in pool/*.deb; do
  dpkg-deb -f "$file"
  printf 'Filename: %s\\nSize: %s\\nSHA256: %s\\n\\n' "$file" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d ' ' -f 1)"
done >"$lists/Packages"
cd dists/trixie
printf 'Origin: Lab\\nSuite: trixie\\nCodename: trixie\\nComponents: stable\\nArchitectures: %s\\nDate: %s\\nSHA256:\\n %s %s %s\\n' \\
  "$architecture" "$(date -Ru)" "$(sha256sum "stable/binary-$architecture/Packages" | cut -d ' ' -f 1)" \\
  "$(stat -c %s "stable/binary-$architecture/Packages")" "stable/binary-$architecture/Packages" >Release
for who in right other; do
  gpg --batch --quiet --passphrase '' --quick-generate-key "$who@localhost" ed25519 sign never
  gpg --armor --export "$who@localhost" >"/srv/repo/$who.asc"
done
gpg --batch --local-user right@localhost --clearsign --output InRelease Release
cat /srv/repo/right.asc /srv/repo/other.asc >/srv/repo/both.asc
sed 's/^$/ /' /srv/repo/other.asc | cat /srv/repo/right.asc - >/srv/repo/hidden.asc
systemd-run --quiet --unit lab-repository busybox httpd -f -p 127.0.0.1:${PORT} -h /srv/repo
gpg --with-colons --list-keys right@localhost | awk -F : '$1 == "fpr" { print $10; exit }'
`;

/** Makes the repository on the host and serves it there. */
export async function serveDockerRepository(host: LabHost): Promise<DockerRepository> {
  const output = await host.must(["bash"], { input: MAKE });
  const key = (name: string): string => `${URL}/${name}.asc`;
  const keys = { right: key("right"), other: key("other"), both: key("both"), hidden: key("hidden") };
  return { url: URL, keys, fingerprint: output.split("\n").at(-1) ?? "" };
}
