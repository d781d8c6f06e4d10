#!/usr/bin/env bash
# Serves a filled site: fetches three Debian packages of real recordings into .cache/demo (once, without installing them), then
# lets `audiomicro demo` read them. Its arguments go on to that command. Where the packages cannot be had, only the sounds
# that AudioMicro computes itself are there.
set -uo pipefail
cd "$(dirname "$0")/.."
cache=$PWD/.cache/demo
. scripts/packages.sh
for p in sonic-pi-samples minetest-data marsshooter-data; do fetch "$p" || missing=1; done
[ -z "${missing:-}" ] || echo "So some real recordings are missing; the sounds that AudioMicro computes itself are there."
exec bin/audiomicro demo --packages "$cache" "$@"
