#!/bin/sh
# start.sh ROOT FOLDER ADDRESS/PORTS|none [PORT]: run a Docker engine of another Debian suite.
#
# It is run as the first process of its own process and mount namespaces: when it ends, so does all that it started,
# and all mounts go. ROOT has the unpacked packages, FOLDER the engine's daemon.json and sockets. PORTS of the engine's
# network are those of the host at ADDRESS, or none are; the host's PORT on 127.0.0.1 is the engine's.
set -eu
root=$1 folder=$2 published=$3 port=${4:-none}

# Before /usr is another one: then `mount` is ROOT's, too.
mount --make-rprivate /
# The same as tests/engines/network.py does.
servers=/run/systemd/resolve/resolv.conf
if [ -e "$servers" ] && grep -q '^nameserver 127\.' /etc/resolv.conf; then mount --bind "$servers" /etc/resolv.conf; fi
mount --bind "$root/usr" /usr
PATH=$folder/bin:/usr/sbin:/usr/bin
export PATH
mkdir "$folder/bin"
# Debian's alternatives are links that only installing makes.
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
  ln -s /usr/sbin/xtables-nft-multi "$folder/bin/$name"
done

# A network of its own: in the host's, an engine removes docker0 and the port rules of the engine that is there. passt
# needs no rule and no interface of the host.
net=$folder/net
touch "$net"
unshare "--net=$net" true
"$folder/programs/pasta" --netns-only --runas 0 --config-net --foreground --quiet --tcp-ports "$published" --tcp-ns "$port" \
  --udp-ports none --udp-ns none --netns "$net" &
within() { nsenter "--net=$net" "$@"; }
if [ "$published" != none ]; then
  # What Docker publishes without a wish for a port.
  range=${published#*/}
  within sh -c "echo ${range%-*} ${range#*-} > /proc/sys/net/ipv4/ip_local_port_range"
fi
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  # pasta has made the interface when there is a route.
  if within sh -c 'read -r _ && read -r _' < /proc/net/route; then break; fi
  sleep 0.1
done
within dockerd --config-file "$folder/daemon.json" &
wait $!
