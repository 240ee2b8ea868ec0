#!/bin/bash
# Decides which moshi-server runs here, says so in one line and becomes it. docs/fallback.md lists every case.
# On the normal path it starts two short processes: nvidia-smi, and the loader that looks for the binary's libraries.
set -u

readonly bin=/opt/baker/bin stubs=/opt/baker/stubs crates=/opt/baker/crate target=/app/target

# die CODE REASON MESSAGE...: the one line of a case that ends the start.
die() {
  printf 'moshi-server: %s: %s\n' "$2" "${*:3}" >&2
  exit "$1"
}

note() { printf 'moshi-server: note: %s\n' "$*" >&2; }

# chown_hint: how a mounted folder becomes writable, the end of a message.
chown_hint() {
  printf '%s' "run \`chown -R $EUID:$gid\` on the folder or volume mounted there, or start with the uid that owns it"
}

# ------------------------------------------------------------------------------------------------- cards

# older A B: true when the version A is older than B, number by number.
older() {
  local -a a b
  local i
  IFS=. read -ra a <<<"$1"
  IFS=. read -ra b <<<"$2"
  for i in 0 1 2; do
    ((10#${a[i]:-0} < 10#${b[i]:-0})) && return 0
    ((10#${a[i]:-0} > 10#${b[i]:-0})) && return 1
  done
  return 1
}

dotted() { REPLY=${1%?}.${1: -1}; }

# survey: asks nvidia-smi for the csv fields (its banner changes) of every visible card. Sets
#   cards    known; unknown, when a card is there that could not be asked; or none
#   named    the cards for messages, lowest the lowest capability as 89, weakest that card, driver its version
#   why      what nvidia-smi said when there is no card
survey() {
  local smi=nvidia-smi out line status count=0 name capability first=''
  local -a only=()
  cards=none named='' lowest='' weakest='' driver='' why=''
  if [[ ${CUDA_VISIBLE_DEVICES-unset} =~ ^(-1.*|NoDevFiles)?$ ]]; then
    why="CUDA_VISIBLE_DEVICES=${CUDA_VISIBLE_DEVICES} hides every card: "
    return
  fi
  # CUDA counts the fastest card first and nvidia-smi by PCI bus: a number means the same to both only in that order.
  if [[ ${CUDA_VISIBLE_DEVICES-} =~ ^GPU-[0-9a-f-]{36}(,GPU-[0-9a-f-]{36})*$ ]] ||
    [[ ${CUDA_DEVICE_ORDER-} == PCI_BUS_ID && ${CUDA_VISIBLE_DEVICES-} =~ ^[0-9]+(,[0-9]+)*$ ]]; then
    only=("--id=$CUDA_VISIBLE_DEVICES")
  fi
  hash nvidia-smi 2>/dev/null || smi=/usr/lib/wsl/lib/nvidia-smi
  if [[ $smi == /* && ! -x $smi ]]; then
    device_node && cards=unknown
    return
  fi
  out=$("$smi" "${only[@]}" --query-gpu=name,compute_cap,driver_version --format=csv,noheader 2>&1)
  status=$?
  while IFS= read -r line; do
    if [[ $line =~ ^(.+),\ ([0-9]+)\.([0-9]),\ ([0-9.]+) ]]; then
      name=${BASH_REMATCH[1]} capability=${BASH_REMATCH[2]}${BASH_REMATCH[3]} driver=${BASH_REMATCH[4]}
      dotted "$capability"
      line="$name ($REPLY)"
      count=$((count + 1))
      first=${first:-$line}
      [[ $line == "$first" ]] || first=several
      named+="${named:+, }$line"
      if [[ -z $lowest ]] || ((capability < lowest)); then lowest=$capability weakest=$line; fi
    elif [[ $line =~ ,\ [0-9]+\.[0-9.]+$ ]]; then
      # A card without a capability, as on Jetson, where drivers count in a way of their own.
      cards=unknown
    elif [[ -n $line ]]; then
      why=${why:-"nvidia-smi says \"$line\": "}
    fi
  done <<<"$out"
  if [[ $out == *'not a valid field'* ]]; then
    # Drivers before 510 know no compute_cap, but which version they are.
    out=$("$smi" --query-gpu=driver_version --format=csv,noheader 2>/dev/null) && driver=${out%%$'\n'*} cards=unknown
    [[ $driver =~ ^[0-9.]+$ ]] || driver=
  elif ((count)) && [[ $cards != unknown ]]; then
    cards=known
  elif ((status)); then
    cards=none
  elif [[ $cards == none && $out != *'No devices'* ]]; then
    device_node && cards=unknown
  fi
  if ((count > 1)) && [[ $first != several ]]; then named="$count x $first"; fi
}

# device_node: true when a driver's device is here: NVIDIA's, WSL's or Jetson's.
device_node() { [[ -e /dev/nvidiactl || -e /dev/dxg || -e /dev/nvmap ]]; }

no_card() {
  die 42 no-card "${why:-no NVIDIA driver in this container: }start it with --gpus all (compose: a device reservation" \
    "with driver: nvidia) on a host with the NVIDIA container toolkit; or ask for the CPU with --cpu or MOSHI_ACCEL=cpu"
}

# choose: sets capability to that of the best baked binary which every visible card runs (PTX runs on newer cards too),
# empty when a card is older than all. Cards that were not asked get the lowest, which runs wherever one does.
choose() {
  local one
  capability=
  for one in ${BAKER_CAPABILITIES//./}; do
    if [[ $cards == known ]]; then
      ((one <= lowest)) && { [[ -z $capability ]] || ((one > capability)); } && capability=$one
    elif [[ -z $capability ]] || ((one < capability)); then
      capability=$one
    fi
  done
}

# fits_cards: ends the start when what was built with this image's toolkit cannot run on these cards.
fits_cards() {
  local one list='' hint=''
  [[ $BAKER_ACCEL != cpu ]] || return
  if [[ -z $capability ]]; then
    for one in ${BAKER_CAPABILITIES//./}; do
      dotted "$one"
      list+="${list:+, }$REPLY"
    done
    ((lowest < 80)) && hint=", and put dtype_override = \"f32\" beside lm_model_file in the config (no bf16 before 8.0)"
    die 40 card-too-old "$weakest is older than every baked binary ($list): bake one with \`baker build --compute-cap" \
      "$lowest\`$hint; of several cards, --gpus device=N shows only one"
  fi
  if [[ -n $driver && -n $BAKER_DRIVER_FLOOR ]] && older "$driver" "$BAKER_DRIVER_FLOOR"; then
    die 41 driver-too-old "the driver is $driver, CUDA $BAKER_CUDA needs $BAKER_DRIVER_FLOOR or newer: update the" \
      "host's driver, or bake with an older CUDA"
  fi
}

# ------------------------------------------------------------------------------------------------- binaries

# check FILE: sets problem to why FILE cannot run, empty when it can; and libcuda to found, missing, none (not linked)
# or unknown. It asks the loader, as ldd does, and runs nothing of FILE.
check() {
  local loader out status line magic='' missing=''
  problem='' libcuda=unknown
  if [[ ! -f $1 ]]; then
    problem="$1 does not exist"
  elif [[ ! -x $1 ]]; then
    problem="$1 is not executable for uid $EUID"
  fi
  [[ -z $problem ]] || return 0
  IFS= read -r -n 2 magic <"$1" 2>/dev/null
  [[ $magic == '#!' ]] && return 0
  for loader in /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1; do
    [[ -x $loader ]] && break
  done
  out=$(LD_TRACE_LOADED_OBJECTS=1 LD_WARN='' LD_BIND_NOW='' "$loader" "$1" 2>&1)
  status=$?
  libcuda=none
  while IFS= read -r line; do
    case $line in
      *libcuda.so.1*'not found') libcuda=missing ;;
      *libcuda.so.1*) libcuda=found ;;
      *'not found'*'required by'*) missing+="${missing:+, }${line#*: }" ;;
      *'not found') line=${line%% =>*} missing+="${missing:+, }${line//[[:space:]]/}" ;;
    esac
  done <<<"$out"
  if [[ -n $missing ]]; then
    problem="$1 does not load, missing: $missing"
  elif ((status >= 128)); then
    problem="$1 is damaged or no dynamically linked program"
  elif ((status)); then
    problem="$1 does not load: ${out##*: }"
  fi
}

# compiled_name: sets binary to where `compile` leaves it. Version, features and capability are in the name: one rename
# publishes all of it, and several versions live together.
compiled_name() { binary=$target/release/moshi-server-$version-${features:-none}-${capability:-$BAKER_ACCEL}; }

# cached: sets binary to one in the mounted /app/target that fits; else rejected to why what is there does not. The
# plain name is the layout of earlier start scripts; cargo leaves the version in the paths of its log messages.
cached() {
  local plain=$target/release/moshi-server found=''
  rejected=
  compiled_name
  if [[ -e $binary ]]; then
    check "$binary"
    [[ -z $problem ]] && origin="$version${features:+ ($features)}, compiled earlier," && return
    rejected=$problem
  fi
  [[ -e $plain ]] || return
  binary=$plain
  check "$plain"
  if [[ -n $problem ]]; then
    rejected=$problem
    return 1
  fi
  found=$(grep -aom1 'moshi-server-[0-9][0-9A-Za-z.+-]*/src/main.rs' "$plain" 2>/dev/null)
  found=${found#moshi-server-} found=${found%%/*}
  if [[ -n $found && $found != "$version" ]]; then
    rejected="$plain is version $found"
    return 1
  fi
  origin="${found:-a binary whose version is not known}, from $target,"
}

# compile: builds the version into the volume, once for all containers that share it, and sets binary. Nothing has the
# name that a later start looks for before it is whole: cargo works in folders of its own, the last step is a rename.
compile() {
  local lock room status
  local -a source
  hash cargo 2>/dev/null || die 47 compile-failed "$1, and there is no cargo in this image"
  if ! mkdir -p "$target/release" "$target/build" 2>/dev/null ||
    ! [[ -w $target && -w $target/release && -w $target/build ]] ||
    ! { exec {lock}>>"$target/.moshi-server.lock"; } 2>/dev/null; then
    die 48 target-not-writable "$1, and uid $EUID cannot write to $target to compile it: $(chown_hint)"
  fi
  if ! flock --nonblock "$lock"; then
    note "another container compiles in $target: waiting for it"
    flock "$lock"
  fi
  if cached; then
    exec {lock}>&-
    return
  fi
  # Whoever holds the lock is alone: what is left here belongs to a compile that was killed.
  rm -rf "$target"/.compile.*
  room=$(mktemp -d "$target/.compile.XXXXXX") || die 48 target-not-writable "$1, and $target takes no folder"
  note "$1: compiling $BAKER_CRATE $version into $target, which takes many minutes once"
  if [[ -d $crates/$BAKER_CRATE-$version ]]; then
    source=(--path "$crates/$BAKER_CRATE-$version")
  else
    source=(--version "$version" "$BAKER_CRATE")
  fi
  (
    [[ -w ${CARGO_HOME:-$HOME/.cargo} ]] || export CARGO_HOME=$target/cargo
    [[ -z $capability ]] || export CUDA_COMPUTE_CAP=$capability
    # For crates baked in with a .cargo/config.toml: cargo looks for that from the working directory.
    [[ ${source[0]} != --path ]] || cd "${source[1]}" || exit
    export CARGO_TARGET_DIR=$target/build VERGEN_IDEMPOTENT=1
    exec cargo install --locked --no-track "${source[@]}" ${features:+--features "$features"} --root "$room" >&2
  )
  status=$?
  compiled_name
  ((status)) || check "$room/bin/moshi-server"
  if ((status)) || [[ -n $problem ]]; then
    rm -rf "$room"
    die 47 compile-failed "cargo could not build $BAKER_CRATE $version (${problem:-exit code $status}), see above;" \
      "the next start goes on where this one stopped"
  fi
  sync "$room/bin/moshi-server"
  mv -T "$room/bin/moshi-server" "$binary" || die 48 target-not-writable "$binary cannot be written"
  rm -rf "$room"
  exec {lock}>&-
  check "$binary"
  origin="$version${features:+ ($features)}, just compiled,"
}

# other_binary WHY: what runs when the baked binary does not.
other_binary() {
  cached && return
  [[ $BAKER_VARIANT == builder ]] ||
    die 46 not-baked "$1, and $target/release holds no other${rejected:+ ($rejected)}:" \
      "mount a folder there with a compiled moshi-server, or take the image of \`baker build --variant builder\`," \
      "which compiles it"
  [[ -z $rejected ]] || note "$rejected: not used"
  fits_cards
  compile "$1"
}

# same_features A B: true when two lists name the same features, in any order.
same_features() {
  local one
  for one in ${1//,/ }; do [[ ,$2, == *",$one,"* ]] || return 1; done
  for one in ${2//,/ }; do [[ ,$1, == *",$one,"* ]] || return 1; done
}

# find_binary: sets binary, origin (what it is, for the line) and libcuda, and ends the start when there is none.
find_binary() {
  local baked what
  if [[ -n ${MOSHI_SERVER_BIN-} ]]; then
    binary=$MOSHI_SERVER_BIN origin=MOSHI_SERVER_BIN
    [[ $binary == */* ]] || binary=./$binary
    check "$binary"
    [[ -z $problem ]] || die 45 binary-unusable "MOSHI_SERVER_BIN: $problem"
    return
  fi
  choose
  version=${MOSHI_SERVER_VERSION:-$BAKER_CRATE_VERSION} features=${MOSHI_SERVER_FEATURES:-$BAKER_FEATURES}
  version=${version#v}
  [[ $version =~ ^[0-9][0-9A-Za-z.+-]*$ ]] ||
    die 44 bad-setting "MOSHI_SERVER_VERSION=$version is not a version such as 0.6.4"
  [[ $features =~ ^[A-Za-z0-9_,\ -]*$ ]] ||
    die 44 bad-setting "MOSHI_SERVER_FEATURES=$features: features are words with commas between"
  features=${features// /,}
  if [[ $version != "$BAKER_CRATE_VERSION" ]] || ! same_features "$features" "$BAKER_FEATURES"; then
    what="$version${features:+ ($features)} is asked for"
    other_binary "$what, $BAKER_CRATE_VERSION${BAKER_FEATURES:+ ($BAKER_FEATURES)} is baked"
    return
  fi
  if [[ $BAKER_ACCEL == cpu ]]; then
    baked=$bin/moshi-server-cpu
  else
    fits_cards
    baked=$bin/moshi-server-cuda-$capability
  fi
  binary=$baked origin="$version${features:+ ($features)}"
  check "$baked"
  [[ -z $problem ]] || other_binary "$problem"
}

# ------------------------------------------------------------------------------------------------- folders

# read_config FILE: sets files to its hf:// names, folders to where it logs, log to today's file, and overridden to 1
# unless it has a module that would take bf16. Line by line is enough to warn early; the server parses it in full.
read_config() {
  local line rest day name='' models='' over=''
  local -x TZ=UTC0
  files=() folders=() log='' overridden=1
  while IFS= read -r line || [[ -n $line ]]; do
    [[ $line == *[\"\']* && ! $line =~ ^[[:space:]]*# ]] || continue
    rest=$line
    while [[ $rest =~ [\"\'](hf(-snapshot)?://[^\"\']+)[\"\'](.*) ]]; do
      files+=("${BASH_REMATCH[1]}") rest=${BASH_REMATCH[3]}
    done
    [[ $line =~ ^[[:space:]]*([a-z_]+)[[:space:]]*=[[:space:]]*[\"\']([^\"\']*)[\"\'] ]] || continue
    case ${BASH_REMATCH[1]} in
      log_dir) [[ ${BASH_REMATCH[2]} == *\$* ]] || folders=("${BASH_REMATCH[2]}" "${folders[@]}") ;;
      log_folder) [[ ${BASH_REMATCH[2]} == *\$* ]] || folders+=("${BASH_REMATCH[2]}") ;;
      instance_name) name=${BASH_REMATCH[2]} ;;
      lm_model_file) models=1 ;;
      dtype_override) over=1 ;;
    esac
  done <"$1"
  [[ -n $models && -z $over ]] && overridden=
  printf -v day '%(%Y-%m-%d)T' -1
  [[ -z $name || $name == *\$* || ${#folders[@]} -eq 0 ]] || log=${folders[0]}/log.$name.$day
}

# in_cache NAME: true when hf-hub finds hf://ORG/REPO/FILE without network, by refs/main; of a snapshot its folder
# counts. Sets folder to the repository's.
in_cache() {
  local path=${1#*://} org repo commit=
  org=${path%%/*} path=${path#*/}
  repo=${path%%/*} path=${path#"$repo"} path=${path#/}
  folder=$hub/models--$org--$repo
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
  local one missing='' count=0 folder place=''
  for one in "${files[@]}"; do
    in_cache "$one" && continue
    ((count++)) || missing=$one place=$folder
  done
  ((count)) || return
  ((count == 1)) || missing+=" and $((count - 1)) more"
  while [[ ! -e $place && $place == */* ]]; do place=${place%/*}; done
  if [[ ! -w ${place:-/} ]]; then
    die 49 cache-not-writable "uid $EUID cannot write to $place, and $missing is not there: $(chown_hint)"
  fi
  if offline; then
    why="${HF_ENDPOINT:-https://huggingface.co} cannot be reached${HF_HUB_OFFLINE:+ (HF_HUB_OFFLINE=$HF_HUB_OFFLINE)}"
    die 51 models-missing "not in $hub: $missing; and $why: \`baker models pull\`, or one start with network," \
      "fetches it"
  fi
}

# token: writes the token to where hf-hub reads it, which looks at no variable. One that is there already and differs
# stays: the folder may be somebody's own cache, with their login.
token() {
  local file=$home/token wish=${HF_TOKEN:-${HUGGING_FACE_HUB_TOKEN-}} have='' from
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
    return
  fi
  (
    umask 077
    rm -f "$file"
    mkdir -p "$home"
    set -C
    printf '%s' "$wish" >"$file"
  ) 2>/dev/null || note "the token cannot be written to $file: only public models can be fetched"
}

# jit: makes the folders of the compiled kernels, in /tmp where the cache takes none.
jit() {
  local name folder moved=''
  for name in CUDA_CACHE_PATH TRITON_CACHE_DIR TORCHINDUCTOR_CACHE_DIR; do
    folder=${!name-}
    [[ -z $folder || (-d $folder && -w $folder) ]] && continue
    mkdir -p "$folder" 2>/dev/null && [[ -w $folder ]] && continue
    moved=${moved:-$folder}
    export "$name=/tmp/moshi-jit/${folder##*/}"
    mkdir -p "${!name}" 2>/dev/null
  done
  [[ -z $moved ]] || note "uid $EUID cannot write to $moved: compiled kernels go to /tmp/moshi-jit, and every" \
    "container makes them anew"
}

# logs: makes the log folders and opens the file as the server will; it would end with a panic.
logs() {
  local folder
  for folder in "${folders[@]}"; do
    [[ -d $folder ]] || mkdir -p "$folder" 2>/dev/null ||
      die 50 log-not-writable "there is no $folder and uid $EUID cannot make it: mount a volume or a tmpfs there"
    [[ -w $folder ]] || die 50 log-not-writable "uid $EUID cannot write to $folder: $(chown_hint)"
  done
  [[ -z $log ]] || { : >>"$log"; } 2>/dev/null ||
    die 50 log-not-writable "uid $EUID cannot write to $log: $(chown_hint)"
}

# ------------------------------------------------------------------------------------------------- start

[[ ${1-} == moshi-server ]] && shift
case ${1-} in
  worker | validate | configs | help | -* | '') ;;
  *)
    type -P -- "$1" >/dev/null ||
      die 127 unknown-command "$1 is neither a command of moshi-server (worker, validate, configs) nor a program here"
    exec -- "$@"
    ;;
esac

# shellcheck source=/dev/null
. /opt/baker/image.env || die 54 bad-image "no /opt/baker/image.env: this script belongs into an image that baker built"
# The first of GROUPS is the group that the process runs with.
gid=${GROUPS[0]:-0}
home=${HF_HOME:-$HOME/.cache/huggingface} hub=$home/hub

worker='' wish='' config='' arguments=("$@")
[[ ${1-} == worker ]] && worker=1
for ((i = 1; i < $#; i++)); do
  case ${arguments[i]} in
    --cpu) wish=--cpu ;;
    --config) config=${arguments[i + 1]-} ;;
    --config=*) config=${arguments[i]#*=} ;;
    -h | --help) worker= ;;
  esac
done
case ${MOSHI_ACCEL-} in
  cpu) [[ -n $worker && -z $wish ]] && wish=MOSHI_ACCEL=cpu && set -- worker --cpu "${@:2}" ;;
  cuda | '') ;;
  *) die 44 bad-setting "MOSHI_ACCEL=$MOSHI_ACCEL: it takes cpu and cuda" ;;
esac
if [[ $BAKER_ACCEL == cpu && -z $wish ]]; then
  [[ ${MOSHI_ACCEL-} != cuda ]] || die 44 bad-setting "MOSHI_ACCEL=cuda, but this image is baked for the CPU"
  wish="an image baked with --accel cpu"
fi

cards=unasked named='' driver='' why=''
if [[ -n $worker && -z $wish ]]; then
  survey
  [[ $cards == none ]] && no_card
fi
find_binary

if [[ $libcuda == missing && (-z $worker || -n $wish) ]]; then
  # Only where no driver is: in front of a real one the stub would hide the card from PyTorch.
  [[ -e $stubs/libcuda.so.1 ]] || die 45 binary-unusable "$binary links libcuda.so.1, and this image has no stub of it"
  export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$stubs
elif [[ $libcuda == missing ]]; then
  die 43 driver-not-mounted "a card is here, but not the driver's libcuda.so.1: start with --gpus all through the" \
    "NVIDIA container toolkit, with compute in NVIDIA_DRIVER_CAPABILITIES; or ask for the CPU with --cpu or" \
    "MOSHI_ACCEL=cpu"
elif [[ $libcuda == none && -n $worker && -z $wish && ${MOSHI_ACCEL-} != cuda ]]; then
  die 52 cpu-binary "$binary does not link libcuda.so.1 and would run on the CPU beside a card: ask for that with" \
    "--cpu or MOSHI_ACCEL=cpu, or say MOSHI_ACCEL=cuda when it opens the driver by itself"
fi

[[ ${1-} != worker && ${1-} != validate ]] || token
if [[ -n $worker ]]; then
  if [[ -n $config ]]; then
    [[ -f $config && -r $config ]] ||
      die 53 config-missing "there is no $config that uid $EUID can read, seen from $PWD"
    read_config "$config"
    models
    logs
    [[ -n $overridden || -n $wish || -n ${MOSHI_SERVER_BIN-} || -z $capability || $capability -ge 80 ]] ||
      note "$config needs dtype_override = \"f32\" in its module: a binary for cards before 8.0 has no bf16"
  fi
  jit
  case $cards in
    known) on="$named, driver $driver" ;;
    unknown) on="a card that could not be asked${driver:+, driver $driver}" ;;
    *) on="the CPU, as asked for by $wish" ;;
  esac
  printf 'moshi-server: run: %s on %s: %s\n' "$origin" "$on" "$binary" >&2
fi
exec -- "$binary" "$@"
