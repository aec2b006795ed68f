# A machine that a package manager's choice takes for Rocky 9: dnf 4, and Docker's packages in a signed repository at /srv/rpm,
# made of those in /srv/pool. Their scriptlets do to the services what those of Docker's own packages do.
set -eu
export DEBIAN_FRONTEND=noninteractive GNUPGHOME=/root/gpg
apt-get update -qq
apt-get install -qq -y --no-install-recommends dnf dnf-plugins-core createrepo-c rpm gpg gpg-agent iptables curl ca-certificates
sed -i 's/^enabled.*/enabled = 0/' /etc/dnf/plugins/local.conf
mkdir -p /srv/rpm /root/make /etc/yum.repos.d && cd /root/make

# $1 name, $2 version without epoch, $3 rpm's epoch, $4 what it needs
package() {
  upstream=$(echo "$2" | sed 's/-.*//')
  rm -rf tree && dpkg-deb -x /srv/pool/"$1_$2"_*.deb tree
  {
    printf 'Name: %s\nVersion: %s\nRelease: 1.el9\nSummary: %s for tests\nLicense: x\nAutoReqProv: no\n' "$1" "$upstream" "$1"
    [ -z "$3" ] || echo "Epoch: $3"
    [ -z "$4" ] || echo "Requires: $4"
    # as Docker's own stands to the distribution's
    case $1 in containerd.io) for word in Provides Conflicts Obsoletes; do echo "$word: containerd, runc"; done ;; esac
    printf '%%description\n%s\n%%install\ncp -a /root/make/tree/. %%{buildroot}/\n' "$1"
    case $1 in
      docker-ce) services docker.service; echo 'getent group docker >/dev/null || groupadd --system docker' ;;
      containerd.io) services containerd.service ;;
    esac
    echo '%files'
    (cd tree && find . -type f -o -type l) | sed 's/^\.//'
  } >"$1.spec"
  rpmbuild --quiet -bb --define '_rpmdir /srv/rpm' --define '_topdir /root/make' --define '_binary_payload w1.gzdio' \
    --define '__os_install_post %{nil}' --define 'debug_package %{nil}' "$1.spec"
}
# $1 service; what may follow is of the last scriptlet, %post
services() {
  printf '%%preun\n[ "$1" != 0 ] || systemctl --no-reload disable --now %s || :\n' "$1"
  printf '%%postun\nsystemctl daemon-reload || :\n[ "$1" = 0 ] || systemctl try-restart %s || :\n' "$1"
  printf '%%post\nsystemctl daemon-reload || :\n'
}
versions() { ls /srv/pool | sed -n "s/^$1_\(.*\)_[a-z0-9]*\.deb\$/\1/p"; }

for version in $(versions docker-ce | grep -v '^2[07]'); do
  package docker-ce "$version" 3 'containerd.io >= 1.6.24, docker-ce-cli'
  package docker-ce-cli "$version" 1 ''
done
for version in $(versions containerd.io | grep -v '^1\.[0-6]'); do package containerd.io "$version" '' ''; done
for name in docker-buildx-plugin docker-compose-plugin; do
  for version in $(versions "$name"); do mkdir -p empty; package "$name" "$version" '' ''; done
done

# what a machine with rpm has from its own packages
printf 'Name: lab-base\nVersion: 1\nRelease: 1\nSummary: x\nLicense: x\nBuildArch: noarch\nProvides: /bin/sh\n%%description\nx\n%%files\n' >base.spec
rpmbuild --quiet -bb --define '_rpmdir /root/make' --define '_topdir /root/make' base.spec
rpm -i --nodeps /root/make/noarch/lab-base-1-1.noarch.rpm

mkdir -m 700 "$GNUPGHOME"
for who in right other; do
  gpg --batch --quiet --passphrase '' --quick-generate-key "$who@localhost" rsa2048 sign never
  gpg --armor --export "$who@localhost" >"/srv/rpm/$who.asc"
done
rpmsign --define '_gpg_name right@localhost' --addsign /srv/rpm/*/*.rpm >/dev/null 2>&1
createrepo_c -q /srv/rpm
# the same, signed by somebody else
cp -r /srv/rpm /srv/rpm-other
rpmsign --define '_gpg_name other@localhost' --resign /srv/rpm-other/*/*.rpm >/dev/null 2>&1
createrepo_c -q /srv/rpm-other
gpg --with-colons --list-keys right@localhost | awk -F : '$1 == "fpr" { print $10; exit }' >/srv/rpm/fingerprint
printf 'NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\nPRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"\n' >/etc/os-release
rm -rf /root/make /root/gpg /srv/pool /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
