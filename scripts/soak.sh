#!/usr/bin/env bash
# The long version of "it holds", as root: hundreds of kills per engine, hundreds of failing disks, losses of power on ext4 on
# a loop device with a control that must fail, sounds of three hours, and every fuzz target for minutes. Each part can be shortened:
#   KILLS=200 DISK_ERRORS=50 POWER=100 FUZZTIME=3m SECONDS_OF_SOUND=10800 make soak
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "soak.sh mounts file systems: run it as root" >&2; exit 1; }
scripts/setup.sh
scripts/modules.sh
export CI=true # what cannot run here must not pass
test_app() { scripts/postgres.sh go test -count=1 -timeout 6h -v -run "$1" ./internal/app; }

echo "== ${KILLS:=200} kills on each engine"
AUDIOMICRO_TEST_KILLS=$KILLS test_app '^TestKill$'
echo "== ${DISK_ERRORS:=50} disks that fail"
AUDIOMICRO_TEST_KILLS=$DISK_ERRORS test_app '^TestDiskErrors$'
echo "== ${POWER:=100} losses of power on ext4 and as many on xfs"
AUDIOMICRO_TEST_POWER=$POWER test_app '^TestPowerLossOnDisk$'
echo "== the control: a program without fsync must fail the same test"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if AUDIOMICRO_TEST_TAGS=nofsync AUDIOMICRO_TEST_POWER=5 test_app '^TestPowerLossOnDisk$' >"$log" 2>&1; then
  cat "$log"
  echo "FAIL: without fsync nothing was lost: the power-loss test sees nothing" >&2
  exit 1
fi
if ! grep -qE 'acknowledged' "$log"; then
  cat "$log"
  echo "FAIL: the control failed for another reason than lost promises" >&2
  exit 1
fi
grep -m 3 acknowledged "$log" || true
echo "ok: the test noticed"
echo "== ${SECONDS_OF_SOUND:=10800} seconds of sound in at most 96 MB, in both passes, and nothing on disk beside the outputs"
sound=$(mktemp -d)
trap 'rm -rf "$log" "$sound"' EXIT
ffmpeg -v error -nostdin -f lavfi -i "anoisesrc=d=$SECONDS_OF_SOUND:c=pink:r=44100:a=0.3,tremolo=f=2:d=0.9" -ac 2 -c:a pcm_s16le "$sound/long.wav"
ffmpeg -v error -nostdin -i "$sound/long.wav" "$sound/long.flac"
ffmpeg -v error -nostdin -i "$sound/long.wav" -b:a 192k "$sound/long.mp3"
for file in "$sound"/long.*; do
  bin/audiomicro bench ingest --outputs lq "$file" | tee "$log"
  awk '/MB temp$/ { seen++; if ($(NF-4) > 96 || $(NF-2) > 0) bad = 1 } /decoding again$/ { seen++; if ($(NF-3) > 96) bad = 1 } END { exit bad || seen != 2 }' "$log" ||
    { echo "FAIL: $file took more memory than 96 MB, or temporary files" >&2; exit 1; }
done
scripts/fuzz.sh "${FUZZTIME:-3m}"
echo "Soaked."
