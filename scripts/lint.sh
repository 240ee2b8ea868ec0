#!/usr/bin/env bash
# Runs the linters: all of them, or those named: python shell dockerfiles workflows.
# One that finds no file to look at fails: else a moved folder would pass for ever.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH

some() { [ "$2" -gt 0 ] || { echo "lint: $1 found no file to look at" >&2; exit 1; }; }

# The files of the project, whether committed yet or not.
files() { git ls-files --cached --others --exclude-standard -- "$@"; }

python() {
  some ruff "$(files '*.py' | wc -l)"
  ruff check
  ruff format --check
  mypy
}

shell() {
  local file scripts=()
  while read -r file; do
    [ -f "$file" ] && [ ! -L "$file" ] || continue
    if head -n 1 "$file" | grep -qE '^#!.*\b(ba|da)?sh$'; then scripts+=("$file"); fi
  done < <(files)
  some shellcheck ${#scripts[@]}
  shellcheck "${scripts[@]}"
  echo "shellcheck: ${#scripts[@]} scripts"
}

dockerfiles() {
  local base accel folder found=()
  folder=$(mktemp -d)
  # shellcheck disable=SC2064 # the folder's name of now
  trap "rm -rf '$folder'" EXIT
  for base in debian nvidia; do
    for accel in cuda cpu; do
      baker render --base "$base" --accel "$accel" --output "$folder/$base-$accel" > "$folder/log" 2>&1 ||
        { cat "$folder/log" >&2; exit 1; }
      found+=("$folder/$base-$accel/Dockerfile")
    done
  done
  some hadolint ${#found[@]}
  hadolint --config .hadolint.yaml "${found[@]}"
  echo "hadolint: ${#found[@]} Dockerfiles"
}

workflows() {
  if [ -d .github/workflows ]; then zizmor --offline .github/workflows; fi
}

[ $# -gt 0 ] || set -- python shell dockerfiles workflows
for what in "$@"; do
  case $what in
    python | shell | dockerfiles | workflows) "$what" ;;
    *) echo "lint: there is no '$what'; there are: python shell dockerfiles workflows" >&2; exit 2 ;;
  esac
done
