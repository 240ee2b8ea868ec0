#!/usr/bin/env bash
# Runs the linters: all of them, or those named: python imports shell dockerfiles workflows docs.
# One that finds no file to look at fails: else a moved folder would pass for ever.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH

some() { [ "$2" -gt 0 ] || { echo "lint: $1 found no file to look at" >&2; exit 1; }; }

# The files of the project, whether committed yet or not.
files() { git ls-files --cached --others --exclude-standard -- "$@"; }

python() {
  local smoke=(dockerfiles/smoke/*.py)
  some ruff "$(files '*.py' | wc -l)"
  ruff check
  ruff format --check
  mypy
  # Runs on machines with a card, whatever Python they have.
  vermin --quiet --no-tips --target=3.8- --violations "${smoke[@]}"
}

imports() { lint-imports --no-logo; }

shell() {
  local file scripts=()
  while read -r file; do
    [ -f "$file" ] && [ ! -L "$file" ] || continue
    if head -n 1 "$file" | grep -qE '^#!.*\b(ba|da)?sh$'; then scripts+=("$file"); fi
  done < <(files)
  # Bash sources it by its name: it has no first line that says what reads it.
  scripts+=(share/bash-completion/completions/baker)
  some shellcheck ${#scripts[@]}
  # Also what a script sources, as the start script does its parts.
  shellcheck --check-sourced "${scripts[@]}"
  echo "shellcheck: ${#scripts[@]} scripts"
}

# The golden files: tests/unit holds them against what baker renders, for each base, accel, platform and CUDA.
dockerfiles() {
  local found
  mapfile -t found < <(files 'tests/unit/dockerfile/golden/*.Dockerfile')
  some hadolint ${#found[@]}
  hadolint --config .hadolint.yaml "${found[@]}"
  echo "hadolint: ${#found[@]} Dockerfiles"
}

# The schemas of GitHub, GitLab and Renovate are in check-jsonschema: it asks nobody.
schema() { check-jsonschema --quiet --builtin-schema "vendor.$1" "${@:2}"; }

workflows() {
  local found
  # The example is a workflow too. An sdist has no .github.
  mapfile -t found < <(files docs/ci/github-lock.yml '.github/workflows/*.yml')
  some zizmor ${#found[@]}
  zizmor --offline "${found[@]}"
  schema github-workflows "${found[@]}"
  schema gitlab-ci --data-transform gitlab-ci docs/ci/gitlab-ci.yml
  [ -d .github ] || return 0
  schema github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/card.yml
  schema github-issue-config .github/ISSUE_TEMPLATE/config.yml
  schema renovate renovate.json
}

# Zensical ends in a traceback where a link leads nowhere; what it printed before says which one.
docs() {
  local output
  output=$(zensical build --clean --strict 2>&1) ||
    { sed -e '/^Traceback/,$d' -e 's/\x1b\[[0-9;]*m//g' <<< "$output" >&2; exit 1; }
  some zensical "$(find site -name index.html | wc -l)"
  echo "zensical: $(find site -name index.html | wc -l) pages in site/"
}

[ $# -gt 0 ] || set -- python imports shell dockerfiles workflows docs
for what in "$@"; do
  case $what in
    python | imports | shell | dockerfiles | workflows | docs) "$what" ;;
    *) echo "lint: there is no '$what'; there are: python imports shell dockerfiles workflows docs" >&2; exit 2 ;;
  esac
done
