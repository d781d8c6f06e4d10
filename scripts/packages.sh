# shellcheck shell=bash
# For other scripts: fetch NAME unpacks a Debian package of real recordings into $cache/NAME, once, without installing it. It
# fails, and says why, where the package cannot be had.
fetch() {
  local name=$1
  [ -d "$cache/$name" ] && return 0
  if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    echo "$name is a Debian package, and this machine has no apt-get and dpkg-deb."
    return 1
  fi
  mkdir -p "$cache"
  rm -rf "$cache/$name.part" "$cache/$name.deb.d"
  mkdir -p "$cache/$name.part" "$cache/$name.deb.d"
  echo "Fetching $name …"
  (cd "$cache/$name.deb.d" && apt-get -q=2 download "$name" >../fetch.log 2>&1) ||
    { [ "$(id -u)" = 0 ] && apt-get -q=2 update >/dev/null 2>&1 && (cd "$cache/$name.deb.d" && apt-get -q=2 download "$name" >../fetch.log 2>&1); } ||
    { echo "  it cannot be fetched: $(tail -n 1 "$cache/fetch.log")"; rm -rf "$cache/$name.part" "$cache/$name.deb.d"; return 1; }
  dpkg-deb -x "$cache/$name.deb.d/"*.deb "$cache/$name.part" && mv "$cache/$name.part" "$cache/$name"
  rm -rf "$cache/$name.deb.d"
}
