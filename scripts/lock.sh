#!/usr/bin/env bash
# Writes requirements.lock: everything that .venv holds, with hashes, for every Python and platform that we support.
# The build backend is in it too, so that `pip install --editable .` fetches nothing by itself.
set -euo pipefail
cd "$(dirname "$0")/.."
{
  .venv/bin/python -c 'import tomllib
print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")'
  echo editables # what hatchling asks for when the install is editable
} | .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --group pyproject.toml:dev \
  --custom-compile-command "make lock" --output-file requirements.lock "$@" pyproject.toml -
