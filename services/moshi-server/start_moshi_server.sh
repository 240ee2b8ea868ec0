#!/bin/bash
exec /opt/baker/bin/moshi-server-cuda-80 "$@"
