# Names for commands; each does the set-up that it needs. `make images ARGS="--base debian"` passes more to baker,
# `make e2e ARGS="-k stt"` to pytest.
.DEFAULT_GOAL := help
.PHONY: help images test render lint unit docker e2e bench publish-local lock setup venv clean

PYTEST := BAKER_NO_SKIP=1 .venv/bin/python -m pytest

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

images: setup ## build the images of stt and tts
	.venv/bin/baker build stt tts $(ARGS)

test: setup ## build the images and run all tests that need no GPU; one that would be skipped fails
	.venv/bin/baker build stt tts
	$(PYTEST) tests/unit tests/docker tests/e2e $(ARGS)

render: venv ## write the Dockerfile and docker-bake.json to .baker/render
	.venv/bin/baker render --output .baker/render $(ARGS)

lint: venv ## ruff, mypy, shellcheck, hadolint, zizmor
	scripts/lint.sh $(ARGS)

unit: venv ## the tests that need no Docker
	$(PYTEST) tests/unit $(ARGS)

docker: setup ## the tests with an engine and a small crate
	$(PYTEST) tests/docker $(ARGS)

e2e: setup ## the tests of the images that `make images` made
	$(PYTEST) tests/e2e $(ARGS)

bench: setup ## measure three ways to start; ARGS="--quick" with a small crate, ARGS="sizes start rebuild" the images
	.venv/bin/baker bench $(ARGS)

publish-local: setup ## publish stt to a registry on this machine, signed and checked, as CI publishes it
	$(PYTEST) tests/e2e/test_publishing.py $(ARGS)

lock: venv ## resolve requirements.lock anew from pyproject.toml
	scripts/lock.sh $(ARGS)

setup: ## the virtual environment, and buildx, compose, mmdebstrap where they are missing
	@scripts/setup.sh

venv:
	@scripts/setup.sh venv

clean: ## remove .venv and caches of tools; images, logs and models stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache
	find baker tests -name __pycache__ -type d -prune -exec rm -rf {} +
