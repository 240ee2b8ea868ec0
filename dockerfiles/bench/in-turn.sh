#!/bin/bash
# in-turn.sh ROUNDS BINARY LIBRARY_PATH ARGUMENTS...: runs in the image the start script and the bare binary in turn,
# after one of each that does not count, and prints a line a round: the microseconds of both.
set -eu
rounds=$1 binary=$2 library_path=$3
shift 3

# timed COMMAND...: sets took to its microseconds. It fails, for want of a model, by design.
timed() {
  local begun=${EPOCHREALTIME/[.,]/}
  "$@" > /dev/null 2>&1 || true
  took=$((${EPOCHREALTIME/[.,]/} - begun))
}

bare() { LD_LIBRARY_PATH=$library_path "$binary" "$@"; }

timed bare "$@"
for ((round = 0; round <= rounds; round++)); do
  timed /app/start_moshi_server.sh "$@"
  ours=$took
  timed bare "$@"
  ((round == 0)) || echo "$ours $took"
done
