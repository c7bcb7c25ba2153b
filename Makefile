# Everything runs in .venv, made on first use from the pinned lock; .scenewise holds models, the vLLM environment and the demo store.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
RUN := .venv/bin/python -m
export SCENEWISE_HOME := $(CURDIR)/.scenewise
export HF_HUB_OFFLINE := 1

.PHONY: help demo test chromium fast check lint setup lock clean

help: ## what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/'

setup: ## the app's environment (done by every other target)
	@test -n "$(PYTHON)" || { echo "set-up stopped: Python 3.11 was not found: install python3.11"; exit 1; }
	@"$(PYTHON)" service/bootstrap.py

demo: setup ## set everything up and hold a conversation on real data
	@$(RUN) scenewise demo

test: setup ## the whole test suite, with the real small model through a real vLLM and a local Ray cluster
	@"$(PYTHON)" service/bootstrap.py --with distributed browser
	@$(MAKE) --no-print-directory chromium
	@$(RUN) scenewise demo --only-set-up
	@$(RUN) pytest

chromium: # the tests of the page need one; it is installed where that can be done, else they say why they are skipped
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && export DEBIAN_FRONTEND=noninteractive \
	&& apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	|| echo "no Chromium, and it cannot be installed here: the tests of the page in a browser are skipped (Debian: apt-get install chromium)"

fast: setup ## the tests that need neither an LLM nor long
	@$(RUN) pytest -m "not slow and not llm"

lint: setup ## ruff, mypy --strict, import-linter
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@.venv/bin/python -c "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"

check: lint test ## lint, then all tests

lock: setup ## make the lock files again (needs uv)
	@.venv/bin/python service/locks/make_locks.py

clean: ## remove environments, models and the demo store
	rm -rf .venv .scenewise
