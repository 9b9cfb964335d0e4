# The targets. README.md and AGENTS.md explain them.

GO ?= go
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0
FUZZTIME ?= 20s

.PHONY: demo build test race lint bench fuzz attack vuln torture

demo: ## show the main job, offline, in seconds
	@$(GO) run ./cmd/venuekey demo

build: ## build the command, without C
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/venuekey ./cmd/venuekey

test: ## run every test; install what a suite needs, if allowed
	@GO="$(GO)" scripts/test

race: ## the same with the race detector, which needs a C compiler
	@GO="$(GO)" scripts/test -race

lint: ## formatting, vet, staticcheck, and a build for every system
	@GO="$(GO)" STATICCHECK="$(STATICCHECK)" scripts/lint

bench: ## measure ratios against limits and peers, in one run
	@GO="$(GO)" scripts/bench

fuzz: ## run every fuzz target for FUZZTIME, and the model for 100,000 steps
	@GO="$(GO)" FUZZTIME="$(FUZZTIME)" scripts/fuzz

attack: ## run every attack that doc/security.md names: held, OPEN, or not tried
	@GO="$(GO)" scripts/attack

vuln: ## look for known vulnerabilities in what is used; say so if the database cannot be reached
	@GO="$(GO)" GOVULNCHECK="$(GOVULNCHECK)" scripts/vuln

torture: ## run what takes long: thousands of killed processes, a virtual year, every attack
	@GO="$(GO)" scripts/torture
