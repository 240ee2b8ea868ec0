# shellcheck shell=bash
# The folders that a server writes to: compiled kernels, and logs.

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
    [[ -w $folder ]] || die 50 log-not-writable "uid $EUID cannot write to $folder: $(owner_hint)"
  done
  [[ -z $log ]] || { : >>"$log"; } 2>/dev/null ||
    die 50 log-not-writable "uid $EUID cannot write to $log: $(owner_hint)"
}
