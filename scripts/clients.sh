#!/usr/bin/env bash
# Fetches the programs of others that the tests run against /apiv2/, in the versions of their package-lock.json, into the user's
# cache: once per set of versions. No script of theirs is run. Prints the folder of their modules.
set -euo pipefail
cd "$(dirname "$0")/../internal/apiv2/testdata/clients"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/audiomicro-tools
dir=$cache/clients-$(sha256sum package-lock.json | cut -c1-12)
if [ ! -d "$dir" ]; then
  command -v npm >/dev/null || { echo "npm is not installed (Debian package npm)" >&2; exit 1; }
  mkdir -p "$cache"
  new=$(mktemp -d "$cache/clients-new.XXXXXX")
  trap 'rm -rf "$new"' EXIT
  cp package.json package-lock.json "$new/"
  npm ci --prefix "$new" --ignore-scripts --no-audit --no-fund >&2
  mv -T "$new" "$dir" 2>/dev/null || [ -d "$dir" ] # another run may have been faster
fi
echo "$dir/node_modules"
