# shellcheck shell=bash
# The config: moshi-health reads it, as the server will, and prints what matters here (probe/src/needs.rs).

# config_missing: ends the start when the config is not there, and says what is.
config_missing() {
  local folder=. one there='' place=$config
  [[ ! -f $config || ! -r $config ]] || return 0
  [[ ! -f $config ]] || die 53 config-missing "uid $EUID cannot read $config: \`chmod a+r\` on the file mounted there"
  [[ ! -d $config ]] || die 53 config-missing "$config is a folder: Docker makes one when there is nothing on the host" \
    "where the mounted file should be"
  [[ $config != */* ]] || folder=${config%/*}
  [[ $config == /* ]] || place=$PWD/$config
  for one in "$folder"/*.toml; do
    [[ ! -f $one ]] || there+="${there:+, }${one##*/}"
  done
  die 53 config-missing "there is no $config, seen from $PWD${there:+ ($folder has $there)}: mount the file, as in" \
    "--volume ./${config##*/}:$place:ro, or put it into services/$BAKER_SERVICE/configs and build the image again"
}

# read_config: asks what the config makes the server do. What cannot be read is left to the server, which says why.
read_config() {
  local told line value day
  local -x TZ=UTC0
  if ! told=$("$tool" config "$config" 2>&1); then
    note "nothing is checked beforehand: $told"
    return
  fi
  while IFS= read -r line; do
    value=${line#* }
    case ${line%% *} in
      file) files+=("$value") ;;
      log-folder) folders+=("$value") ;;
      log-file) printf -v day '%(%Y-%m-%d)T' -1 && log=$value.$day ;;
      voice-folder) voices=("${value%/}/" "${voices[@]}") ;;
      voice) voices+=("$value") ;;
      bf16) bf16=1 ;;
      device) [[ ${value##* } == cpu ]] || on_card=1 ;;
      keys) keys=$value ;;
      anonymous) anonymous=$value ;;
    esac
  done <<<"$told"
}

# on_cpu: writes a copy of the config in which everything computes on the CPU. A Python script chooses its device by the
# config alone, so that --cpu would not reach it.
on_cpu() {
  local folder
  for folder in /tmp /dev/shm; do
    folder=$(mktemp --directory "$folder/moshi-config.XXXXXX" 2>/dev/null) || continue
    derived=$folder/${config##*/}
    "$tool" config --cpu "$config" >"$derived" 2>/dev/null && return
  done
  die 56 no-room-for-config "$config gives a Python script a card, and there is no place for a copy of it with" \
    "device = \"cpu\": write that into the config's \`py\` table, or mount a tmpfs at /tmp"
}

# say_keys: warns of a config by which nobody can connect.
say_keys() {
  [[ $keys == 0 ]] || return 0
  if [[ $anonymous != true ]]; then
    note "authorized_ids in $config is empty: every client is turned away"
  elif [[ $version == 0.6.4 ]]; then
    note "moshi-server $version does not know allow_anonymous, and authorized_ids in $config is empty: every client is" \
      "turned away"
  fi
}
