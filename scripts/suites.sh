#!/usr/bin/env bash
# suites.sh ARGUMENTS: the tests that take an engine, with these arguments of pytest. In one run, which is quicker, where
# the machine's engine does for all of them; else tests/docker, which brings up its own, and then tests/e2e.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
export BAKER_NO_SKIP=1

$python -m tests.engines.own || exec $python -m pytest tests/docker tests/e2e "$@"

# As -k may leave nothing of one of them, pytest's 5 for that is a fault only where it is both.
small=0 images=0
$python -m pytest tests/docker "$@" || small=$?
[ $small -ne 2 ] || exit 2 # Ctrl-C
$python -m pytest tests/e2e "$@" || images=$?
for status in $small $images; do
  [ "$status" -eq 0 ] || [ "$status" -eq 5 ] || exit "$status"
done
[ "$small" -eq 0 ] || exit "$images"
