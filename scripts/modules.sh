#!/usr/bin/env bash
# Downloads the Go modules with a line that tells how far it is; silent when all are there.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v go >/dev/null || { echo "AudioMicro needs Go 1.26 or newer: https://go.dev/dl" >&2; exit 1; }
if GOPROXY=off go list -deps ./cmd/audiomicro >/dev/null 2>&1; then exit 0; fi
total=$(grep -cE '^[[:space:]]+[^ ]+ v[0-9]' go.mod)
echo "Downloading $total Go modules (once) …"
n=0
go mod download -x 2>&1 | while IFS= read -r line; do
  case "$line" in
    *.zip:*200*) n=$((n + 1)); printf '\r  %d of about %d' "$n" "$total" ;;
    *rror*) printf '\n%s\n' "$line" ;;
  esac
done
printf '\r  done                 \n'
