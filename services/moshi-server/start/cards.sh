# shellcheck shell=bash
# Which cards are here, and which baked binary runs on all of them.

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

# device_node: true when a driver's device is here: NVIDIA's, WSL's or Jetson's.
device_node() { [[ -e /dev/nvidiactl || -e /dev/dxg || -e /dev/nvmap ]]; }

# ask ARGUMENTS...: runs nvidia-smi and sets out and status, locals of the caller. A sick card can hold it for ever, in
# the kernel and beyond any kill, so nothing waits for its end: after MOSHI_CARD_WAIT seconds the start is over.
ask() {
  local reader code
  exec {reader}< <("$smi" "$@" 2>&1; printf '\n%s' "$?")
  IFS= read -r -d '' -t "${MOSHI_CARD_WAIT:-60}" out <&"$reader"
  code=$?
  exec {reader}<&-
  ((code <= 128)) || die 55 card-silent "nvidia-smi did not answer within ${MOSHI_CARD_WAIT:-60} s: the card or its" \
    "driver is stuck, look at \`dmesg\` on the host for Xid and restart the machine; MOSHI_CARD_WAIT sets the seconds," \
    "and --cpu or MOSHI_ACCEL=cpu does without the card"
  wait "$!"
  status=${out##*$'\n'} out=${out%$'\n'*}
}

# visible COUNT: sets REPLY to the numbers that CUDA_VISIBLE_DEVICES leaves of COUNT cards, or to all. CUDA goes by it up
# to the first entry that names no card. Names that begin with GPU- or MIG- are not looked into.
visible() {
  local one
  local -a entries
  REPLY=all
  [[ -n ${CUDA_VISIBLE_DEVICES+set} ]] || return 0
  REPLY=''
  IFS=, read -ra entries <<<"${CUDA_VISIBLE_DEVICES//[[:space:]]/}"
  for one in "${entries[@]}"; do
    if [[ $one =~ ^(GPU|MIG)- ]]; then
      REPLY=all
      return
    fi
    [[ $one =~ ^[0-9]{1,4}$ ]] && ((10#$one < $1)) || return 0
    REPLY+="${REPLY:+ }$((10#$one))"
  done
}

# refuse NAME: ends the start on a card that this image cannot run on, by what nvidia-smi calls it.
refuse() {
  local row name
  local -a rows names
  [[ -z ${MOSHI_SERVER_BIN-} ]] || return 0
  IFS=';' read -ra rows <<<"${BAKER_REFUSED-}"
  for row in "${rows[@]}"; do
    IFS='|' read -ra names <<<"${row%%=*}"
    for name in "${names[@]}"; do
      # Jetson's nvidia-smi names the driver beside the card.
      [[ $1 == "$name" || $1 == "NVIDIA $name" || $1 == "$name (nvgpu)" ]] || continue
      die 58 card-unsupported "$1: ${row#*=}; moshi-server has to be compiled with the libraries of that system and" \
        "named by MOSHI_SERVER_BIN, or ask for the CPU with --cpu or MOSHI_ACCEL=cpu"
    done
  done
}

# survey: asks nvidia-smi for the csv fields (its banner changes) of every visible card.
survey() {
  local smi=nvidia-smi out='' line status=0 count=0 at=0 name one first='' shown
  local -a only=() found=()
  cards=none named='' lowest='' weakest='' driver='' why=''
  visible 10000
  if [[ -z $REPLY ]]; then
    why="CUDA_VISIBLE_DEVICES=${CUDA_VISIBLE_DEVICES} hides every card: "
    return
  fi
  [[ ! ${CUDA_VISIBLE_DEVICES-} =~ ^GPU-[0-9a-f-]{36}(,GPU-[0-9a-f-]{36})*$ ]] || only=("--id=$CUDA_VISIBLE_DEVICES")
  hash nvidia-smi 2>/dev/null || smi=/usr/lib/wsl/lib/nvidia-smi
  if [[ $smi == /* && ! -x $smi ]]; then
    device_node && cards=unknown
    return
  fi
  ask "${only[@]}" --query-gpu=name,compute_cap,driver_version --format=csv,noheader
  while IFS= read -r line; do
    if [[ $line =~ ^(.+),\ ([0-9]+)\.([0-9]),\ ([0-9.]+) ]]; then
      name=${BASH_REMATCH[1]} one=${BASH_REMATCH[2]}${BASH_REMATCH[3]} driver=${BASH_REMATCH[4]}
      refuse "$name"
      found+=("$one $name")
    elif [[ $line =~ ,\ [0-9]+\.[0-9.]+$ ]]; then
      # A card without a capability, as on Jetson, where drivers count in a way of their own.
      refuse "${line%%,*}"
      cards=unknown
    elif [[ -n $line ]]; then
      why=${why:-"nvidia-smi says \"$line\": "}
    fi
  done <<<"$out"
  [[ ${#found[@]} -gt 0 || ${#only[@]} -eq 0 ]] || why="CUDA_VISIBLE_DEVICES=$CUDA_VISIBLE_DEVICES names no card here: $why"
  visible "${#found[@]}"
  shown=$REPLY
  if [[ -z $shown && ${#found[@]} -gt 0 ]]; then
    why="CUDA_VISIBLE_DEVICES=$CUDA_VISIBLE_DEVICES names none of the ${#found[@]} cards here, which count from 0: "
    return
  fi
  # CUDA counts the fastest card first and nvidia-smi by PCI bus: a number means the same to both only in that order.
  [[ ${CUDA_DEVICE_ORDER-} == PCI_BUS_ID ]] || shown=all
  for one in "${found[@]}"; do
    if [[ $shown == all || " $shown " == *" $at "* ]]; then
      dotted "${one%% *}"
      name="${one#* } ($REPLY)"
      count=$((count + 1))
      first=${first:-$name}
      [[ $name == "$first" ]] || first=several
      named+="${named:+, }$name"
      if [[ -z $lowest ]] || ((${one%% *} < lowest)); then lowest=${one%% *} weakest=$name; fi
    fi
    at=$((at + 1))
  done
  if [[ $out == *'not a valid field'* ]]; then
    # Drivers before 510 know no compute_cap, but which version they are.
    ask --query-gpu=driver_version --format=csv,noheader
    ((status)) || driver=${out%%$'\n'*} cards=unknown
    [[ $driver =~ ^[0-9.]+$ ]] || driver=''
  elif ((count)) && [[ $cards != unknown ]]; then
    cards=known
  elif ((status)); then
    cards=none
  elif [[ $cards == none && $out != *'No devices'* ]]; then
    device_node && cards=unknown
  fi
  if ((count > 1)) && [[ $first != several ]]; then named="$count x $first"; fi
}

no_card() {
  die 42 no-card "${why:-no NVIDIA driver in this container: }start it with --gpus all (compose: a device reservation" \
    "with driver: nvidia) on a host with the NVIDIA container toolkit; or ask for the CPU with --cpu or MOSHI_ACCEL=cpu"
}

# choose: looks for the best baked binary for all visible cards: PTX runs on newer cards too. Cards that were not asked
# get the lowest, which runs wherever one does.
choose() {
  local one
  capability=''
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
  local one list='' hint='' takes=''
  [[ $BAKER_ACCEL != cpu ]] || return
  if [[ -z $capability ]]; then
    for one in ${BAKER_CAPABILITIES//./}; do
      dotted "$one"
      list+="${list:+, }$REPLY"
    done
    dotted "$BAKER_BF16_FROM"
    ((lowest < BAKER_BF16_FROM)) &&
      hint=", and put dtype_override = \"f32\" beside lm_model_file in the config (no bf16 before $REPLY)"
    die 40 card-too-old "$weakest is older than every baked binary ($list): bake one with \`baker build --compute-cap" \
      "$lowest\`$hint; of several cards, --gpus device=N shows only one"
  fi
  [[ ${MOSHI_CUDA_COMPAT-} != 1 ]] || return 0
  if [[ -n $driver && -n $BAKER_DRIVER_FLOOR ]] && older "$driver" "$BAKER_DRIVER_FLOOR"; then
    for one in $BAKER_DRIVERS; do
      older "$driver" "${one#*=}" || takes=${one%=*}
    done
    die 41 driver-too-old "the driver is $driver, CUDA $BAKER_CUDA needs $BAKER_DRIVER_FLOOR or newer: update the" \
      "host's driver${takes:+, or bake with CUDA $takes, which it takes}, or say MOSHI_CUDA_COMPAT=1 where NVIDIA's" \
      "cuda-compat is in LD_LIBRARY_PATH"
  fi
}
