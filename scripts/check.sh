#!/usr/bin/env bash
# What needs no running: formatting, go vet, staticcheck, generated files that no longer fit their sources, and, when
# GOVULNDB names a copy of the vulnerability database (file:///… or https://vuln.go.dev), known vulnerabilities.
# The tools have the versions of tools/go.mod and are built once per version.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/modules.sh
failed=0
say() { echo "== $1"; }
bad() { echo "FAIL $1" >&2; failed=1; }

say gofmt
list=$(gofmt -l bench cmd internal web tools)
[ -z "$list" ] || { printf '%s\n' "$list"; bad "gofmt: run gofmt -w on these"; }
say "go vet"
go vet ./... || bad "go vet"
go vet -tags truth ./internal/ingest/worker || bad "go vet of the truth tests"
(cd bench && go vet ./...) || bad "go vet in bench"
say staticcheck
go tool -modfile=tools/go.mod staticcheck ./... || bad staticcheck

say "templ components"
# Generated beside a copy, so that a check changes nothing.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r internal "$copy/internal"
cp go.mod go.sum "$copy/"
go tool -modfile=tools/go.mod templ generate -path "$copy/internal" >/dev/null 2>&1 || bad "templ generate"
while IFS= read -r f; do
  cmp -s "$f" "$copy/$f" || bad "$f does not fit its source: run make generate"
done < <(find internal -name '*_templ.go')
while IFS= read -r f; do
  [ -f "${f%.templ}_templ.go" ] || bad "$f was never generated: run make generate"
done < <(find internal -name '*.templ')
say "bundled assets"
go run -C tools ./webbuild -check || bad "web/dist: run make generate"

if [ -n "${GOVULNDB:-}" ]; then
  say "known vulnerabilities"
  go tool -modfile=tools/go.mod govulncheck -db "$GOVULNDB" ./... || bad govulncheck
else
  say "known vulnerabilities: SKIPPED, GOVULNDB names no database"
fi
[ "$failed" = 0 ] && echo "All checks passed."
exit "$failed"
