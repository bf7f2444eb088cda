# `make` alone prints the targets. Everything is set up in .venv from locked requirements; no target but
# `test` and `real` needs root, and they only for what they do with real mail servers.

BIN := .venv/bin
RUN := .venv/.run
DEV := .venv/.dev
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
FAST := $(BIN)/pytest -q -m "not slow and not real and not real_more"
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header pyproject.toml

.PHONY: help demo check format lint types fast fast-doors fast-inside docs docs-check man deb test coverage sim real-main real screenshots fuzz corpus harm bench lock tidy clean

help: ## print this
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(RUN) ## the service at work in a small internet on this machine; KEEP=1 stays up
	@$(BIN)/ringback demo $(if $(KEEP),--keep)

check: $(DEV) ## the fast gate: format, lint, types, layers, fast tests, docs; under a minute
	@$(MAKE) --no-print-directory --keep-going --jobs=2 --output-sync=target fast-doors fast-inside types format lint docs-check

format: $(DEV)
	$(BIN)/ruff format --check .

lint: $(DEV)
	$(BIN)/ruff check .

types: $(DEV)
	$(BIN)/mypy

# Two halves, since two processors are common. What pytest compiles, it keeps, whatever the environment says.
fast-%: export PYTHONDONTWRITEBYTECODE =

fast: fast-doors fast-inside ## the fast tests

fast-doors: $(DEV)
	$(FAST) tests/doors

fast-inside: $(DEV)
	$(FAST) --ignore=tests/doors

docs: $(DEV) ## write the generated pages of docs/ again
	$(BIN)/python tools/phrases.py
	$(BIN)/python tools/reference.py
	$(BIN)/python tools/scenarios.py
	$(BIN)/python tools/example.py

docs-check: $(DEV) ## are the generated pages of docs/ those of the code?
	$(BIN)/python tools/phrases.py --check
	$(BIN)/python tools/reference.py --check
	$(BIN)/python tools/scenarios.py --check
	$(BIN)/python tools/example.py --check

man: $(RUN) ## manual pages and shell completion, into build/man
	$(BIN)/python -m tools.manual build/man

deb: $(RUN) ## a Debian package for the Python of this system, into dist; PYTHON=/path for another
	$(BIN)/python -m tools.deb dist $(PYTHON)

test: check coverage sim real-main ## everything: the gate, slow tests, coverage, a real Postfix and a real Exim

coverage: $(DEV) ## all tests without real servers, and what they leave out
	$(BIN)/coverage run -m pytest -q -m "not real and not real_more" --ignore=tests/sim
	$(BIN)/python tools/coverage_gate.py

sim: $(DEV) ## traces made to break the budgets, in virtual time
	$(BIN)/pytest -q tests/sim

real-main: $(DEV)
	$(BIN)/pytest -q -m real

real: $(DEV) ## every other real server of Debian's; needs root
	$(BIN)/pytest -q -m real_more

screenshots: $(DEV) ## the pictures of docs/dashboard.md, anew; needs root
	mkdir -p docs/screenshots
	SCREENSHOTS=docs/screenshots $(BIN)/pytest -q -m real_more -k pictures tests/real/test_dashboard.py

fuzz: $(DEV) ## every parser, for minutes
	$(BIN)/pytest -q tests/fuzz --hypothesis-profile=long

corpus: $(DEV) ## the classifier against a labelled corpus: make corpus CORPUS=file.jsonl
	$(BIN)/python tools/corpus.py $(CORPUS)

harm: $(DEV) ## what callouts cost innocents, beside models of others; minutes: make harm HARM="--seeds 5"
	$(BIN)/python tools/harm.py $(HARM)

bench: $(DEV) ## beside Exim, Postfix and others, in one world; needs root; minutes: make bench BENCH="--rounds 5"
	PYTHONPATH=tests $(BIN)/python -m bench $(BENCH)

lock: $(DEV) ## choose the versions of all requirements anew
	$(PIP) uv
	$(LOCK) --extra fast --group build --output-file requirements.txt $(UPGRADE)
	$(LOCK) --extra fast --constraint requirements.txt --output-file packaging/requirements.txt
	$(LOCK) --extra fast --group build --group dev --output-file requirements-dev.txt $(UPGRADE)

tidy: $(DEV) ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove .venv, caches and fetched mail servers
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage build dist

.venv/.made: tools/venv
	@tools/venv
	@touch $@

# The package itself is a link to src/, made without asking any index.
$(RUN): .venv/.made requirements.txt pyproject.toml
	$(PIP) --require-hashes --requirement requirements.txt
	$(PIP) --no-index --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): $(RUN) requirements-dev.txt
	$(PIP) --require-hashes --requirement requirements-dev.txt
	@touch $@
