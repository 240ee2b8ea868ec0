# Names for commands; each does the set-up that it needs. `make images ARGS="--base debian"` passes more to baker,
# `make e2e ARGS="-k stt"` to pytest.
.DEFAULT_GOAL := help
.PHONY: help images test check render lint unit system-python docker e2e nightly matrix bench publish-local lock reference package docs setup emulation browser arm64 venv clean

# Where it is set, as in many containers, Python compiles baker and its libraries at each start, which doubles that.
unexport PYTHONDONTWRITEBYTECODE

PYTEST := BAKER_NO_SKIP=1 .venv/bin/python -m pytest
# Tests with an engine wait more than they work: four at a time on two cores too.
SPREAD := -n 4 --durations=20

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

images: setup ## build the images of stt and tts
	.venv/bin/baker build stt tts $(ARGS)

test: setup emulation browser ## build the images and run all tests that need no GPU; one that would be skipped fails
	$(PYTEST) -n 2 tests/unit
	.venv/bin/baker build stt tts
	scripts/suites.sh $(SPREAD) $(ARGS)

check: venv ## lint, and the tests that need no Docker, side by side: for the loop of a change
	@bash -c '$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint unit ARGS= && echo "check: $$SECONDS s"'

render: venv ## write the Dockerfile and docker-bake.json to .baker/render
	.venv/bin/baker render --output .baker/render $(ARGS)

lint: venv ## ruff, mypy, shellcheck, hadolint, zizmor, links of the documentation
	scripts/lint.sh $(ARGS)

unit: venv ## the tests that need no Docker
	$(PYTEST) -q -n 2 tests/unit $(ARGS)

system-python: venv ## the unit tests with /usr/bin/python3, which may be older than the one of .venv
	.venv/bin/uv venv --quiet --clear --python /usr/bin/python3 .venv/system
	.venv/bin/uv pip install --quiet --python .venv/system --require-hashes --requirement requirements.lock
	BAKER_NO_SKIP=1 PYTHONPATH=$(CURDIR) .venv/system/bin/python -m pytest -q -n 2 tests/unit $(ARGS)

docker: setup emulation ## the tests with an engine and a small crate
	$(PYTEST) $(SPREAD) tests/docker $(ARGS)

e2e: setup browser ## the tests of the images that `make images` made
	$(PYTEST) $(SPREAD) tests/e2e $(ARGS)

nightly: setup emulation ## the tests that take minutes each: another platform, a newer Rust, stand-ins of NVIDIA's images
	.venv/bin/baker build stt tts
	scripts/suites.sh $(SPREAD) -m nightly $(ARGS)

matrix: setup ## one short scenario on Docker 20.10, 26.1 and 28.5 of Debian, and on podman, which are brought up for it; as root
	$(PYTEST) --durations=20 tests/matrix $(ARGS)

bench: setup ## measure three ways to start; ARGS="--quick" with a small crate, ARGS="sizes start rebuild" the images
	.venv/bin/baker bench $(ARGS)

publish-local: setup ## publish stt to a registry on this machine, signed and checked, as CI publishes it
	$(PYTEST) tests/e2e/test_publishing.py $(ARGS)

lock: venv ## resolve requirements.lock anew from pyproject.toml
	scripts/lock.sh $(ARGS)

reference: venv ## write what is made from the code: schemas, settings, docs/commands.md, the manual page, completions
	.venv/bin/python -m baker.cli.reference

package: venv ## build the wheel and the sdist into dist/
	.venv/bin/python -m hatchling build --clean --directory dist

docs: venv ## build the documentation as a site into site/; a link that leads nowhere fails
	scripts/lint.sh docs

arm64: setup emulation ## build stt and tts for linux/arm64 on x86-64, and let them run by emulation; about an hour
	.venv/bin/baker build stt tts --cuda 13.0 --platform linux/arm64 $(ARGS)
	BAKER_STT_IMAGE=baker/stt:latest-arm64 BAKER_TTS_IMAGE=baker/stt:latest-arm64 $(PYTEST) tests/e2e/test_stt.py -k any_user

emulation: ## qemu, for tests and images of another platform
	@scripts/setup.sh emulation

setup: ## the virtual environment, and buildx, compose, mmdebstrap where they are missing
	@scripts/setup.sh

browser:
	@scripts/setup.sh browser

venv:
	@scripts/setup.sh venv

clean: ## remove .venv and caches of tools; images, logs and models stay
	rm -rf .venv site .cache .mypy_cache .pytest_cache .ruff_cache
	find baker tests -name __pycache__ -type d -prune -exec rm -rf {} +
