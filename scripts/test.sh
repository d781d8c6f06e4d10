#!/usr/bin/env bash
# Runs every test: PostgreSQL beside it, the race detector where a C compiler is found, fuzz targets for some seconds each.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/modules.sh
echo "== go vet"; go vet ./...
echo "== tests on SQLite and PostgreSQL"
scripts/postgres.sh go test -p 2 -timeout 25m ${TESTFLAGS:-} ./...
scripts/fuzz.sh "${FUZZTIME:-10s}"
