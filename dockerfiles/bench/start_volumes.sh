#!/bin/bash
# Five cache volumes: copy the binary that an earlier start compiled into one of them, and compile where there is none.
# It does not look at the binary's version: whoever upgrades removes it first. Runs under `uv run --locked`.
set -eu

compiled=/app/target/release/$BENCH_BINARY
binary=/root/.cargo/bin/$BENCH_BINARY

if [ -x "$compiled" ]; then
  install -D "$compiled" "$binary"
else
  CARGO_TARGET_DIR=/app/target \
    cargo install --locked ${BENCH_FEATURES:+--features "$BENCH_FEATURES"} "$BENCH_CRATE@$BENCH_VERSION"
fi
exec /app/start_binary.sh "$binary" "$@"
