#!/bin/bash
# Compile at start, as upstream's compose service does; beside it on purpose: --locked, so that it compiles at all, and
# no unpinned tool that logs in to the model hub. Runs under `uv run --locked`, which has made the venv by now.
set -eu

cargo install --locked ${BENCH_FEATURES:+--features "$BENCH_FEATURES"} "$BENCH_CRATE@$BENCH_VERSION"

# The moshi wheel brings a script of the same name, so that the path has to be whole.
exec /app/start_binary.sh "/root/.cargo/bin/$BENCH_BINARY" "$@"
