# Bare `make` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash

GO          ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS     := -s -w -X main.version=$(VERSION)

# No path of this machine in what is built, so that all clones on it share a build cache.
export GOFLAGS := $(GOFLAGS) -trimpath

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/kindlytest
	$(GO) build -ldflags '$(LDFLAGS)' -o bin/kindlytest ./cmd/kindlytest

.PHONY: demo
demo: browser build ## run everything against the built-in customer
	bin/kindlytest demo

# The packages that take longest first, and one more at a time than there are cores:
# they wait a lot.
.PHONY: test
test: browser stacks ## all tests; of long tables a sixth each day (minutes)
	KINDLYTEST_REQUIRE_BROWSER=1 $(GO) test -p $$(($$(getconf _NPROCESSORS_ONLN) + 1)) -timeout 25m ./suites ./cmd/kindlytest ./internal/browser ./suites/service ./...

.PHONY: test-whole
test-whole: export KINDLYTEST_WHOLE = 1
test-whole: test ## all tests, and all rows of them

.PHONY: race
race: browser stacks ## test-whole under the race detector (slow)
	KINDLYTEST_REQUIRE_BROWSER=1 KINDLYTEST_WHOLE=1 $(GO) test -race -timeout 40m ./...

.PHONY: race-quick
race-quick: ## the tests that drive neither Chrome nor the whole program, under the race detector (minutes)
	$(GO) test -race -timeout 20m $$($(GO) list ./... | grep -vE '/(suites|suites/example_test|cmd/kindlytest|docs|internal/browser|mockkindly/console)$$')

.PHONY: proof
proof: browser ## every fault, alone, in pairs and in hard circumstances; writes docs/proof.md (hours)
	KINDLYTEST_REQUIRE_BROWSER=1 $(GO) test ./suites -run '^(TestProof|TestProofSound|TestProofPairs|TestProofCompany|TestProofDeaths|TestProofRungs|TestWaitExpiry)$$' -proof -timeout 6h

.PHONY: pairs
pairs: browser ## a sample of the pairs of faults, by the seed of the day (PAIRS=48, SEED=20260131)
	KINDLYTEST_REQUIRE_BROWSER=1 $(GO) test ./suites -run '^TestProofPairs$$' -proof -proof-most $(or $(PAIRS),48) -proof-seed $(or $(SEED),$(shell date -u +%Y%m%d)) -timeout 60m

.PHONY: as-documented
as-documented: browser stacks ## check the customers that Kindly's documentation makes; writes docs/as-documented.md
	KINDLYTEST_REQUIRE_BROWSER=1 KINDLYTEST_REQUIRE_CUSTOMERS=1 $(GO) test ./suites -run '^TestCustomersInOtherStacks$$' -as-documented

.PHONY: lint
lint: ## gofmt, go vet, staticcheck, go mod tidy
	@test -z "$$(gofmt -l .)" || { echo 'not gofmted:'; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) mod tidy -diff

.PHONY: notices
notices: ## the licences of all that is compiled in; writes bin/NOTICES.txt
	@mkdir -p bin
	.ci/notices > bin/NOTICES.txt

.PHONY: sbom
sbom: ## what it is made of, as CycloneDX; writes bin/sbom.cdx.json
	@mkdir -p bin
	.ci/sbom '$(VERSION)' > bin/sbom.cdx.json

.PHONY: vulnerabilities
vulnerabilities: ## look for known vulnerabilities (needs a network)
	@GO='$(GO)' .ci/vulnerabilities

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (10s)
	@set -e; for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
	    echo "$$package $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $${FUZZTIME:-10s} -fuzzminimizetime 5x $$package; \
	  done; done

.PHONY: bench
bench: browser ## measure against what a team would use instead; writes docs/performance.md (minutes)
	$(GO) run ./cmd/bench

.PHONY: pictures
pictures: browser build ## take the README's pictures of terminal, report and console; writes docs/pictures
	$(GO) run ./cmd/pictures bin/kindlytest docs/pictures

.PHONY: attack
attack: browser ## try to hurt it, from outside; writes what came of it into docs/security.md (about an hour)
	$(GO) run ./cmd/attack

.PHONY: browser
browser: ## install a headless Chromium, if none is there
	@.ci/install-browser

.PHONY: stacks
stacks: ## install what customers and samples in other languages need, if it is not there
	@.ci/install-stacks

.PHONY: clean
clean: ## remove what was built and reported
	rm -rf bin dist kindlytest-reports
