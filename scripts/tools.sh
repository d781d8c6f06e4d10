#!/usr/bin/env bash
# Builds versitygw, the S3 server that the tests talk to, from tools/go.mod into the user's cache: once per version and
# machine, some minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
pkg=github.com/versity/versitygw/cmd/versitygw
cache=${XDG_CACHE_HOME:-$HOME/.cache}/audiomicro-tools
version=$(go list -C tools -f '{{.Module.Version}}' "$pkg")
bin=$cache/versitygw-$version
[ -x "$bin" ] && exit 0
mkdir -p "$cache"
echo "Building the S3 server for tests, versitygw $version (once, some minutes) …"
CGO_ENABLED=0 go build -C tools -trimpath -o "$bin.$$" "$pkg"
mv "$bin.$$" "$bin"
