# shellcheck shell=bash
# What runs when no baked binary does: one from a mounted /app/target, or in the builder image a compile into it.

# compiled_name: names the file that `compile` makes. Version, features and capability are in the name: one rename
# publishes all of it, and several versions live together.
compiled_name() { binary=$target/release/moshi-server-$version-${features:-none}-${capability:-$BAKER_ACCEL}; }

# cached: looks for a binary in the mounted /app/target that fits. The plain name is the layout of earlier start scripts; cargo leaves the version in the paths of its log messages.
cached() {
  local plain=$target/release/moshi-server built=''
  rejected=''
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
  built=$(grep -aom1 'moshi-server-[0-9][0-9A-Za-z.+-]*/src/main.rs' "$plain" 2>/dev/null)
  built=${built#moshi-server-} built=${built%%/*}
  if [[ -n $built && $built != "$version" ]]; then
    rejected="$plain is version $built"
    return 1
  fi
  origin="${built:-a binary whose version is not known}, from $target,"
}

# compile: builds the version into the volume, once for all containers that share it. Nothing has the
# name that a later start looks for before it is whole: cargo works in folders of its own, the last step is a rename.
compile() {
  local lock room status
  local -a source
  hash cargo 2>/dev/null || die 47 compile-failed "$1, and there is no cargo in this image"
  if ! mkdir -p "$target/release" "$target/build" 2>/dev/null ||
    ! [[ -w $target && -w $target/release && -w $target/build ]] ||
    ! { exec {lock}>>"$target/.moshi-server.lock"; } 2>/dev/null; then
    die 48 target-not-writable "$1, and uid $EUID cannot write to $target to compile it: $(owner_hint)"
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
  if [[ $version == "$BAKER_CRATE_VERSION" && -d $crates/$BAKER_CRATE_FOLDER ]]; then
    source=(--path "$crates/$BAKER_CRATE_FOLDER")
  else
    source=(--version "$version" "$BAKER_CRATE")
  fi
  (
    # What cargo starts may live on, such as a compiler's cache server: it must not keep others waiting for the lock.
    exec {lock}>&-
    [[ -w ${CARGO_HOME:-$HOME/.cargo} ]] || export CARGO_HOME=$target/cargo
    [[ -z $capability ]] || export CUDA_COMPUTE_CAP=$capability
    # For crates baked in with a .cargo/config.toml: cargo looks for that from the working directory.
    [[ ${source[0]} != --path ]] || cd "${source[1]}" || exit
    export CARGO_TARGET_DIR=$target/build${capability:+/$capability} VERGEN_IDEMPOTENT=1
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
