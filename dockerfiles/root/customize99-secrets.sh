#!/bin/sh
# customize99-secrets.sh ROOT: a hook of mmdebstrap, when all is installed. It removes what setup00-secrets.sh wrote.
set -eu
rm -f "$1/etc/apt/baker-ca.pem" "$1/etc/apt/apt.conf.d/baker-ca" "$1/etc/apt/auth.conf.d/baker.conf"
