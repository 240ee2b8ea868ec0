#!/bin/bash
# Decides which moshi-server runs here, says so in one line and becomes it. docs/fallback.md lists every case.
# On the normal path it starts three short processes: nvidia-smi, the loader that looks for the binary's libraries, and
# moshi-health, which reads the config.
set -u

# Where the image's files are: at the top, or below the folder that `baker smoke` unpacks them to.
readonly root=${BAKER_ROOT-}
readonly parts=$root/opt/baker/start

# die CODE REASON MESSAGE...: the one line of a case that ends the start.
die() {
  printf 'moshi-server: %s: %s\n' "$2" "${*:3}" >&2
  exit "$1"
}

for part in "$parts"/{globals,messages,cards,binaries,compile,config,models,folders}.sh "$root/opt/baker/image.env"; do
  [[ -r $part ]] || die 54 bad-image "no $part: this script belongs into an image that baker built"
done
# shellcheck source=/dev/null
. "$root/opt/baker/image.env"
# shellcheck source=start/globals.sh
. "$parts/globals.sh"
# shellcheck source=start/messages.sh
. "$parts/messages.sh"
# shellcheck source=start/cards.sh
. "$parts/cards.sh"
# shellcheck source=start/binaries.sh
. "$parts/binaries.sh"
# shellcheck source=start/compile.sh
. "$parts/compile.sh"
# shellcheck source=start/config.sh
. "$parts/config.sh"
# shellcheck source=start/models.sh
. "$parts/models.sh"
# shellcheck source=start/folders.sh
. "$parts/folders.sh"

# read_arguments: finds out what the command line and the settings ask for.
read_arguments() {
  local i
  [[ ${arguments[0]-} != worker ]] || worker=1
  for ((i = 1; i < ${#arguments[@]}; i++)); do
    case ${arguments[i]} in
      --cpu) wish=--cpu ;;
      --config) config=${arguments[i + 1]-} config_at=$((i + 1)) ;;
      --config=*) config=${arguments[i]#*=} config_at=$i ;;
      -h | --help) worker='' ;;
    esac
  done
  case ${MOSHI_ACCEL-} in
    cpu)
      if [[ -n $worker && -z $wish ]]; then
        wish=MOSHI_ACCEL=cpu config_at=$((config_at + 1))
        arguments=(worker --cpu "${arguments[@]:1}")
      fi
      ;;
    cuda | '') ;;
    *) die 44 bad-setting "MOSHI_ACCEL=$MOSHI_ACCEL: it takes cpu and cuda" ;;
  esac
  [[ ${MOSHI_CUDA_COMPAT-} =~ ^[01]?$ ]] || die 44 bad-setting "MOSHI_CUDA_COMPAT=$MOSHI_CUDA_COMPAT: it takes 1 and 0"
  [[ ${MOSHI_CARD_WAIT-1} =~ ^([1-9][0-9]{0,3})?$ ]] ||
    die 44 bad-setting "MOSHI_CARD_WAIT=$MOSHI_CARD_WAIT: it takes seconds, from 1 to 9999"
  if [[ $BAKER_ACCEL == cpu && -z $wish ]]; then
    [[ ${MOSHI_ACCEL-} != cuda ]] || die 44 bad-setting "MOSHI_ACCEL=cuda, but this image is baked for the CPU"
    wish="an image baked with --accel cpu"
  fi
}

# find_driver: sees to libcuda.so.1, which a CUDA binary does not load without, and refuses a CPU run that nobody asked
# for.
find_driver() {
  if [[ $libcuda == missing && (-z $worker || -n $wish) ]]; then
    # Only where no driver is: in front of a real one the stub would hide the card from PyTorch.
    [[ -e $stubs/libcuda.so.1 ]] ||
      die 45 binary-unusable "$binary links libcuda.so.1, and this image has no stub of it"
    export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$stubs
  elif [[ $libcuda == missing ]]; then
    die 43 driver-not-mounted "a card is here, but not the driver's libcuda.so.1: start with --gpus all through the" \
      "NVIDIA container toolkit, with compute in NVIDIA_DRIVER_CAPABILITIES; or ask for the CPU with --cpu or" \
      "MOSHI_ACCEL=cpu"
  elif [[ $libcuda == none && -n $worker && -z $wish && ${MOSHI_ACCEL-} != cuda ]]; then
    die 52 cpu-binary "$binary does not link libcuda.so.1 and would run on the CPU beside a card: ask for that with" \
      "--cpu or MOSHI_ACCEL=cpu, or say MOSHI_ACCEL=cuda when it opens the driver by itself"
  fi
}

# prepare_config: checks and prepares what the config needs.
prepare_config() {
  config_missing
  read_config
  mirror
  models
  voices
  logs
  if [[ -n $bf16 && -z $wish && -z ${MOSHI_SERVER_BIN-} && -n $capability ]] && ((capability < BAKER_BF16_FROM)); then
    dotted "$BAKER_BF16_FROM"
    note "$config needs dtype_override = \"f32\" in its module: a binary for cards before $REPLY has no bf16"
  fi
  say_keys
  [[ -n $wish && -n $on_card ]] || return 0
  on_cpu
  case ${arguments[config_at]} in
    --config=*) arguments[config_at]=--config=$derived ;;
    *) arguments[config_at]=$derived ;;
  esac
}

# say_run: the line of a start that goes on.
say_run() {
  local on compat=''
  [[ ${MOSHI_CUDA_COMPAT-} != 1 ]] || compat=", with cuda-compat by MOSHI_CUDA_COMPAT=1"
  case $cards in
    known) on="$named, driver $driver$compat" ;;
    unknown) on="a card that could not be asked${driver:+, driver $driver}$compat" ;;
    *) on="the CPU, as asked for by $wish${derived:+, with device = \"cpu\" in $derived}" ;;
  esac
  printf 'moshi-server: run: %s on %s: %s\n' "$origin" "$on" "$binary" >&2
}

[[ ${arguments[0]-} != moshi-server ]] || arguments=("${arguments[@]:1}")
case ${arguments[0]-} in
  worker | validate | configs | help | -* | '') ;;
  *)
    type -P -- "${arguments[0]}" >/dev/null ||
      die 127 unknown-command "${arguments[0]} is neither a command of moshi-server (worker, validate, configs) nor a" \
        "program here"
    exec -- "${arguments[@]}"
    ;;
esac

# The first of GROUPS is the group that the process runs with.
gid=${GROUPS[0]:-0}
home=${HF_HOME:-$HOME/.cache/huggingface} hub=$home/hub

read_arguments
if [[ -n $worker && -z $wish ]]; then
  survey
  [[ $cards != none ]] || no_card
fi
find_binary
find_driver
[[ ${arguments[0]-} != worker && ${arguments[0]-} != validate ]] || token
if [[ -n $worker ]]; then
  [[ -z $config ]] || prepare_config
  jit
  say_run
fi
exec -- "$binary" "${arguments[@]}"
