# The door to the studio: `make` alone lists what it opens. Works with GNU make from 3.81 on and any POSIX shell.

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast test-compose fuzz system check fix bench drill storm docs lock clean

PYTHON ?=
RENDERER ?=
ENGINE ?=
VENV := .venv
BIN := $(VENV)/bin
DEMO := $(VENV)/.stamp-demo
GPU := $(VENV)/.stamp-gpu
DEV := $(VENV)/.stamp-dev
PROCESSES := api worker gpu bot overlay sakuga
PYTEST_ARGS ?=
PYTEST := $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# uv trusts the certificates that this machine trusts, as pip does: companies and proxies have their own.
export UV_SYSTEM_CERTS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

setup: $(DEMO) ## install what the studio needs into .venv (demo does this by itself)

# With real engines: make demo RENDERER=local ENGINE=tiny, or any other of docs/reference/engines.md.
demo: $(if $(findstring local,$(or $(RENDERER),$(shell grep -s '^SAKUGA_RENDERER=' .env))),$(GPU),$(DEMO)) ## run the whole studio on this machine, without keys and without a GPU
	@exec env $(if $(RENDERER),SAKUGA_RENDERER=$(RENDERER)) $(if $(ENGINE),SAKUGA_ENGINES=$(ENGINE)) $(BIN)/python -m sakuga demo

# The profile throws the same dice in each run: what `make fuzz` finds becomes an example, not a red run of another change.
test: $(DEV) system ## every test, with what they need from the system
	$(PYTEST) --hypothesis-profile=ci $(PYTEST_ARGS)
	node --test tests/overlay/js/*.test.mjs

test-fast: $(DEV) ## the tests that start no browser and no studio
	$(PYTEST) -q --ignore=tests/journeys --ignore=tests/browser --ignore=tests/bench --ignore=tests/drill/test_drill.py $(PYTEST_ARGS)

fuzz: $(DEV) ## the property tests with new dice, each time
	$(PYTEST) -m hypothesis $(PYTEST_ARGS)

test-compose: $(DEV) ## build the containers, take a job through them, remove them
	$(BIN)/python -m pytest -v tests/compose/journey.py $(PYTEST_ARGS)

check: $(DEV) ## everything that CI looks at besides the tests; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(PROCESSES) docs
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/docs --ignore=tests/docs/test_examples.py

fix: $(DEV) ## repair and format what can be without thinking
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(DEV) ## write the tables of the reference anew
	$(BIN)/python -m docs.generate
	$(BIN)/python -m docs.figures

# Beside other queues too, each in an environment of its own: make bench PEERS=1
bench: $(DEV) ## measure the studio
	$(BIN)/python -m tests.bench
	$(if $(PEERS),$(BIN)/python -m tests.bench.peers $(PEERS_ARGS))

# Longer, or the same dice again: make drill DRILL_ARGS="--minutes 4 --seed 7"
drill: $(DEV) ## kill gateways, workers and the broker in a show, and look what held
	$(BIN)/python -m tests.drill $(DRILL_ARGS)

# Shorter: make storm STORM_ARGS="--minutes 10"
storm: $(DEV) ## two hours of a wild chat in six minutes, and what came of it
	$(BIN)/python -m tests.bench.storm $(STORM_ARGS)

# --- what the targets stand on ---------------------------------------------------------------------------------------

$(DEMO): requirements/demo.txt requirements/uv.txt | $(BIN)/python
	$(INSTALL_UV)
	$(INSTALL) $<
	@touch $(DEMO)

# A CPU build of torch, so that no test downloads CUDA; --no-deps, since the lock is whole but for it.
$(DEV): requirements/dev.txt requirements/uv.txt | $(BIN)/python
	$(INSTALL_UV)
	$(INSTALL) $< --no-deps
	@echo "installing $(TORCH) for the CPU"
	@$(UV) pip install -q --python $(BIN)/python --no-deps $(TORCH_FROM) $(TORCH)
	@touch $(DEMO) $(DEV)

# What the engines need on this machine: with a CUDA card torch with CUDA, else a CPU build of it.
$(GPU): requirements/gpu.txt requirements/engines.txt $(DEMO)
	@if command -v nvidia-smi >/dev/null; then \
	  $(BIN)/python -c 'import diffusers, sys, torch; sys.exit(not torch.version.cuda)' 2>/dev/null || $(UV) pip install -q --python $(BIN)/python --require-hashes -r requirements/gpu.txt; \
	else \
	  echo "installing what the engines need, and $(TORCH) for the CPU"; \
	  $(UV) pip install -q --python $(BIN)/python --require-hashes --no-deps -r requirements/engines.txt && \
	  { $(BIN)/python -c 'import torch' 2>/dev/null || $(UV) pip install -q --python $(BIN)/python --no-deps $(TORCH_FROM) $(TORCH); }; \
	fi
	@touch $(GPU)

# The first Python on the PATH that fits and can make an environment (Debian keeps ensurepip in a package of its own).
$(BIN)/python:
	@for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do \
	  "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || continue; \
	  fits=$$python; "$$python" -c 'import ensurepip' 2>/dev/null || continue; \
	  echo "setting up $(VENV) with $$("$$python" --version)"; exec "$$python" -m venv --clear $(VENV); \
	done; \
	if [ "$${fits:-}" ]; then echo "$$fits can't make environments: install its venv package (Debian, Ubuntu: apt-get install python3-venv)."; \
	else echo "Sakuga needs Python 3.11, 3.12 or 3.13. Install one, or name yours: make setup PYTHON=/path/to/python"; fi >&2; exit 1

TORCH = torch==2.13.0
TORCH_FROM = $(if $(PIP_FIND_LINKS),--find-links "$(PIP_FIND_LINKS)",--torch-backend=cpu)
UV = $$(test -x $(BIN)/uv && echo $(BIN)/uv || echo uv)
INSTALL_UV = @uv --version >/dev/null 2>&1 || test -x $(BIN)/uv || $(BIN)/python -m pip install -q --require-hashes -r requirements/uv.txt
INSTALL = @echo "installing what $< locks"; $(UV) pip install -q --python $(BIN)/python --require-hashes -r

# What the tests call, and Debian's package for it; libatomic is what playwright's own node is linked to.
system: $(DEV)
	@missing=; \
	need() { missing="$$missing $$1"; }; \
	command -v chromium >/dev/null || need chromium; \
	command -v ffprobe >/dev/null || need ffmpeg; \
	command -v curl >/dev/null || need curl; \
	command -v node >/dev/null || need nodejs; \
	[ "$$(uname)" != Linux ] || $(BIN)/python -c 'import ctypes; ctypes.CDLL("libatomic.so.1")' 2>/dev/null || need libatomic1; \
	fc-list 2>/dev/null | grep -q 'Noto Sans CJK' || need fonts-noto-cjk; \
	fc-list 2>/dev/null | grep -q 'Noto Color Emoji' || need fonts-noto-color-emoji; \
	[ "$$missing" ] || exit 0; \
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  echo "installing$$missing"; export DEBIAN_FRONTEND=noninteractive; \
	  apt-get update -qq && apt-get install -qq --no-install-recommends fontconfig $$missing >/dev/null; \
	elif command -v apt-get >/dev/null; then \
	  echo "The tests need more of this machine: sudo apt-get install fontconfig$$missing" >&2; exit 1; \
	else \
	  echo "The tests need more of this machine (names of Debian's packages):$$missing" >&2; exit 1; \
	fi

# A lock per process, with the same versions everywhere: the largest is made first and binds the others.
# New versions: make lock LOCK_ARGS=--upgrade
COMPILE = $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(LOCK_ARGS)

lock: $(DEV) ## write requirements/*.txt anew from pyproject.toml
	$(COMPILE) requirements/uv.in -o requirements/uv.txt
	$(COMPILE) --group dev --excludes requirements/cpu.in pyproject.toml -o requirements/dev.txt
	for role in demo api worker bot overlay; do \
	  $(COMPILE) --group $$role -c requirements/dev.txt pyproject.toml -o requirements/$$role.txt || exit 1; \
	done
	for peer in saq streaq taskiq; do \
	  $(COMPILE) requirements/peers-$$peer.in -o requirements/peers-$$peer.txt || exit 1; \
	done
	$(COMPILE) --group gpu -c requirements/dev.txt -o requirements/gpu.txt
	$(COMPILE) --group diffusion --group torch-cpu --excludes requirements/cpu.in -c requirements/dev.txt -o requirements/engines.txt

clean: ## remove .venv and caches; what the studio made stays in var/
	rm -rf $(VENV) .venv-peers .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
