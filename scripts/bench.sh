#!/usr/bin/env bash
# The measurements that the README quotes, on this machine: analysis and encoding of sounds, the search index, and the
# packages' own benchmarks. Takes some minutes; nothing else should run meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x bin/audiomicro ] || make -s build
echo "== machine: $(nproc) CPUs, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1), $(go version | cut -d' ' -f3)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "== analysis and encoding"
vs=()
if command -v ffmpeg >/dev/null && command -v lame >/dev/null && command -v oggenc >/dev/null && command -v flac >/dev/null; then
  vs=(--vs ffmpeg,freesound --runs 3)
else
  echo "without comparison: ffmpeg, lame, oggenc and flac are not all here (scripts/setup.sh)"
fi
if [ -n "${BENCH_FILES:-}" ]; then
  # shellcheck disable=SC2086  # several files in one variable
  bin/audiomicro bench ingest "${vs[@]}" $BENCH_FILES
else
  if command -v ffmpeg >/dev/null; then
    ffmpeg -v error -f lavfi -i "anoisesrc=d=60:c=pink:r=48000:a=0.3" -ac 2 "$work/pink-minute.flac"
    ffmpeg -v error -f lavfi -i "sine=f=220:d=600:r=44100" -ac 2 "$work/sine-ten-minutes.wav"
    bin/audiomicro bench ingest "${vs[@]}" "$work"/*
  else
    echo "skipped: ffmpeg makes the test sounds (BENCH_FILES=… names your own)"
  fi
fi
echo "== search, a made-up catalog of ${BENCH_DOCS:-100000} recordings"
bin/audiomicro bench search --docs "${BENCH_DOCS:-100000}"
echo "== benchmarks of the packages"
packages=$(grep -rlE '^func Benchmark' --include='*_test.go' internal cmd | xargs -rn1 dirname | sort -u | sed 's|^|./|')
# shellcheck disable=SC2086
[ -z "$packages" ] || go test -run '^$' -bench . -benchtime "${BENCH_TIME:-1s}" -p 1 $packages | grep -E '^(Benchmark|pkg:)'
