#!/usr/bin/env bash
# Runs every test, with PostgreSQL beside it, then every fuzz target for some seconds. FUZZTIME=0 leaves the fuzzing out,
# TESTFLAGS goes to go test, and RACE=1 adds the race detector to the packages whose work runs side by side (it needs a C
# compiler and takes some minutes more).
set -euo pipefail
cd "$(dirname "$0")/.."
began=$SECONDS
scripts/modules.sh
scripts/tools.sh || echo "The S3 server for tests cannot be built: tests on S3 are skipped, or fail in CI" >&2
echo "== go vet"; go vet ./...
echo "== tests on SQLite and PostgreSQL"
# shellcheck disable=SC2086  # several flags in one variable
scripts/postgres.sh go test -p 2 -timeout 50m ${TESTFLAGS:-} ./...
if [ "${RACE:-}" = 1 ]; then
  echo "== race detector"
  CGO_ENABLED=1 scripts/postgres.sh go test -race -p 1 -timeout 50m ./internal/web ./internal/jobs ./internal/mail ./internal/feed ./internal/search/... ./internal/uploads ./internal/orders
fi
[ "${FUZZTIME:-}" = 0 ] || scripts/fuzz.sh "${FUZZTIME:-10s}"
echo "== all passed in $(((SECONDS - began) / 60)) min $(((SECONDS - began) % 60)) s"
