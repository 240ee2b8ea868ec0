#!/bin/sh
# setup00-secrets.sh ROOT: a hook of mmdebstrap, before anything is downloaded. It gives apt the CA bundle of BAKER_CA and
# the logins of BAKER_NETRC; customize99-secrets.sh takes them away again.
set -eu
root=$1
mkdir -p "$root/etc/apt/apt.conf.d" "$root/etc/apt/auth.conf.d"
if [ -n "${BAKER_CA-}" ]; then
  install --mode=0644 "$BAKER_CA" "$root/etc/apt/baker-ca.pem"
  echo "Acquire::https::CAInfo \"$root/etc/apt/baker-ca.pem\";" > "$root/etc/apt/apt.conf.d/baker-ca"
fi
if [ -n "${BAKER_NETRC-}" ]; then
  install --mode=0600 "$BAKER_NETRC" "$root/etc/apt/auth.conf.d/baker.conf"
fi
