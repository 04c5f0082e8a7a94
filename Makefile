# slipway: `make` lists the targets. Scripts live in .ci/.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
BUILD_FLAGS := -trimpath -ldflags '-s -w -X main.version=$(VERSION)'

# The linter has hundreds of dependencies of its own, so it runs from a pinned
# version and stays out of go.mod. The first run compiles it (1 to 2 minutes).
GOLANGCI := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# Packages whose tests need a Docker engine or a browser; all others are
# `make test-nodocker`. One import path a line, below the module's.
NEEDS_DOCKER := .ci/needs-docker

# The images of the two stages of the Dockerfile, its own defaults if empty.
BASE ?=
BUILD_BASE ?=
IMAGE ?= slipway:$(VERSION)

# Where `make screenshots` puts its pictures.
DIR ?= bin/screenshots

# How often `make soak` kills the server.
KILLS ?= 200

# Further arguments for `slipway demo`, such as --once, for `go test`, and for
# `make screenshots`.
ARGS ?=

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/slipway
	CGO_ENABLED=0 go build $(BUILD_FLAGS) -o bin/slipway ./cmd/slipway

.PHONY: demo
demo: build ## show the main job at http://localhost:8080 (ARGS=--once: exit with the verdict)
	@.ci/setup docker busybox -- bin/slipway demo $(ARGS)

.PHONY: test
test: vet lint ## vet, lint and run all tests (they need Docker, busybox, gcc, chromium, npm and docker-registry)
	.ci/setup docker busybox gcc chromium axe registry -- go test -race -count=1 -timeout 30m $(ARGS) ./...

.PHONY: test-nodocker
test-nodocker: ## run the tests that need neither Docker nor a browser
	.ci/nodocker $(NEEDS_DOCKER) $(ARGS)

.PHONY: vet
vet: ## run go vet
	go vet ./...

.PHONY: lint
lint: ## run golangci-lint, which holds the import rules too
	$(GOLANGCI) run

.PHONY: fmt
fmt: ## format the Go files
	$(GOLANGCI) fmt

.PHONY: bench
bench: ## run the benchmarks and print them as one table (ARGS=-bench=Push: some of them)
	.ci/setup docker busybox -- go test -run '^$$' -bench . -timeout 60m $(ARGS) ./... | go run ./cmd/benchtable

.PHONY: speed
speed: ## measure what the README promises, and write it there
	.ci/setup docker busybox -- go test -run '^$$' -bench '^Benchmark(Push|TenSteps|TenSleeps|EightAtOnce|MillionLines|BigSource|Memory|Webhook|WebhookPaced)$$' \
		-timeout 60m ./cmd/slipway ./server | go run ./cmd/benchtable README.md

.PHONY: soak
soak: ## kill a server that is used 200 times, and look for what broke (KILLS=50: fewer)
	@mkdir -p bin
	.ci/setup docker busybox -- env SLIPWAY_TEST_KILLS=$(KILLS) go test -count=1 -timeout 60m -run '^TestSoak$$' -v $(ARGS) ./cmd/slipway \
		| tee bin/soak.log | grep -E '^ *(soak_.*:|---|ok|FAIL|PASS)'

.PHONY: screenshots
screenshots: build ## take pictures of every page, of builds that really run (DIR=bin/screenshots, ARGS='-only ^failed')
	.ci/setup docker busybox chromium -- go run ./cmd/screenshots -slipway bin/slipway -dir $(DIR) $(ARGS)

.PHONY: screenshot
screenshot: ## take the pictures of the README
	$(MAKE) screenshots DIR=bin/readme ARGS='-only ^readme-'
	cp bin/readme/readme-*.png .github

.PHONY: image
image: ## build the container image (BASE=, BUILD_BASE=, IMAGE=)
	@.ci/setup docker
	docker build $(if $(BASE),--build-arg BASE=$(BASE)) $(if $(BUILD_BASE),--build-arg BUILD_BASE=$(BUILD_BASE)) \
		--build-arg VERSION=$(VERSION) --tag $(IMAGE) .

.PHONY: clean
clean: ## remove what make made in this folder
	rm -rf bin .cache
