#!/usr/bin/env bash
# Runs every fuzz target for the given time, two at once. Minimizing is kept short: else one large input can take the whole time.
set -euo pipefail
cd "$(dirname "$0")/.."
each=${1:-10s}
list=$(grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' internal cmd | while read -r f; do
  grep -oE '^func Fuzz[A-Za-z0-9_]+' "$f" | sed "s|^func |./$(dirname "$f") |"
done | sort -u)
echo "== $(printf '%s\n' "$list" | grep -c . ) fuzz targets, $each each"
printf '%s\n' "$list" | xargs -P 2 -L 1 sh -c 'out=$(go test -run "^$" -fuzz "^$2\$" -fuzztime '"$each"' -fuzzminimizetime 10x -parallel 1 "$1" 2>&1) && echo "ok   fuzz $1 $2" || { echo "FAIL fuzz $1 $2"; printf "%s\n" "$out" | tail -n 30; exit 255; }' sh
