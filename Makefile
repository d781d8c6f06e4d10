# AudioMicro. `make help` lists what there is.
SHELL := /bin/bash
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
export CGO_ENABLED := 0
BUILD := go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"

.PHONY: help run demo build test check bench truth soak generate setup clean

help: ## list what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

run: build ## serve on http://localhost:8080 with SQLite and files under ./data
	@exec bin/audiomicro serve --dev

demo: build ## the same with a catalog of real recordings, each under its own license
	@exec scripts/demo.sh

build: ## the static binary bin/audiomicro
	@scripts/modules.sh
	@mkdir -p bin && echo "Building bin/audiomicro …" && $(BUILD) -o bin/audiomicro ./cmd/audiomicro

setup: ## install what the tests need (Debian packages, as root)
	@scripts/setup.sh

test: setup ## every test, on SQLite and PostgreSQL, with a real browser and a real S3 server
	@scripts/test.sh

check: ## formatting, vet, staticcheck, generated files, known vulnerabilities
	@scripts/check.sh

bench: build ## the measurements that the README quotes
	@scripts/bench.sh

truth: ## compare what is found in 200 real files with other programs, and write doc/truth.md
	@scripts/truth.sh

soak: build ## hundreds of kills, power losses on a loop device, long fuzzing (root, an hour)
	@scripts/soak.sh

generate: ## templ components and the bundled assets
	@go tool -modfile=tools/go.mod templ generate -path internal >/dev/null && go run -C tools ./webbuild

clean: ## remove what was built
	@rm -rf bin .cache
