# The words of this house. Each is a line in README.md or AGENTS.md.

GO ?= go
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0
FUZZTIME ?= 20s

.PHONY: demo build test race lint bench fuzz attack vuln torture

demo: ## the main job, offline, in seconds
	@$(GO) run ./cmd/venuekey demo

build: ## the command, without C
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/venuekey ./cmd/venuekey

test: ## everything; installs what a suite needs where it may
	@GO="$(GO)" scripts/test

race: ## the same under the race detector, which needs a C compiler
	@GO="$(GO)" scripts/test -race

lint: ## formatting, vet, staticcheck, and a build for every system
	@GO="$(GO)" STATICCHECK="$(STATICCHECK)" scripts/lint

bench: ## ratios against limits and peers, each measured in one run
	@GO="$(GO)" scripts/bench

fuzz: ## every fuzz target for FUZZTIME, and the model for 100,000 steps
	@GO="$(GO)" FUZZTIME="$(FUZZTIME)" scripts/fuzz

attack: ## every attack that doc/security.md names: held, OPEN, or not tried
	@GO="$(GO)" scripts/attack

vuln: ## known holes in what is used; says so where the database cannot be reached
	@GO="$(GO)" GOVULNCHECK="$(GOVULNCHECK)" scripts/vuln

torture: ## thousands of processes killed, a virtual year, every attack, and whatever else takes long
	@GO="$(GO)" scripts/torture
