#!/bin/sh
# Puts the databases and the directory that datasources are tried against on a Debian machine: PostgreSQL, MariaDB, Redis
# and slapd. Root only.
set -eu
. "$(dirname "$0")/../support/apt.sh"
once stores
PATH=$PATH:/usr/sbin:/sbin
if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && command -v mariadbd >/dev/null && command -v redis-server >/dev/null && command -v slapd >/dev/null; then exit 0; fi
packages 'postgresql, mariadb-server, redis-server and slapd' postgresql mariadb-server redis-server slapd
