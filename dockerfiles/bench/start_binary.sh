#!/bin/bash
# start_binary.sh BINARY ARGUMENTS...: becomes the binary, which finds its libpython as upstream lets it. Without a driver
# the toolkit's stub lets a CUDA build load.
set -eu

LD_LIBRARY_PATH=$(python3 -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))')
if [ -e /stubs/libcuda.so.1 ] && ! ldconfig -p | grep -q 'libcuda\.so\.1'; then
  LD_LIBRARY_PATH+=:/stubs
fi
export LD_LIBRARY_PATH
exec "$@"
