#!/bin/bash
# start_binary.sh BINARY ARGUMENTS...: becomes the binary. Without a driver the toolkit's stub lets a CUDA build load.
set -eu

if [ -e /stubs/libcuda.so.1 ] && ! ldconfig -p | grep -q 'libcuda\.so\.1'; then
  export LD_LIBRARY_PATH=/stubs
fi
exec "$@"
