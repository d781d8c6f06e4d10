#!/usr/bin/env bash
# Runs every fuzz target for the given time, two packages at once. Each package is built once for all its targets, one after
# the other: they share most of what is compiled with instrumentation, and two builds at once would compile it twice. With 10 s
# each, all of them take about four minutes of fuzzing beside the building.
set -euo pipefail
cd "$(dirname "$0")/.."
each=${1:-10s}
root=$PWD
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
cache=$(go env GOCACHE)/fuzz
dirs=$(grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' internal cmd | xargs -n1 dirname | sort -u)
echo "== $(grep -rhE '^func Fuzz[A-Z]' --include='*_test.go' internal cmd | wc -l) fuzz targets, $each each"
for dir in $dirs; do # vetted already, and not to be debugged: both cost minutes
  go test -c -vet=off -ldflags=-w -fuzz . -o "$bin/$(tr / _ <<<"$dir").test" "./$dir" || { echo "FAIL fuzz $dir does not build"; exit 1; }
done
# Go 1.26 sometimes reports the end of -fuzztime itself as a failure ("context deadline exceeded", go.dev/issue/75804) when a
# worker is busy at that moment. A real finding always names the input that it wrote, the seed that failed, or a panic.
ended_by_the_clock() {
  grep -qE '^ +context deadline exceeded$' <<<"$1" &&
    ! grep -qE 'Failing input written|failing input|panic|seed corpus|fuzzing process|minimiz|_test\.go:|DATA RACE' <<<"$1"
}
fuzz_package() {
  local dir=$1 name test out
  test=$bin/$(tr / _ <<<"$dir").test
  for name in $(grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | sed 's/^func //' | sort -u); do
    if out=$(cd "$dir" && "$test" -test.run '^$' -test.fuzz "^$name\$" -test.fuzztime "$each" -test.parallel 1 -test.fuzzminimizetime 10x -test.fuzzcachedir "$cache/audiomicro/$dir" 2>&1); then
      echo "ok   fuzz ./$dir $name"
    elif ended_by_the_clock "$out"; then
      echo "ok   fuzz ./$dir $name (the worker was at work when the time was up)"
    else
      echo "FAIL fuzz ./$dir $name"
      printf '%s\n' "$out" | tail -n 30
      return 1
    fi
  done
  rm -f "$test"
}
export -f fuzz_package ended_by_the_clock
export each root bin cache
printf '%s\n' "$dirs" | xargs -P 2 -I{} bash -c 'set -uo pipefail; fuzz_package {} || exit 255'
