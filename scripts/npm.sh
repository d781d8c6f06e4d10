#!/usr/bin/env bash
# Fetches the programs of others that tests run in Node, in the versions of the package-lock.json in the folder that is named, into
# the user's cache: once per set of versions. No script of theirs is run. Prints the folder of their modules.
set -euo pipefail
name=$(basename "$1")
cd "$(dirname "$0")/../$1"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/audiomicro-tools
dir=$cache/$name-$(sha256sum package-lock.json | cut -c1-12)
if [ ! -d "$dir" ]; then
  command -v npm >/dev/null || { echo "npm is not installed (Debian package npm)" >&2; exit 1; }
  mkdir -p "$cache"
  new=$(mktemp -d "$cache/$name-new.XXXXXX")
  trap 'rm -rf "$new"' EXIT
  cp package.json package-lock.json "$new/"
  npm ci --prefix "$new" --ignore-scripts --no-audit --no-fund >&2
  mv -T "$new" "$dir" 2>/dev/null || [ -d "$dir" ] # another run may have been faster
fi
echo "$dir/node_modules"
