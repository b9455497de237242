# Read by the scripts that put real programs for tests on a Debian machine.
# Nothing is started, and nothing that was there is changed but for the packages themselves.

# once NAME: several tests may call at once; one goes on, the others wait and find it done.
once() {
  if [ "${INSTALL_LOCKED:-}" = '' ] && [ "$(id -u)" -eq 0 ]; then INSTALL_LOCKED=yes exec flock "/run/impetus-test-$1.lock" sh "$0"; fi
}

# packages WHAT NAME…: installs them; WHAT tells those who are not root what is missing.
packages() {
  what=$1
  shift
  if [ "$(id -u)" -ne 0 ]; then echo "$0: only root can install $what" >&2; exit 1; fi
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
  apt-get install -q -y --no-install-recommends "$@"
}
