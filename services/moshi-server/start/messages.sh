# shellcheck shell=bash
# What several messages have in common. docs/fallback.md lists all of them.

note() { printf 'moshi-server: note: %s\n' "$*" >&2; }

# What the kernel says of this container; on their own, so that tests can say something else.
id_map() { printf '%s' "$(</proc/self/"$1"_map)"; }
security_label() { { tr -d '\0' </proc/self/attr/current; } 2>/dev/null; }

# outside uid|gid ID: sets REPLY to what the host calls an id of this container; empty when it has no name there.
outside() {
  local inside first count map
  map=$(id_map "$1")
  REPLY=''
  [[ -n $map ]] || REPLY=$2
  while read -r inside first count; do
    [[ -z $count ]] || (($2 < inside || $2 >= inside + count)) || REPLY=$((first + $2 - inside))
  done <<<"$map"
}

# owner_hint: how a mounted folder becomes writable, the end of a message. In a user namespace, which rootless Docker
# and userns-remap make, the host has other numbers for the same owner.
owner_hint() {
  local uid group owner
  outside uid "$EUID"
  uid=$REPLY
  outside gid "$gid"
  group=$REPLY
  outside uid 0
  owner=$REPLY
  if [[ $uid == "$EUID" && $group == "$gid" ]]; then
    printf '%s' "run \`chown -R $EUID:$gid\` on the folder or volume mounted there, or start with the uid that owns it"
  else
    printf '%s' "this container is in a user namespace (rootless Docker, or userns-remap), where uid $EUID is" \
      " ${uid:-unknown} on the host: run \`chown -R $uid:$group\` on the host as root, or let a container do it," \
      " \`docker run --rm --user 0 --entrypoint chown --volume FOLDER:/x IMAGE -R $EUID:$gid /x\`"
    # Rootless: root in here is the user who runs Docker.
    [[ -z $owner || $owner == 0 || $((uid - owner)) -eq $EUID ]] ||
      printf '%s' "; or start with --user 0, which is uid $owner on the host and no root there"
  fi
  [[ $(security_label) != *:*container*_t:* ]] ||
    printf '%s' "; and with SELinux, which is on here, a folder of the host is mounted with :z, as in" \
      " --volume ./models:/root/.cache/huggingface:z"
}
