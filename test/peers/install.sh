#!/bin/sh
# Puts the real peers of the tests on a Debian machine: smtp-source and smtp-sink of Postfix, swaks with what it needs for
# TLS and DIGEST-MD5, haproxy; and Python for its smtplib, where there is none. Root only.
set -eu
. "$(dirname "$0")/../support/apt.sh"
once peers
there=yes
for program in smtp-source smtp-sink swaks haproxy python3; do command -v $program >/dev/null || there=; done
perl -MNet::SSLeay -MAuthen::SASL -MDigest::HMAC_MD5 -e 1 2>/dev/null || there=
[ -z "$there" ] || exit 0
if [ "$(id -u)" -eq 0 ] && command -v debconf-set-selections >/dev/null; then
  echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
fi
packages 'postfix, swaks and haproxy' postfix swaks libnet-ssleay-perl libauthen-sasl-perl libdigest-hmac-perl haproxy python3-minimal libpython3-stdlib
# The tools of Postfix want a main.cf where it was compiled to look.
[ -e /etc/postfix/main.cf ] || echo 'compatibility_level = 3.6' >/etc/postfix/main.cf
