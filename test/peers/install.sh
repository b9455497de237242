#!/bin/sh
# Puts the real peers of the tests on a Debian machine: smtp-source and smtp-sink of Postfix, swaks with what it needs for
# TLS, haproxy; and Python for its smtplib, where there is none. Root only.
# Nothing is started, and nothing that was there is changed but for the packages themselves.
set -eu
# Several tests may call this at once: one installs, the others find it done.
if [ "${PEERS_LOCKED:-}" = '' ] && [ "$(id -u)" -eq 0 ]; then PEERS_LOCKED=yes exec flock /run/impetus-test-peers.lock sh "$0"; fi
if command -v smtp-source >/dev/null && command -v smtp-sink >/dev/null && command -v swaks >/dev/null && command -v haproxy >/dev/null && command -v python3 >/dev/null && perl -MNet::SSLeay -e 1 2>/dev/null; then exit 0; fi
if [ "$(id -u)" -ne 0 ]; then echo 'test/peers/install.sh: only root can install postfix, swaks and haproxy' >&2; exit 1; fi
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
echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
apt-get install -q -y --no-install-recommends postfix swaks libnet-ssleay-perl haproxy python3-minimal libpython3-stdlib
# The tools of Postfix want a main.cf where it was compiled to look.
[ -e /etc/postfix/main.cf ] || echo 'compatibility_level = 3.6' >/etc/postfix/main.cf
