#!/bin/sh
# Makes a fresh Debian 12 machine ready and then runs a command on it, as root:
#     sh server/setup.sh PURPOSE COMMAND [ARGUMENT ...]
# PURPOSE says which programs are wanted (see `ingot doctor --help`). Needs Node 20+ and npm, and apt with root or sudo.
set -eu
cd "$(dirname "$(readlink -f "$0")")/.."
purpose=$1
shift

say() { printf '\033[2mset-up:\033[0m %s\n' "$*" >&2; }

if [ "$(uname -m)" != x86_64 ] || ! command -v apt-get >/dev/null; then
  echo "set-up: expected Debian 12 (or a relative with apt) on x86_64, got $(uname -sm)" >&2
  exit 2
fi
as_root=
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "set-up: expected root, or sudo to become it, got neither" >&2; exit 2; }
  as_root="sudo env PATH=$PATH"
fi

# npm writes this file last, so that it is missing or older than the lock file exactly when an install is due or was cut short.
installed=node_modules/.package-lock.json
if [ ! -e "$installed" ] || [ "$installed" -ot package-lock.json ]; then
  say "npm packages, from the lock file"
  npm ci --no-audit --no-fund --loglevel=error >&2
  touch "$installed"
else
  say "npm packages are there"
fi

$as_root server/ingot doctor --install --for "$purpose" >&2
# As in server/ingot, for what is started without it.
kept="$PWD/.ingot/compile-cache"
$as_root mkdir -p "$kept"
exec $as_root env NODE_COMPILE_CACHE="$kept" "$@"
