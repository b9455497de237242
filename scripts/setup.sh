#!/bin/sh
# Makes this checkout ready to run: a Node that is new enough (.runtime/bin/node), the packages (node_modules), the
# compiled program (dist). `npm start`, `npm test` and the launchers in bin/ call it; it can be called alone.
#
# It looks first and without a lock, so a checkout that is ready costs a few milliseconds and needs no right to write.
# Then one set-up at a time works. Each of the three parts is made beside its place and moved there when it is whole,
# and its stamp is written last: a set-up that is killed at any moment is simply done again.
set -u
LC_ALL=C
export LC_ALL

home=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
cd -- "$home" || exit 1
runtime=.runtime
node=$runtime/bin/node
installed=node_modules/.installed
built=dist/.built

say() { printf 'set-up: %s\n' "$*" >&2; }
give_up() { say "$@"; exit 1; }

# ---- what is there ----------------------------------------------------------------------------------------------

# True for the version of a Node that we run on: 22.19 or newer of an even line.
new_enough() {
  version=${1#v}
  case $version in [0-9]*.[0-9]*.*) ;; *) return 1 ;; esac
  major=${version%%.*}
  minor=${version#*.}
  minor=${minor%%.*}
  [ "$major" -ge 24 ] && [ $((major % 2)) -eq 0 ] || { [ "$major" -eq 22 ] && [ "$minor" -ge 19 ]; }
}

version_of() { "$1" --version 2>/dev/null || echo none; }

# Which of the folders of scripts/runtime holds the Node for this machine; nothing when there is none.
platform() {
  case $(uname -sm) in
    'Linux x86_64') echo linux-x64 ;;
    'Linux aarch64' | 'Linux arm64') echo linux-arm64 ;;
    'Darwin arm64') echo darwin-arm64 ;;
  esac
}

# Where a Node of our own lives. The name is made of its lock, so a new pin is another folder.
own_node() { echo "node-$(cksum <"scripts/runtime/$1/package-lock.json" | tr ' ' -)"; }

node_is_ready() {
  new_enough "$(version_of $node)" || return 1
  case $(readlink $node) in
    ../node-*/bin/node) [ "$(readlink $node)" = "../$(own_node "$(platform)")/bin/node" ] ;;
  esac
}

packages_wanted() { uname -sm && cat package-lock.json; }

packages_are_ready() { packages_wanted | cmp -s - $installed; }

# Names and sums of all that goes into the program and of all that came out: a source that was changed, added or
# removed is seen whatever its date says, and so is a file that somebody lost from dist.
build_state() {
  cksum tsconfig.json tsconfig.build.json package-lock.json
  find src "$1" -type f \( -name '*.ts' -o -name '*.json' -o -name '*.js' \) ! -name '*.test.ts' -exec cksum {} + |
    sed "s| $1/| dist/|" | sort
}

program_is_ready() { [ -f $built ] && build_state dist | cmp -s - $built; }

everything_is_ready() { node_is_ready && packages_are_ready && program_is_ready; }

# ---- one at a time ----------------------------------------------------------------------------------------------

# flock leaves no trace when its holder is killed. Where it is missing (macOS) the lock is a symbolic link, made in one
# step and naming its holder; one whose holder is gone is taken away by a rename, which only one of us can win.
take_lock() {
  (mkdir -p $runtime/bin && : >>$runtime/lock) 2>/dev/null ||
    give_up "something is to be done here, but $home cannot be written: run this as the user who owns that folder"
  if command -v flock >/dev/null 2>&1; then
    exec 9>>$runtime/lock
    flock -n 9 || { say 'another set-up is at work here: waiting for it'; flock 9; }
    return
  fi
  told=
  until ln -s "pid-$$" $runtime/lock-by 2>/dev/null; do
    holder=$(readlink $runtime/lock-by) || holder=
    if [ -n "$holder" ] && ! kill -0 "${holder#pid-}" 2>/dev/null; then
      if mv $runtime/lock-by "$runtime/lock-gone-$$" 2>/dev/null; then
        # Somebody may have been quicker and made a new lock between our look and our rename: give that one back.
        [ "$(readlink "$runtime/lock-gone-$$")" = "$holder" ] || ln -s "$(readlink "$runtime/lock-gone-$$")" $runtime/lock-by
        rm -f "$runtime/lock-gone-$$"
      fi
      continue
    fi
    [ -n "$told" ] || say 'another set-up is at work here: waiting for it'
    told=yes
    sleep 1
  done
  linked=yes
}

# What an unfinished set-up leaves behind; only for the holder of the lock.
sweep() { rm -rf $runtime/fetching $runtime/linking $runtime/npm-cache dist.new dist.old; }

leave() {
  sweep
  [ -z "${linked-}" ] || rm -f $runtime/lock-by
}

# ---- npm --------------------------------------------------------------------------------------------------------

# The machine's npm, as the script that a Node of our choice can run.
find_npm() {
  case ${npm_execpath-} in *npm-cli.js) [ -f "$npm_execpath" ] && { npm=$npm_execpath; return; } ;; esac
  npm=$(command -v npm) || give_up 'npm was not found. It comes with Node.js: install the nodejs and npm packages of your system, then run this again'
  npm=$(readlink -f -- "$npm")
}

# npm ci in folder $2, run by the Node $1. What `npm start` or a user's settings would change about an installation
# (omitted packages, no lock file, scripts) is said again here, for npm hands its settings down by the environment.
install_in() (
  for name in global location omit only production also optional dev dry_run package_lock package_lock_only \
    workspace workspaces include_workspace_root engine_strict install_strategy bin_links os cpu libc offline; do
    unset "npm_config_$name"
  done
  unset NODE_ENV
  NODE_NO_WARNINGS=1
  export NODE_NO_WARNINGS
  # Without a home that can be written npm would find no place for its cache.
  cache=${npm_config_cache:-${HOME:-/nonexistent}/.npm}
  if [ ! -w "$cache" ] && { [ -e "$cache" ] || [ ! -w "$(dirname -- "$cache")" ]; }; then
    npm_config_cache=$home/$runtime/npm-cache
    export npm_config_cache
  fi
  # A wrapper that is no JavaScript (of a version manager) is run as it is, with the Node first in its PATH.
  case $npm in
    *.js) set -- "$2" "$1" "$npm" ;;
    *)
      PATH=$(dirname -- "$1"):$PATH
      export PATH
      set -- "$2" "$npm"
      ;;
  esac
  folder=$1
  shift
  "$@" ci --prefix "$folder" --include=dev --include=optional --ignore-scripts --package-lock --no-global \
    --no-dry-run --no-engine-strict --no-audit --no-fund --no-update-notifier --no-progress --loglevel=error >/dev/null
)

# ---- the three parts --------------------------------------------------------------------------------------------

# The machine's Node: the one that npm runs on, else the first in PATH. A wrapper is asked for the program behind it.
machines_node() {
  for candidate in "${npm_node_execpath-}" "$(command -v node)" "$(command -v nodejs)"; do
    [ -n "$candidate" ] || continue
    found=$(version_of "$candidate")
    machine=$("$candidate" -p process.execPath 2>/dev/null) && [ -x "$machine" ] && return
  done
  machine=
}

# Names a Node as the chosen one; Nodes of our own that are no longer wanted go.
choose() {
  ln -s "$1" $runtime/linking && mv -f $runtime/linking $node || give_up "cannot write $home/$node"
  for kept in $runtime/node-*/; do
    [ "../$(basename -- "$kept")/bin/node" = "$1" ] || rm -rf "$kept"
  done
}

get_node() {
  machines_node
  [ -n "$machine" ] || give_up 'Node.js was not found: install the nodejs and npm packages of your system (an old version will do), then run this again'
  if new_enough "$found"; then
    say "using the Node ${found#v} of this machine"
    choose "$machine"
    return
  fi
  platform=$(platform)
  [ -n "$platform" ] || give_up "Node ${found#v} is too old, and there is no Node for $(uname -sm) that could be fetched: install Node 22.19 or newer (an even line), then run this again"
  own=$(own_node "$platform")
  if ! new_enough "$(version_of "$runtime/$own/bin/node")"; then
    say "Node ${found#v} is not one that Impetus runs on (22.19 or newer, even lines): fetching one for this folder alone (about 60 MB, some 10 s)"
    find_npm
    mkdir -p $runtime/fetching/keep/bin && cp "scripts/runtime/$platform/"*.json $runtime/fetching || exit 1
    install_in "$machine" "$home/$runtime/fetching" || give_up 'Node could not be fetched: npm said why above. Nothing was changed; run this again when it is mended'
    for package in $runtime/fetching/node_modules/node-*; do
      mv "$package/bin/node" $runtime/fetching/keep/bin/node && mv "$package/LICENSE" $runtime/fetching/keep/ || exit 1
    done
    new_enough "$(version_of $runtime/fetching/keep/bin/node)" ||
      give_up 'the fetched Node does not run on this system (it is made for glibc): install Node 22.19 or newer (an even line), then run this again'
    rm -rf "${runtime:?}/$own"
    mv $runtime/fetching/keep "$runtime/$own" || exit 1
  fi
  choose "../$own/bin/node"
}

get_packages() {
  say 'installing the packages (some 10 s, a minute on a slow line)'
  find_npm
  rm -f $installed
  install_in "$home/$node" "$home" || give_up 'the packages could not be installed: npm said why above. Run this again when it is mended'
  packages_wanted >$installed.new && mv $installed.new $installed || exit 1
}

get_program() {
  say 'compiling'
  rm -rf dist.new dist.old
  $node node_modules/typescript/bin/tsc -p tsconfig.build.json --outDir dist.new >&2 ||
    give_up 'the sources do not compile: see above. What was compiled before was left as it is'
  build_state dist.new >dist.new/.built || exit 1
  # A launcher that comes between these two renames finds no program, calls this script and waits for us.
  if [ -e dist ]; then mv dist dist.old || exit 1; fi
  mv dist.new dist || exit 1
}

everything_is_ready 2>/dev/null && exit 0
take_lock
trap leave EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
sweep
node_is_ready 2>/dev/null || get_node
packages_are_ready 2>/dev/null || get_packages
program_is_ready 2>/dev/null || get_program
say 'ready'
