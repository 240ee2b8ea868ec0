#!/bin/sh
# Stands in for the start script, and for a binary that has a --help.
[ "$1" = worker ] && shift
cd /app && exec python3 worker "$@"
