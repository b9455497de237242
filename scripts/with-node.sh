#!/bin/sh
# Runs the Node that scripts/setup.sh chose, with the given arguments; sets it up first when it is missing.
home=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
[ -x "$home/.runtime/bin/node" ] || sh "$home/scripts/setup.sh" || exit 1
exec "$home/.runtime/bin/node" "$@"
