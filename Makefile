# Every target has its line of help beside it. Needs make and Node >= 20; everything else is fetched.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The pinned Node 24 and every tool come from the workspace; `npx` is the system's own and only starts pnpm. Node's own
# folder comes first: the `node` in .bin is a shell script around it, and a signal would stop at the shell.
PNPM := npx --yes pnpm@10
export PATH := $(CURDIR)/node_modules/node/bin:$(CURDIR)/node_modules/.bin:$(PATH)

RESULTS := dist/test-results
INSTALLED := node_modules/.tollgate-installed
MANIFESTS := package.json pnpm-workspace.yaml pnpm-lock.yaml $(wildcard */package.json packages/*/package.json)
JEST := node --experimental-vm-modules --disable-warning=ExperimentalWarning node_modules/jest/bin/jest.js
TOOLS := packages/devtools/src
CLUSTER := node --conditions=source --disable-warning=ExperimentalWarning e2e/clusters
# A suite that hangs is a failure, and not a wait; where there is no `timeout`, it is a wait.
BOUNDED := $(if $(shell command -v timeout),timeout --foreground 40m)
REAL ?= 0
# Narrows the tests: make test-unit ARGS=packages/budget
ARGS ?=

.PHONY: help run test test-kubernetes test-scale test-adapters test-unit test-sim test-clients test-faults test-coverage test-replay test-fuzz verify lint types generate build bundles bench bench-ledger bench-cluster images cluster-build cluster-up cluster-down cluster-status e2e e2e-kind install clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: ## Serve examples/quickstart on the mock provider; REAL=1 calls the real ones with your keys
	@$(MAKE) bundles >&2
	@exec node packages/cli/dist/tollgate.js serve --resources examples/quickstart $(if $(filter 1,$(REAL)),,--mock)

test: bundles ## Install, then run every suite that needs no Kubernetes; ARGS=packages/budget runs a part
	@$(TOOLS)/prerequisites.sh postgres redis python
	@rm -rf $(RESULTS) && mkdir -p $(RESULTS)
	@$(BOUNDED) $(JEST) --selectProjects unit integration --json --outputFile=$(RESULTS)/jest.json $(ARGS) >/dev/null || { node $(TOOLS)/test-sums.ts $(RESULTS) || true; exit 1; }
	@node $(TOOLS)/test-sums.ts $(RESULTS)

test-kubernetes: bundles ## Run what needs a Kubernetes API server, which is built first (once, 6 minutes); ARGS=operator runs a part
	@$(TOOLS)/prerequisites.sh postgres openssl
	@$(CLUSTER)/cluster.ts build control-plane
	@mkdir -p $(RESULTS) && rm -f $(RESULTS)/kubernetes.json
	@$(BOUNDED) $(JEST) --selectProjects kubernetes --json --outputFile=$(RESULTS)/kubernetes.json $(ARGS) >/dev/null

test-scale: bundles ## Measure the operator with 1,000 budgets and 5,000 pods' metadata (10 minutes); writes dist/test-results/scale.json
	@$(TOOLS)/prerequisites.sh postgres openssl
	@$(CLUSTER)/cluster.ts build control-plane
	@mkdir -p $(RESULTS) && rm -f $(RESULTS)/scale*.json
	@$(BOUNDED) $(JEST) --selectProjects scale --json --outputFile=$(RESULTS)/scale-tests.json $(ARGS) >/dev/null

test-unit: $(INSTALLED) ## Run the tests that need no server
	@$(JEST) $(ARGS) --selectProjects unit

test-clients: bundles ## Drive the proxy with the official Python SDKs, in a venv made for it
	@$(TOOLS)/prerequisites.sh venv
	@bash e2e/python/run.sh

test-replay: $(INSTALLED) ## Price a million random usages anew, in decimal, from what the ledger holds; REPLAY_USAGES=n
	@$(TOOLS)/prerequisites.sh postgres python
	@REPLAY_USAGES=$${REPLAY_USAGES:-1000000} $(JEST) e2e/src/billing/replay

test-adapters: $(INSTALLED) ## Ask memory and Redis ADAPTER_SEQUENCES (100000) random sequences, and the databases ADAPTER_SQL_SEQUENCES (2000)
	@$(TOOLS)/prerequisites.sh postgres redis
	@ADAPTER_SEQUENCES=$${ADAPTER_SEQUENCES:-100000} ADAPTER_SQL_SEQUENCES=$${ADAPTER_SQL_SEQUENCES:-2000} $(JEST) agreement

test-fuzz: $(INSTALLED) ## Feed bad bytes to every reader at a boundary, FUZZ_ROUNDS times each; FUZZ_SEED=n for others
	@FUZZ_ROUNDS=$${FUZZ_ROUNDS:-40000} $(JEST) e2e/src/fuzz

test-faults: bundles ## Break real processes for FAULT_MINUTES (6; less does not come to every fault, and fails); FAULT_SEED repeats
	@$(TOOLS)/prerequisites.sh postgres redis faketime
	@node --conditions=source e2e/src/faults/main.ts

test-sim: $(INSTALLED) ## Simulate the accounting under faults: 20,000 schedules, or SIM_MINUTES=60; SIM_SEED=7 or SIM_REPLAY=file plays one
	@SIM_SEEDS='$(SIM_SEEDS)' SIM_MINUTES='$(SIM_MINUTES)' SIM_FROM='$(SIM_FROM)' SIM_SEED='$(SIM_SEED)' SIM_REPLAY='$(SIM_REPLAY)' SIM_MUTANT='$(SIM_MUTANT)' \
		node --conditions=source packages/ledger/src/simulator/main.ts

test-coverage: bundles ## Measure line coverage over all product sources; fails under 90 %
	@$(TOOLS)/prerequisites.sh postgres redis python openssl
	@$(CLUSTER)/cluster.ts build control-plane
	@node $(TOOLS)/coverage.ts $(ARGS)

verify: $(INSTALLED) ## Check generated files, lint, types, dependency rules, unit tests and the billing corpus
	@$(TOOLS)/prerequisites.sh python
	@node $(TOOLS)/tree-state.ts save $(RESULTS)/tree.state
	@$(MAKE) generate
	@node $(TOOLS)/tree-state.ts compare $(RESULTS)/tree.state 'generated files were stale; commit what make generate wrote:'
	@$(MAKE) lint types
	@$(MAKE) test-unit
	@python3 e2e/src/billing/recompute.py
	@node $(TOOLS)/tree-state.ts compare $(RESULTS)/tree.state 'a check has changed files:'

lint: $(INSTALLED) ## Lint, formatting, dependency rules, tsconfig references
	@eslint --cache --cache-location node_modules/.cache/eslint/ .
	@prettier --check --cache --log-level warn .
	@depcruise --config .dependency-cruiser.cjs $(wildcard operator/src sidecar/src packages/*/src e2e/src e2e/clusters)
	@node $(TOOLS)/check-references.ts

types: $(INSTALLED) ## Check the types of every package
	@tsc -b

generate: $(INSTALLED) ## Write the files that are made from the sources (crds/, docs)
	@node --conditions=source $(TOOLS)/generate.ts

build: bundles types ## Build the programs and the type declarations

bundles: $(INSTALLED)
	@node $(TOOLS)/bundle.ts

bench: bundles ## Measure the proxy against direct, nginx and Portkey; writes docs/benchmarks.md
	@$(TOOLS)/prerequisites.sh nginx wrk
	@node --conditions=source packages/bench/src/main.ts

bench-ledger: bundles ## Measure leases, spool, ingest and the stores; writes its part of docs/benchmarks.md
	@$(TOOLS)/prerequisites.sh postgres redis wrk
	@node --conditions=source --disable-warning=ExperimentalWarning packages/bench/src/ledger/main.ts

bench-cluster: ## Measure on the one-node cluster how soon a change reaches its proxies, and injection; writes its part of docs/benchmarks.md
	@$(MAKE) e2e ARGS=figures
	@node --conditions=source packages/bench/src/cluster/main.ts

images: bundles ## Build the container images localhost/tollgate-{proxy,operator,server}:dev, with Docker or buildah
	@docker info >/dev/null 2>&1 || $(TOOLS)/prerequisites.sh images
	@node $(TOOLS)/images/main.ts

cluster-build: $(INSTALLED) ## Build Kubernetes, kubectl and helm from their Go modules, once, into ~/.cache/tollgate
	@$(TOOLS)/prerequisites.sh openssl
	@$(CLUSTER)/cluster.ts build

cluster-up: $(INSTALLED) ## Start the one-node cluster on this machine (root, no Docker needed)
	@$(CLUSTER)/cluster.ts up

cluster-down: $(INSTALLED) ## End the one-node cluster and all that runs in it
	@$(CLUSTER)/cluster.ts down

cluster-status: $(INSTALLED) ## Say what runs of the one-node cluster
	@$(CLUSTER)/cluster.ts status

e2e: images ## Run the user stories on the one-node cluster, which is started for it; ARGS=images runs a part
	@mkdir -p $(RESULTS) && rm -f $(RESULTS)/e2e.json
	@$(BOUNDED) $(CLUSTER)/run-suite.ts one-node --json --outputFile=$(RESULTS)/e2e.json $(ARGS) >/dev/null

e2e-kind: images ## The same on kind (Docker, kind, kubectl and helm must be there)
	@$(CLUSTER)/run-suite.ts kind $(ARGS)

install: ## Install the dependencies, as the lock file says
	@$(PNPM) install --frozen-lockfile
	@touch $(INSTALLED)

$(INSTALLED): $(MANIFESTS)
	@$(MAKE) install >&2

clean: ## Remove what was built; installed dependencies stay
	@rm -rf dist coverage node_modules/.cache */dist packages/*/dist
