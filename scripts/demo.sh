#!/usr/bin/env bash
# Serves a filled site: fetches three Debian packages of real recordings into .cache/demo (once, without installing them), then
# lets `audiomicro demo` read them. Its arguments go on to that command. Where the packages cannot be had, only the sounds
# that AudioMicro computes itself are there.
set -uo pipefail
cd "$(dirname "$0")/.."
cache=$PWD/.cache/demo
mkdir -p "$cache"
fetch() {
  local name=$1
  [ -d "$cache/$name" ] && return 0
  rm -rf "$cache/$name.part" "$cache/$name.deb.d"
  mkdir -p "$cache/$name.part" "$cache/$name.deb.d"
  echo "Fetching $name …"
  (cd "$cache/$name.deb.d" && apt-get -q=2 download "$name" >../fetch.log 2>&1) ||
    { [ "$(id -u)" = 0 ] && apt-get -q=2 update >/dev/null 2>&1 && (cd "$cache/$name.deb.d" && apt-get -q=2 download "$name" >../fetch.log 2>&1); } ||
    { echo "  it cannot be fetched: $(tail -n 1 "$cache/fetch.log")"; rm -rf "$cache/$name.part" "$cache/$name.deb.d"; return 1; }
  dpkg-deb -x "$cache/$name.deb.d/"*.deb "$cache/$name.part" && mv "$cache/$name.part" "$cache/$name"
  rm -rf "$cache/$name.deb.d"
}
if command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
  for p in sonic-pi-samples minetest-data marsshooter-data; do fetch "$p" || missing=1; done
else
  echo "The real recordings come as Debian packages, and this machine has no apt-get and dpkg-deb."
  missing=1
fi
[ -z "${missing:-}" ] || echo "So some real recordings are missing; the sounds that AudioMicro computes itself are there."
exec bin/audiomicro demo --packages "$cache" "$@"
