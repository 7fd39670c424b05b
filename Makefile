# `make help` lists what there is. Every target may be called again at once: what is already there is not made twice.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash -o pipefail
export PYTHONPATH := $(CURDIR)/tools
export PIP_DISABLE_PIP_VERSION_CHECK := 1

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
API_SOURCES := $(shell find operator/haapp/api -name '*.py' 2>/dev/null)
CRD := crds/highavailabilityapps.yaml
REFERENCE := docs/reference.md
CLUSTER ?= dev
ZONE ?= zone-c
METRICS ?=
PYTEST_ARGS ?=
# Tests on a cluster mostly wait. Each worker has an embedded cluster of its own; one that is given is not shared.
PARALLEL = $(if $(CONTEXT),,-n 3 --dist loadfile)
NODES ?= dev

.PHONY: bench docs zone-off zone-on help venv cluster-bin test-bin cluster cluster-down demo demo-cluster demo-down test test-unit test-cluster test-faults faults e2e simulate-check nodes nodes-down test-nodes node-images lint format generate lock dist sbom release clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "  First time: 'make demo' to see it run, 'make test' to check it. Both build the control plane once (minutes, cached per user)."
	@echo "  Variables: CLUSTER=name (dev), ZONE=zone-a..zone-c (zone-c), CONTEXT=kind-... or kwok-... (test against that cluster), PYTEST_ARGS='-k name',"
	@echo "             METRICS=1 (a cluster with metrics-server, for autoscaling), KUBEBUILDER_ASSETS=folder with ready binaries."

venv: $(INSTALLED) ## the Python environment .venv, from requirements.lock

# uv installs in seconds what takes pip a minute; it does not know pip's configuration, so pip stands in where uv fails.
# What the operator imports is compiled for good, as in its image: where Python is told to write no bytecode, each start
# would compile it again, in more than a second.
$(INSTALLED): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "venv: installing $$(grep -c '==' requirements.lock) locked packages into $(VENV)"
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/pip install --quiet --no-compile --no-deps --require-hashes -r $(VENV)/uv.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock || { \
		echo "venv: once more with pip (a minute)"; \
		$(BIN)/pip install --quiet --no-compile --no-deps --require-hashes -r requirements.lock; }
	@$(BIN)/pip install --quiet --no-compile --no-deps --no-build-isolation --editable .
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -c "import haapp.handlers, haapp.main, haapp.cli.main"
	@touch $@

cluster-bin: ## find or build the control plane (etcd, kube-*, kwok); the last line is its folder
	@$(PYTHON) -m devcluster binaries

# Before pytest, which would hide that it is at work, and end it by a test's time limit.
test-bin:
	@$(PYTHON) -m devcluster binaries --programs

cluster: $(INSTALLED) ## start the embedded cluster CLUSTER (6 nodes, 3 zones)
	@$(BIN)/python -m devcluster create $(CLUSTER) $(if $(METRICS),--metrics)

cluster-down: $(INSTALLED) ## stop and delete it
	@$(BIN)/python -m devcluster delete $(CLUSTER)

demo: ## everything at once: cluster, CRD, operator, two applications; left running
	@$(MAKE) --no-print-directory --jobs=2 $(INSTALLED) demo-cluster
	@$(BIN)/python -m devcluster demo

demo-cluster:
	@$(PYTHON) -m devcluster create demo --brief

demo-down: $(INSTALLED) ## stop the demo's operator and cluster
	@$(BIN)/python -m devcluster demo-down

test: lint test-unit test-cluster test-faults ## all tests: lint, unit, and the operator on a real API server

test-unit: $(INSTALLED) ## the pure tests, in seconds
	$(BIN)/pytest -n 2 tests/unit $(PYTEST_ARGS)

test-cluster: $(INSTALLED) test-bin ## the tests against an embedded cluster, or against CONTEXT
	$(BIN)/pytest $(PARALLEL) $(wildcard tests/cluster tests/delivery) $(PYTEST_ARGS)

test-faults: $(INSTALLED) cluster-bin ## a slice of the faults that must be survived (HAAPP_FAULTS_SEED=number picks it)
	$(BIN)/pytest $(if $(CONTEXT),,-n 2 --dist loadfile) tests/faults $(PYTEST_ARGS)

faults: export HAAPP_FAULTS := all
faults: $(INSTALLED) cluster-bin ## every fault in every operation, and the tables of docs/reliability.md (about 50 minutes)
	$(BIN)/pytest tests/faults $(PYTEST_ARGS)

e2e: $(INSTALLED) ## the cluster suite against CONTEXT=kind-... or kwok-... (manifests/kind/README.md)
	@test -n "$(CONTEXT)" || { echo "e2e: name the cluster: make e2e CONTEXT=kind-dev"; exit 2; }
	@$(MAKE) --no-print-directory test-bin
	CONTEXT=$(CONTEXT) $(BIN)/pytest tests/cluster $(PYTEST_ARGS)

simulate-check: $(INSTALLED) ## hold `kubectl haapp simulate` against the real scheduler (ARGS='--layouts 200')
	@PYTHONPATH=$(CURDIR)/tools:$(CURDIR) $(BIN)/python bench/simulate_check.py $(ARGS)

nodes: $(INSTALLED) ## start NODES: a control plane and 3 real nodes in 3 zones (Linux, root)
	@$(BIN)/python -m devnodes create $(NODES)

nodes-down: $(INSTALLED) ## stop and remove them
	@$(BIN)/python -m devnodes delete $(NODES)

test-nodes: $(INSTALLED) ## what the scenarios do, in real containers on real nodes (or on CONTEXT=kind-...); RECORD=1: docs/tested.md
	@$(if $(CONTEXT),,$(BIN)/python -m devnodes check)
	$(BIN)/pytest tests/nodes --timeout=900 $(PYTEST_ARGS)

node-images: $(INSTALLED) ## the images that test-nodes needs, in dist/images.tar for `kind load image-archive`
	@mkdir -p dist
	@$(BIN)/python -m devnodes images dist/images.tar

bench: $(INSTALLED) ## measure the operator against a bare writer, on a cluster of its own (ARGS=--quick for small sizes)
	@PYTHONPATH=$(CURDIR)/operator:$(CURDIR)/tools:$(CURDIR)/bench $(BIN)/python -m performance.main $(ARGS)

lint: $(INSTALLED) ## ruff, mypy --strict, the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(INSTALLED) ## ruff's fixes and its formatting
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(CRD) $(REFERENCE) ## the CRD and docs/reference.md, from operator/haapp/api

$(CRD): $(INSTALLED) $(API_SOURCES)
	@mkdir -p $(@D)
	$(BIN)/python -m haapp.api.crd > $@

$(REFERENCE): $(INSTALLED) $(API_SOURCES) $(wildcard tools/docpages/*)
	$(BIN)/python -m docpages.reference > $@

docs: $(INSTALLED) generate ## the documentation as a site, in build/docs/; dead links are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir build/docs

zone-off: $(INSTALLED) ## switch the machines of ZONE of the cluster CLUSTER off
	@$(BIN)/python -m devcluster zone $(CLUSTER) $(ZONE) off

zone-on: $(INSTALLED) ## and on again
	@$(BIN)/python -m devcluster zone $(CLUSTER) $(ZONE) on

# Hashes and versions only: where packages come from is the machine's own configuration.
UV_LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-emit-build-options pyproject.toml

lock: $(INSTALLED) ## renew the lock files from pyproject.toml (LOCK_ARGS=--upgrade for newer versions)
	$(UV_LOCK) $(LOCK_ARGS) --extra dev --output-file requirements.lock
	$(UV_LOCK) --extra admission --constraints requirements.lock --output-file requirements-runtime.lock

dist: $(INSTALLED) generate ## the wheel, in dist/
	$(BIN)/hatchling build --target wheel

sbom: $(INSTALLED) ## what the image is made of (CycloneDX), in dist/
	@mkdir -p dist
	$(BIN)/python -m release.sbom > dist/haapp-operator.cdx.json

release: dist sbom ## everything that a release has, in dist/: wheel, bill of materials, CRD, manifests, chart
	$(BIN)/python -m release.bundle

clean: ## remove what is built here (the cached control plane stays)
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
