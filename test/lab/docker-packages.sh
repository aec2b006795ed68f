# Debian's engines of three releases as Docker names and cuts its packages, in a signed repository at /srv.
# Its maintainer scripts do to the services what those of Docker's own packages do: an upgrade restarts the daemon.
set -eu
export DEBIAN_FRONTEND=noninteractive GNUPGHOME=/root/gpg
lists=/etc/apt/sources.list.d
for suite in bookworm sid; do sed -n "s/ trixie main/ $suite main/p" /etc/apt/sources.list >"$lists/$suite.list"; done
apt-get update -qq
apt-get install -qq -y --no-install-recommends busybox-static
architecture=$(dpkg --print-architecture)
mkdir -p /srv/pool /root/make && cd /root/make

# $1 suite: unpacks its engine into $1/
take() {
  mkdir -p "/root/make/$1/debs" && cd "/root/make/$1/debs"
  for name in docker.io docker-cli containerd runc; do
    apt-get download -qq "$name/$1" || [ "$name" = docker-cli ] # bookworm's docker.io has the command too
  done
  for file in *.deb; do dpkg-deb -x "$file" ../all; done
  cd ../all && rm -rf usr/share/doc usr/share/man usr/share/locale etc/init.d
  ls usr/sbin/dockerd usr/bin/docker usr/bin/containerd usr/sbin/runc >/dev/null
}
engine_of() { dpkg-deb -f "/root/make/$1"/debs/docker.io_*.deb Version | sed 's/+.*//'; }
containerd_of() { dpkg-deb -f "/root/make/$1"/debs/containerd_*.deb Version | sed 's/[~+].*//'; }

# $1 folder, $2 name, $3 version, $4 further fields, $5 its services
build() {
  mkdir -p "$1/DEBIAN"
  printf 'Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: Lab <lab@localhost>\n%bDescription: %s\n' \
    "$2" "$3" "$architecture" "$4" "$2 for tests" >"$1/DEBIAN/control"
  [ -z "$5" ] || scripts "$1/DEBIAN" "$5"
  dpkg-deb --root-owner-group -Zzstd -z1 -b "$1" /srv/pool
}

# what debhelper writes for them; $1 folder, $2 services
scripts() {
  cat >"$1/postinst" <<END
#!/bin/sh
set -e
[ "\$1" = configure ] || exit 0
getent group docker >/dev/null || groupadd --system docker
for unit in $2; do
  deb-systemd-helper unmask "\$unit" >/dev/null || true
  if deb-systemd-helper --quiet was-enabled "\$unit"; then deb-systemd-helper enable "\$unit" >/dev/null || true; fi
done
if [ -d /run/systemd/system ]; then
  systemctl --system daemon-reload >/dev/null || true
  if [ -n "\$2" ]; then action=restart; else action=start; fi
  deb-systemd-invoke "\$action" $2 >/dev/null || true
fi
END
  cat >"$1/prerm" <<END
#!/bin/sh
set -e
if [ -d /run/systemd/system ] && [ "\$1" = remove ]; then deb-systemd-invoke stop $2 >/dev/null || true; fi
END
  cat >"$1/postrm" <<END
#!/bin/sh
set -e
[ ! -d /run/systemd/system ] || systemctl --system daemon-reload >/dev/null || true
if [ "\$1" = purge ] && [ -x /usr/bin/deb-systemd-helper ]; then deb-systemd-helper purge $2 >/dev/null || true; fi
END
  chmod 0755 "$1/postinst" "$1/prerm" "$1/postrm"
}

# $1 suite, $2 the containerd that it asks for, $3 more that it needs, $4 another version than its own
engine() {
  version="5:${4:-$(engine_of "$1")}-1~debian.13~trixie"
  all="/root/make/$1/all"
  daemon=$(mktemp -d) && chmod 755 "$daemon"
  mkdir -p "$daemon/usr/bin" "$daemon/usr/lib/systemd/system"
  cp "$all/usr/sbin/dockerd" "$all/usr/sbin/docker-proxy" "$daemon/usr/bin/"
  cp "$all"/*/systemd/system/docker.s* "$all"/usr/*/systemd/system/docker.s* "$daemon/usr/lib/systemd/system/" 2>/dev/null || true
  sed -i 's#/usr/sbin/dockerd#/usr/bin/dockerd#' "$daemon/usr/lib/systemd/system/docker.service"
  build "$daemon" docker-ce "$version" \
    "Depends: containerd.io (>= $2), docker-ce-cli, iptables, libc6, libsystemd0$3\nRecommends: docker-buildx-plugin, docker-compose-plugin\nConflicts: docker.io\nReplaces: docker.io\n" \
    'docker.service docker.socket'
  command=$(mktemp -d) && chmod 755 "$command"
  mkdir -p "$command/usr/bin" && cp "$all/usr/bin/docker" "$command/usr/bin/"
  build "$command" docker-ce-cli "$version" 'Depends: libc6\nConflicts: docker.io, docker-cli\nReplaces: docker.io, docker-cli\n' ''
}

# $1 suite, $2 end of its version
containerd() {
  all="/root/make/$1/all"
  folder=$(mktemp -d) && chmod 755 "$folder"
  mkdir -p "$folder/usr/bin" "$folder/usr/lib/systemd/system"
  cp "$all/usr/bin/containerd" "$all/usr/bin/containerd-shim-runc-v2" "$all/usr/sbin/runc" "$folder/usr/bin/"
  cp "$all"/*/systemd/system/containerd.service "$all"/usr/*/systemd/system/containerd.service "$folder/usr/lib/systemd/system/" 2>/dev/null || true
  build "$folder" containerd.io "$(containerd_of "$1")-1$2" \
    'Depends: libc6, libseccomp2\nProvides: containerd, runc\nConflicts: containerd, runc\nReplaces: containerd, runc\n' containerd.service
}

for suite in bookworm trixie sid; do (take "$suite"); done
containerd bookworm ''
containerd trixie ''
containerd sid '~debian.13~trixie'
engine bookworm 1.4.1 ', libdevmapper1.02.1'
engine trixie 1.6.24 ''
engine sid 1.7.27 ''
engine trixie 1.6.24 '' 27.0.1 # whose daemon goes on saying what it is
for version in 0.14.1 0.29.1; do
  build "$(mktemp -d)" docker-buildx-plugin "$version-1~debian.13~trixie" '' ''
done
for version in 2.27.1 2.40.3; do
  build "$(mktemp -d)" docker-compose-plugin "$version-1~debian.13~trixie" '' ''
done
cd /srv/pool && apt-get download -qq libdevmapper1.02.1/trixie dmsetup/trixie

cd /srv
lists=dists/trixie/stable/binary-$architecture
mkdir -p "$lists"
for file in pool/*.deb; do
  dpkg-deb -f "$file"
  printf 'Filename: %s\nSize: %s\nSHA256: %s\n\n' "$file" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d ' ' -f 1)"
done >"$lists/Packages"
cd dists/trixie
printf 'Origin: Lab\nSuite: trixie\nCodename: trixie\nComponents: stable\nArchitectures: %s\nDate: %s\nSHA256:\n %s %s %s\n' \
  "$architecture" "$(date -Ru)" "$(sha256sum "stable/binary-$architecture/Packages" | cut -d ' ' -f 1)" \
  "$(stat -c %s "stable/binary-$architecture/Packages")" "stable/binary-$architecture/Packages" >Release
mkdir -m 700 "$GNUPGHOME"
for who in right other; do
  gpg --batch --quiet --passphrase '' --quick-generate-key "$who@localhost" ed25519 sign never
  gpg --armor --export "$who@localhost" >"/srv/$who.asc"
done
gpg --batch --local-user right@localhost --clearsign --output InRelease Release
cat /srv/right.asc /srv/other.asc >/srv/both.asc
sed 's/^$/ /' /srv/other.asc | cat /srv/right.asc - >/srv/hidden.asc
{
  gpg --with-colons --list-keys right@localhost | awk -F : '$1 == "fpr" { print $10; exit }'
  for suite in bookworm trixie sid; do engine_of "$suite"; done
  for suite in bookworm trixie sid; do containerd_of "$suite"; done
} >/srv/contents
rm -rf /root/make /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
