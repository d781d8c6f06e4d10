#!/usr/bin/env bash
# Installs what the tests need, as root on Debian; elsewhere says what is missing.
set -uo pipefail
packages=(postgresql chromium ffmpeg lame flac vorbis-tools opus-tools libchromaprint-tools wavpack strace xfsprogs e2fsprogs zip unzip poppler-utils nodejs npm libxml2-utils)
tools=(chromium ffmpeg ffprobe lame flac oggenc opusenc fpcalc wavpack strace pdftotext node npm xmllint)
missing=()
for t in "${tools[@]}"; do command -v "$t" >/dev/null || missing+=("$t"); done
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing+=(postgresql)
# The soak cuts the power of file systems, which only root can.
if [ "$(id -u)" = 0 ]; then for t in xfs_io mkfs.xfs mkfs.ext4; do command -v "$t" >/dev/null || missing+=("$t"); done; fi
[ ${#missing[@]} -eq 0 ] && exit 0
echo "The tests need: ${missing[*]}"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null 2>&1
  for p in "${packages[@]}"; do
    apt-get install -y -qq --no-install-recommends "$p" >/tmp/audiomicro-setup.log 2>&1 || { echo "could not install $p:"; tail -n 3 /tmp/audiomicro-setup.log; }
  done
else
  echo "Install them, on Debian: sudo apt-get install ${packages[*]}"
fi
for t in "${tools[@]}"; do command -v "$t" >/dev/null || echo "still missing: $t (its tests are skipped, or fail in CI)"; done
exit 0
