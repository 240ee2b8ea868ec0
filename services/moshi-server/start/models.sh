# shellcheck shell=bash
# The models of Hugging Face: whether they are there or can come, and the token to fetch them with.

# in_cache NAME: true when hf-hub finds hf://ORG/REPO/FILE without network, by refs/main; of a snapshot its folder
# counts. Sets folder to the repository's.
in_cache() {
  local path=${1#*://} org repo commit=
  org=${path%%/*} path=${path#*/}
  repo=${path%%/*} path=${path#"$repo"} path=${path#/}
  folder=$hub/models--$org--$repo
  # Snapshots are Python's, which looks at these; hf-hub does not.
  [[ $1 != hf-snapshot://* ]] || folder=${HF_HUB_CACHE:-${HUGGINGFACE_HUB_CACHE:-$hub}}/models--$org--$repo
  [[ -r $folder/refs/main ]] && read -r commit <"$folder/refs/main"
  [[ $1 != hf-snapshot://* ]] || path=.
  [[ -n $commit && -e $folder/snapshots/$commit/$path ]]
}

# offline: true when the hub certainly cannot be reached. Behind a proxy only the server can tell.
offline() {
  local url=${HF_ENDPOINT:-https://huggingface.co} host port=443
  [[ ${HF_HUB_OFFLINE-} =~ ^(1|[Tt][Rr][Uu][Ee]|[Yy][Ee][Ss]|[Oo][Nn])$ ]] && return 0
  [[ -z ${HTTPS_PROXY-}${https_proxy-}${HTTP_PROXY-}${http_proxy-}${ALL_PROXY-}${all_proxy-} ]] || return 1
  [[ $url == http://* ]] && port=80
  host=${url#*://} host=${host%%/*} host=${host##*@}
  [[ $host =~ ^(.*):([0-9]+)$ ]] && host=${BASH_REMATCH[1]} port=${BASH_REMATCH[2]}
  # shellcheck disable=SC2016 # the inner bash expands its own arguments
  ! timeout 10 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "${host//[][]/}" "$port" 2>/dev/null
}

# models: ends the start when a file is neither in the cache nor can come into it.
models() {
  local one missing='' count=0 folder place='' url=${HF_ENDPOINT:-https://huggingface.co}
  for one in "${files[@]}"; do
    in_cache "$one" && continue
    ((count++)) || missing=$one place=$folder
  done
  ((count)) || return
  ((count == 1)) || missing+=" and $((count - 1)) more"
  while [[ ! -e $place && $place == */* ]]; do place=${place%/*}; done
  if [[ ! -w ${place:-/} ]]; then
    die 49 cache-not-writable "uid $EUID cannot write to $place, and $missing is not there: $(owner_hint)"
  fi
  if offline; then
    # A login in the address is nobody's business.
    [[ $url != *://*@* ]] || url=${url%%://*}://${url##*@}
    die 51 models-missing "not in $hub: $missing; and $url cannot be" \
      "reached${HF_HUB_OFFLINE:+ (HF_HUB_OFFLINE=$HF_HUB_OFFLINE)}: \`baker models pull\`, or one start with network," \
      "fetches it"
  fi
}

# mirror: keeps Python's client of the hub at a mirror. Xet's servers are named by the mirror's answers, and are others.
mirror() {
  [[ -z ${HF_ENDPOINT-} || ${HF_ENDPOINT%/} == https://huggingface.co || -n ${HF_HUB_DISABLE_XET+set} ]] ||
    export HF_HUB_DISABLE_XET=1
}

# voices: ends the start when a local folder of voices, or the default voice in it, is missing.
voices() {
  local one
  local -a matching
  for one in "${voices[@]}"; do
    if [[ $one == */ ]]; then
      [[ -d $one ]] || die 57 voices-missing "there is no folder ${one%/}, which $config has as voice_folder: mount it"
    else
      matching=("$one"*)
      [[ -e ${matching[0]} ]] ||
        die 57 voices-missing "there is no $one*, which $config has as default_voice: put that voice there, or name" \
          "one that is there"
    fi
  done
}

# keep_token FOLDER TOKEN: writes a token to where hf-hub reads it.
keep_token() {
  (
    umask 077
    rm -f "$1/token"
    mkdir -p "$1"
    set -C
    printf '%s' "$2" >"$1/token"
  ) 2>/dev/null
}

# token: gives the token to hf-hub, which reads a file and looks at no variable. One that is there already and differs
# stays: the folder may be somebody's own cache, with their login.
token() {
  local file=$home/token wish=${HF_TOKEN-} other=${HUGGING_FACE_HUB_TOKEN-} have='' from own=/tmp/moshi-huggingface
  wish=${wish//[[:space:]]/} other=${other//[[:space:]]/}
  [[ -z $wish || -z $other || $wish == "$other" ]] ||
    note "HF_TOKEN and HUGGING_FACE_HUB_TOKEN differ: HF_TOKEN is taken"
  wish=${wish:-$other}
  for from in "${HF_TOKEN_FILE-}" "${HF_TOKEN_PATH-}" /run/secrets/hf_token; do
    [[ -z $wish && -n $from && -r $from && $from != "$file" ]] && IFS= read -r wish <"$from"
  done
  wish=${wish//[[:space:]]/}
  [[ -n $wish ]] || return
  if [[ -s $file ]]; then
    if [[ ! -r $file ]]; then
      note "uid $EUID cannot read $file, which stays as it is: only public models can be fetched"
    elif IFS= read -r have <"$file"; [[ ${have//[[:space:]]/} != "$wish" ]]; then
      note "$file holds another token than the one given, and stays as it is: remove it to change it"
    fi
  elif keep_token "$home" "$wish"; then
    return
  elif keep_token "$own" "$wish" && ln -sfn "$hub" "$own/hub" 2>/dev/null; then
    # A volume may be mounted at the models alone, and everything else be read-only: the token gets a home of its own,
    # with the same models.
    home=$own
    export HF_HOME=$own
  else
    note "the token cannot be written to $file: only public models can be fetched"
  fi
}
