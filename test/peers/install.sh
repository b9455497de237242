#!/bin/sh
# Puts the real peers of the tests on a Debian machine: smtp-source and smtp-sink of Postfix, and swaks. Root only.
# Nothing is started, and nothing that was there is changed but for the packages themselves.
set -eu
if command -v smtp-source >/dev/null && command -v smtp-sink >/dev/null && command -v swaks >/dev/null; then exit 0; fi
if [ "$(id -u)" -ne 0 ]; then echo 'test/peers/install.sh: only root can install postfix and swaks' >&2; exit 1; fi
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
apt-get install -q -y --no-install-recommends postfix swaks
# The tools of Postfix want a main.cf where it was compiled to look.
[ -e /etc/postfix/main.cf ] || echo 'compatibility_level = 3.6' >/etc/postfix/main.cf
