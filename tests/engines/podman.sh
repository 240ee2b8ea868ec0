#!/bin/sh
# podman.sh ROOT: hold the namespaces that podman and its containers run in, with the /usr of ROOT, until it is killed.
#
# It is run as the first process of its own process and mount namespaces.
set -eu
mount --make-rprivate /
# crun takes one hierarchy of control groups, or one for each controller, and no mixture.
umount /sys/fs/cgroup/unified 2> /dev/null || true
mount --bind "$1/usr" /usr
echo ready
exec sleep infinity
