#!/usr/bin/env bash
# suites.sh ARGUMENTS: the tests that take an engine, with these arguments of pytest. In one run, which is quicker, where
# the machine's engine does for all of them; else tests/docker, which brings up its own, and then tests/e2e.
#
# Four workers share two cores with compilers, browsers and engines. Where a few tests fail, they are run once more, one
# at a time; both outcomes are printed, and the second one counts. A fault of the engine fails all that build meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
few=30
export BAKER_NO_SKIP=1

cache=$(mktemp -d)
trap 'rm -rf "$cache"' EXIT

# run ARGUMENTS: pytest, and what failed once more.
run() {
  local status=0 failed
  rm -rf "${cache:?}"/*
  $python -m pytest -o cache_dir="$cache" "$@" || status=$?
  [ $status -eq 1 ] || return $status
  failed=$($python -c 'import json, sys; print(len(json.load(open(sys.argv[1]))))' "$cache/v/cache/lastfailed")
  [ "$failed" -le $few ] || return 1
  printf '\nfailed beside others: %s; once more, one at a time\n' "$failed"
  $python -m pytest -o cache_dir="$cache" "$@" --numprocesses=0 --last-failed --last-failed-no-failures=none
}

if ! $python -m tests.engines.own; then
  run tests/docker tests/e2e "$@"
  exit
fi

# As -k may leave nothing of one of them, pytest's 5 for that is a fault only where it is both.
small=0 images=0
run tests/docker "$@" || small=$?
[ $small -ne 2 ] || exit 2 # Ctrl-C
run tests/e2e "$@" || images=$?
for status in $small $images; do
  [ "$status" -eq 0 ] || [ "$status" -eq 5 ] || exit "$status"
done
[ "$small" -eq 0 ] || exit "$images"
