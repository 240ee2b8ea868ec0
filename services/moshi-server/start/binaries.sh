# shellcheck shell=bash
# Which moshi-server runs, and whether a file can run at all.

# check FILE: looks whether FILE can run. It asks the loader, as ldd does, and runs nothing of FILE.
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

# same_features A B: true when two lists name the same features, in any order.
same_features() {
  local one
  for one in ${1//,/ }; do [[ ,$2, == *",$one,"* ]] || return 1; done
  for one in ${2//,/ }; do [[ ,$1, == *",$one,"* ]] || return 1; done
}

# find_binary: looks for what will run, and ends the start when there is nothing.
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
