# `make` lists the targets. Everything runs in .venv, which the first target that needs it creates.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
PYTEST := $(BIN)/pytest --numprocesses 2 --dist loadgroup

export PYTHONDONTWRITEBYTECODE =

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements/all.txt requirements/installer.txt pyproject.toml scripts/install.sh
	@PYTHON=$(PYTHON) sh scripts/install.sh

.PHONY: install
install: $(STAMP) ## Create .venv and install the locked dependencies

.PHONY: up
up: $(STAMP) ## Start or repair the local stack; the first time, place sample orders (PORT=, DB_PORT=, SAMPLES=1, GATEWAY=stripe)
	@$(BIN)/pulsequeue up $(if $(PORT),--port $(PORT)) $(if $(DB_PORT),--db-port $(DB_PORT)) $(if $(SAMPLES),--samples) $(if $(GATEWAY),--gateway $(GATEWAY))

.PHONY: down
down: $(STAMP) ## Stop the local stack and its monitoring; data is kept
	@$(BIN)/pulsequeue down

.PHONY: reset
reset: $(STAMP) ## Stop the local stack and remove its data (YES=1 does not ask)
	@$(BIN)/pulsequeue reset $(if $(YES),--yes)

.PHONY: demo
demo: $(STAMP) ## Place an order every two seconds; stops after ten minutes or Ctrl-C (MINUTES=, RATE= a second)
	@$(BIN)/pulsequeue demo $(if $(MINUTES),--minutes $(MINUTES)) $(if $(RATE),--rate $(RATE))

.PHONY: monitoring
monitoring: $(STAMP) ## Start Prometheus and Alertmanager for the running stack, with Docker also Grafana (PROMETHEUS_PORT=)
	@$(BIN)/pulsequeue monitoring up $(if $(PROMETHEUS_PORT),--port $(PROMETHEUS_PORT))

.PHONY: test-fast
test-fast: $(STAMP) ## Run unit and contract tests: no emulator, no database, under a minute
	$(PYTEST) -m "not emulator and not stack and not heavy" tests/unit tests/contracts

.PHONY: test
test: $(STAMP) ## Run all tests except heavy ones; starts the stack and the databases they need
	$(PYTEST) -m "not heavy"

.PHONY: test-all
test-all: $(STAMP) ## Run all tests, with Terraform applied to the emulator, chaos and long simulations
	$(PYTEST)

.PHONY: test-infra
test-infra: $(STAMP) ## Test the Terraform: format, conventions, modules, then apply, use and destroy on the emulator
	$(BIN)/pytest tests/terraform

.PHONY: provider-lock
provider-lock: $(STAMP) ## Make infra/providers.lock.hcl for every platform, or check it; needs Terraform's registry
	@$(BIN)/python -m scripts.deploy.provider_lock

.PHONY: checkov
checkov: $(STAMP) ## Scan infra/ and .github/ for insecure settings; each exception has its reason beside it
	@$(BIN)/python -m scripts.deploy.checkov

.PHONY: simulate
simulate: $(STAMP) ## Run simulated schedules (N=10000: that many; SEED=123: one, step by step; MUTATIONS=1: check that bugs are found)
	@$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED)) $(if $(N),--count $(N)) \
	  $(if $(FIRST),--first $(FIRST)) $(if $(MUTATIONS),--mutations)

.PHONY: chaos
chaos: $(STAMP) ## Send thousands of orders while workers are killed and services fail, then recount (ORDERS=, SEED=)
	@$(BIN)/python -m tests.chaos $(if $(ORDERS),--orders $(ORDERS)) $(if $(SEED),--seed $(SEED))

.PHONY: drill
drill: $(STAMP) ## Lose the tables and the database of a stack of its own, restore them, recount (ORDERS=, TAIL=)
	@$(BIN)/python -m tests.drill $(if $(ORDERS),--orders $(ORDERS)) $(if $(TAIL),--tail $(TAIL))

.PHONY: fuzz
fuzz: $(STAMP) ## Send random input to every handler for MINUTES= (default 5); failing input is stored and replayed
	@$(BIN)/python -m tests.fuzz $(if $(MINUTES),--minutes $(MINUTES))

.PHONY: web
web: $(STAMP) ## Build the console into web/dist
	@$(BIN)/python -m scripts.local.web

.PHONY: package
package: $(STAMP) ## Build the Lambda packages, one zip per service, into build/ (PLATFORM=aarch64, x86_64 or host)
	@$(BIN)/pulsequeue package $(if $(PLATFORM),--platform $(PLATFORM)) $(if $(PYTHON_VERSION),--python $(PYTHON_VERSION))

.PHONY: release-check
release-check: $(STAMP) ## Check that a tag, the version and the changelog agree (TAG=v1.2.3)
	@$(BIN)/python -m scripts.packaging.release_tag "$(TAG)"

.PHONY: deploy
deploy: $(STAMP) ## Check, package, plan, apply, migrate, publish and verify an environment on AWS (ENV=dev, YES=1, FROM=step)
	@$(BIN)/pulsequeue deploy --env $(or $(ENV),dev) $(if $(YES),--yes) $(if $(FROM),--from $(FROM)) $(if $(ONLY),--only $(ONLY))

.PHONY: destroy
destroy: $(STAMP) ## Remove an environment and all data in it (ENV=dev, YES=1); prod is protected
	@$(BIN)/pulsequeue destroy --env $(or $(ENV),dev) $(if $(YES),--yes)

.PHONY: verify
verify: $(STAMP) ## Send test orders through a running environment and check every step (ENV=local)
	@$(BIN)/pulsequeue verify --env $(or $(ENV),local)

.PHONY: bench
bench: $(STAMP) ## Run all benchmarks and write docs/benchmarks/ (NAME=metrics runs one; QUICK=1 only checks that they run)
	@$(BIN)/python -m benchmarks $(NAME) $(if $(QUICK),--quick)

.PHONY: environment-sizes
environment-sizes: $(STAMP) ## Write the billed resources of dev and prod, from Terraform plans, for `pulsequeue cost`
	@$(BIN)/python -m scripts.deploy.environment_sizes

.PHONY: scale
scale: $(STAMP) ## Write the tables of docs/scale.md and docs/cost.md from measurements
	@$(BIN)/python -m scripts.cost.scale_page

.PHONY: static
static: $(STAMP) ## Lint, format, types, import rules, workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/python -m scripts.local.web check

.PHONY: check
check: static test-all ## Run static checks, then all tests

.PHONY: format
format: $(STAMP) ## Format with ruff, and apply its fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: schemas
schemas: $(STAMP) ## Write docs/events/ and docs/openapi.json from the models
	$(BIN)/pulsequeue events schema --all --output docs/events
	@$(BIN)/python -m scripts.ops.contracts.openapi

.PHONY: dashboards
dashboards: $(STAMP) ## Write monitoring/grafana/*.json from the dashboards' sources
	@$(BIN)/pulsequeue grafana build

.PHONY: lock
lock: $(STAMP) ## Resolve the dependencies again and write requirements/
	$(BIN)/uv pip compile --quiet pyproject.toml --extra local --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate --upgrade --output-file requirements/all.txt
	$(BIN)/uv pip compile --quiet --group lambda --universal --python-version 3.11 --constraint requirements/all.txt \
	  --generate-hashes --no-header --no-annotate --output-file requirements/lambda.txt
	grep '^uv==' requirements/all.txt | sed 's/ .*//' | $(BIN)/uv pip compile --quiet - --universal \
	  --python-version 3.11 --generate-hashes --no-header --no-annotate --output-file requirements/installer.txt
	echo 'checkov>=3.2' | $(BIN)/uv pip compile --quiet - --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate --upgrade --output-file requirements/checkov.txt
