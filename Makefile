# Every target makes and uses its own virtual environment in .venv.

PYTHON ?= python3
BIN := .venv/bin

# Most tests wait for programs most of the time. A file is run by one worker, whose tests share
# servers and browsers; tests/conftest.py says in which order.
WORKERS ?= 4

# What `make results` does: all scenarios that often, each for so many seconds.
REPEAT ?= 3
DURATION ?= 10

.DEFAULT_GOAL := help
.PHONY: help setup demo test peers images check results media-servers networks browsers figures pictures clean

help:  ## say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/make \1\t\2/'

setup: .venv/.installed  ## install ballstream and its development tools into .venv

.venv/.installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: setup  ## close the loop for ten seconds; on a bad network with IMPAIR='delay=40ms,loss=2%'
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	$(BIN)/ballstream-client -s unix-socket --signaling-path "$$folder/socket" --duration 10 \
		>"$$folder/client" 2>&1 & \
	$(BIN)/ballstream-server -s unix-socket --signaling-path "$$folder/socket" --sessions 1 \
		$(if $(IMPAIR),--impair '$(IMPAIR)'); \
	status=$$?; wait; echo; echo 'What the client said:'; cat "$$folder/client"; exit $$status

test: setup  ## run the tests, but those of other programs and of the container images
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder \
		-m 'not images and not peers'

peers: setup  ## play in programs of other makes; RECORD=docs/peers.json writes down how they fared
	$(BIN)/python -m pytest -m peers tests/peers $(if $(RECORD),--record $(RECORD))

images: setup  ## build the container images and run their tests; needs Podman as root
	$(BIN)/python -m pytest -m images tests/deploy

check: setup  ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

results: setup  ## measure what README and docs quote, into docs/results.json
	$(BIN)/python docs/measure.py --repeat $(REPEAT) --duration $(DURATION)

media-servers: setup  ## measure what Janus adds, which has to run, into docs/media-servers.json
	$(BIN)/python docs/media_servers.py

networks: setup  ## measure the loop on bad networks, into docs/networks.json; takes two hours
	$(BIN)/python docs/networks.py

browsers: setup  ## measure the page in Chromium and Firefox, into docs/browsers.json
	$(BIN)/python docs/browsers.py --repeat $(REPEAT) --seconds $(DURATION)

figures: setup  ## write the figures of README and docs from what was measured
	$(BIN)/python docs/figures.py

pictures: setup  ## make the pictures of the README from a real run; needs Chromium
	$(BIN)/python docs/pictures.py

clean:  ## remove what the other targets made
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
