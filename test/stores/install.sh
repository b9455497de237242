#!/bin/sh
# Puts the databases and the directory that datasources are tried against on a Debian machine: PostgreSQL, MariaDB, Redis
# and slapd. Root only. Nothing is started, and nothing that was there is changed but for the packages themselves.
set -eu
# Several tests may call this at once: one installs, the others find it done.
if [ "${STORES_LOCKED:-}" = '' ] && [ "$(id -u)" -eq 0 ]; then STORES_LOCKED=yes exec flock /run/impetus-test-stores.lock sh "$0"; fi
PATH=$PATH:/usr/sbin:/sbin
if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && command -v mariadbd >/dev/null && command -v redis-server >/dev/null && command -v slapd >/dev/null; then exit 0; fi
if [ "$(id -u)" -ne 0 ]; then echo 'test/stores/install.sh: only root can install postgresql, mariadb-server, redis-server and slapd' >&2; exit 1; fi
export DEBIAN_FRONTEND=noninteractive
# Packages ask this file whether they may start their daemons: 101 is "no".
policy=/usr/sbin/policy-rc.d
ours=
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod +x $policy
  ours=yes
fi
trap '[ -z "$ours" ] || rm -f $policy' EXIT
apt-get update -q
apt-get install -q -y --no-install-recommends postgresql mariadb-server redis-server slapd
