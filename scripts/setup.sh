#!/usr/bin/env bash
# Sets this checkout up; `make` runs it before every target, and it takes well under a second when nothing is to do.
#
#   scripts/setup.sh venv      .venv with the locked dependencies and this project, editable
#   scripts/setup.sh           that, and what building and publishing take: an engine that answers, buildx, compose,
#                              mmdebstrap, skopeo, cosign
#   scripts/setup.sh browser   a browser for tests/e2e
#   scripts/setup.sh emulation qemu, so that programs of the other architecture run: for images of another platform
#
# buildx and compose come from the distribution's signed archive into the user's own ~/.docker/cli-plugins: that needs
# no root, and leaves the packages and sources of the system as they are. Packages are installed only as root; without
# root it says what to run.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
die() { printf 'setup: error: %s\n' "$1" >&2; shift; [ $# -eq 0 ] || printf 'setup:   %s\n' "$@" >&2; exit 1; }

# quietly COMMAND...: show what it prints only when it fails.
quietly() {
  local output status=0
  output=$("$@" 2>&1) || status=$?
  [ $status -eq 0 ] || printf '%s\n' "$output" | tail -n 15 >&2
  return $status
}

# patiently COMMAND...: quietly, and again while an archive does not answer: apt does not ask an address again for as long
# as it runs.
patiently() {
  local pause output
  for pause in 5 15 30 60 0; do
    if output=$(LC_ALL=C quietly "$@" 2>&1); then return; fi
    [ $pause -gt 0 ] || break
    grep -Eq '(Could not|Unable to) connect|Cannot initiate the connection' <<< "$output" || break
    say "the archive does not answer; again in $pause s"
    sleep $pause
  done
  printf '%s\n' "$output" >&2
  return 1
}

is_root() { [ "$(id -u)" -eq 0 ]; }
has() { command -v "$1" > /dev/null; }
release() { sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" /etc/os-release 2> /dev/null; }

# apt_install PACKAGE...: install from the system's own sources, whose lists may be old or, on a new machine, empty.
apt_install() {
  say "installing $* with apt-get"
  patiently apt-get -qq -o APT::Update::Error-Mode=any update || true
  DEBIAN_FRONTEND=noninteractive patiently apt-get -qq install --yes --no-install-recommends "$@" ||
    die "apt-get could not install $*" "is the archive reachable? try: apt-get update && apt-get install $*"
}

# ---------------------------------------------------------------- the virtual environment

find_python() {
  local name
  for name in python3 python3.14 python3.13 python3.12 python3.11; do
    if has "$name" && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
      command -v "$name"
      return
    fi
  done
  return 1
}

make_venv() {
  local python package
  if ! has python3 && is_root && has apt-get; then apt_install python3-venv; fi
  python=$(find_python) || die "no Python 3.11 or newer on PATH" \
    "Debian 12, Ubuntu 24.04 and later: sudo apt-get install python3-venv" \
    "Ubuntu 22.04:                      sudo apt-get install python3.11-venv" \
    "elsewhere: any CPython >= 3.11 with venv will do"
  # Debian and Ubuntu ship venv without pip's wheel unless this package is there.
  if ! "$python" -c 'import ensurepip, venv' 2> /dev/null; then
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if is_root && has apt-get; then
      apt_install "$package"
    else
      die "$python cannot make virtual environments" "run: sudo apt-get install $package"
    fi
  fi
  say "making .venv with $("$python" --version)"
  quietly "$python" -m venv --clear .venv || die "$python -m venv .venv failed, see above"
}

# install_by_uv: install requirements.lock from pip's index, by pip's certificates.
install_by_uv() {
  local told index cert
  told=$(.venv/bin/python -m pip config list)
  index=$(sed -n "s/^.*\.index-url='\(.*\)'$/\1/p" <<< "$told" | head -n 1)
  cert=$(sed -n "s/^.*\.cert='\(.*\)'$/\1/p" <<< "$told" | head -n 1)
  env ${cert:+"SSL_CERT_FILE=$cert"} .venv/bin/uv pip install --system-certs ${index:+--default-index "$index"} \
    --python .venv/bin/python --compile-bytecode --require-hashes --only-binary :all: \
    --requirement requirements.lock
}

setup_venv() {
  local stamp
  # A venv holds absolute paths, and an editable install the checkout's.
  stamp=$(cat pyproject.toml requirements.lock | sha256sum)$PWD
  if [ "$(cat .venv/.baker-setup 2> /dev/null)" = "$stamp" ] && [ -x .venv/bin/python ]; then return; fi
  .venv/bin/python -m pip --version > /dev/null 2>&1 || make_venv
  say "installing the locked dependencies and baker into .venv"
  rm -f .venv/.baker-setup
  # More pauses between tries, half a minute in all: without them, what does not answer is given up after seconds.
  export PIP_RETRIES="${PIP_RETRIES:-7}" UV_HTTP_RETRIES="${UV_HTTP_RETRIES:-7}"
  local pip=(.venv/bin/python -m pip --disable-pip-version-check)
  local install=(install --quiet --require-hashes --only-binary :all: --requirement) hint
  hint="no network? behind a proxy or a mirror: HTTPS_PROXY, PIP_INDEX_URL and PIP_CERT are heeded"
  quietly "${pip[@]}" "${install[@]}" <(sed -n '/^uv==/,/^[^ ]/{/^uv==/p;/^ /p}' requirements.lock) ||
    die "pip could not install uv" "$hint"
  # uv takes a seventh of pip's time. What it does not know of pip's settings, pip itself does.
  install_by_uv > /dev/null 2>&1 || quietly "${pip[@]}" "${install[@]}" requirements.lock ||
    die "pip could not install requirements.lock" "$hint"
  # The build backend comes from the lock as well, hence no isolated build.
  quietly "${pip[@]}" install --quiet --no-deps --no-build-isolation --editable . ||
    die "pip could not install the project itself, see above"
  quietly "${pip[@]}" check || die "requirements.lock does not fit pyproject.toml" "run: make lock"
  printf %s "$stamp" > .venv/.baker-setup
}

# ---------------------------------------------------------------- the engine and its plugins

check_engine() {
  local output
  has docker || die "the docker command is missing" \
    "Debian, Ubuntu: sudo apt-get install docker.io docker-cli   (before Debian 13: docker.io alone)" \
    "elsewhere: https://docs.docker.com/engine/install/"
  if output=$(docker version --format '{{.Server.Version}}' 2>&1); then return; fi
  case $output in
    *"permission denied"*)
      die "this user may not talk to the Docker engine" "run: sudo usermod -aG docker $(id -un)" "and log in again" ;;
    *)
      die "no Docker engine answers" "${output##*$'\n'}" \
        "start it: sudo systemctl start docker   (or set DOCKER_HOST, or docker context use NAME)" ;;
  esac
}

# What apt is to use as its own: lists and cache in a folder of ours, so that neither root nor the system's state is
# needed. Before Debian 13 the archive has neither plugin: there it reads trixie's, with Debian's keyring.
private_apt() {
  local folder=$1 keyring=/usr/share/keyrings/debian-archive-keyring.gpg mirror
  mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
  apt=(-qq -o "Dir::State::lists=$folder/lists" -o "Dir::Cache=$folder/cache" -o Acquire::Languages=none
       -o APT::Update::Error-Mode=any)
  if is_root; then apt+=(-o APT::Sandbox::User=root); fi
  archive="$(release ID)'s archive"
  if [ "$(release ID)" = debian ] && [ "$(release VERSION_ID)" -lt 13 ] 2> /dev/null; then
    archive="Debian trixie's archive"
    [ -e "$keyring" ] || die "$keyring is missing" "run: sudo apt-get install debian-archive-keyring"
    mirror=$(.venv/bin/python -c 'import tomllib
tables = [tomllib.load(open(name, "rb")).get("mirrors", {}) for name in ("baker/config/defaults.toml", "baker.toml")]
print((tables[0] | tables[1])["debian"])') || die "baker.toml cannot be read, see above"
    printf 'deb [signed-by=%s] %s trixie main\n' "$keyring" "$mirror" > "$folder/sources.list"
    apt+=(-o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null
          -o Dir::Etc::preferencesparts=/dev/null -o Dir::Etc::preferences=/dev/null)
  fi
}

# fetch_plugin FOLDER NAME PACKAGE...: take the Docker CLI plugin from the first package that apt knows and that has it.
fetch_plugin() {
  local folder=$1 name=$2 package found deb
  shift 2
  for package in "$@"; do
    apt-cache "${apt[@]}" show "$package" > /dev/null 2>&1 || continue
    mkdir -p "$folder/$package"
    ( cd "$folder/$package" && patiently apt-get "${apt[@]}" download "$package" ) || continue
    for deb in "$folder/$package"/*.deb; do dpkg -x "$deb" "$folder/$package/root"; done
    found=$(find "$folder/$package/root" -type f -path "*/cli-plugins/$name")
    [ -n "$found" ] || continue
    mkdir -p "$plugins"
    install -m 0755 "$found" "$plugins/$name"
    return
  done
  die "$archive has no $name (looked for: $*)" "install it by hand: https://docs.docker.com/engine/install/"
}

setup_plugins() {
  local apt archive name folder missing=() plugins=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins
  for name in buildx compose; do
    docker "$name" version > /dev/null 2>&1 && continue
    if [ -e "$plugins/docker-$name" ] || [ -L "$plugins/docker-$name" ]; then
      die "$plugins/docker-$name is there and does not run" "remove it, and run this again"
    fi
    missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if ! has apt-get; then
    die "the Docker CLI plugins ${missing[*]} are missing" \
      "install the packages docker-buildx and docker-compose of your distribution, or those of Docker itself:" \
      "https://docs.docker.com/engine/install/"
  fi
  folder=$(mktemp -d)
  # shellcheck disable=SC2064 # the folder's name of now
  trap "rm -rf '$folder'" EXIT
  private_apt "$folder"
  say "fetching docker ${missing[*]} from $archive into $plugins"
  patiently apt-get "${apt[@]}" update ||
    die "$archive cannot be read" "is the network up? behind a proxy, apt needs to know it"
  for name in "${missing[@]}"; do
    case $name in
      buildx) fetch_plugin "$folder" docker-buildx docker-buildx docker-buildx-plugin ;;
      compose) fetch_plugin "$folder" docker-compose docker-compose-v2 docker-compose-plugin docker-compose ;;
    esac
    quietly docker "$name" version || die "docker $name from $archive does not run here" \
      "remove $plugins/docker-$name and install one for this system: https://docs.docker.com/engine/install/"
  done
}

setup_mmdebstrap() {
  local packages=(mmdebstrap debian-archive-keyring)
  if has mmdebstrap && [ -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then return; fi
  if is_root && has apt-get; then
    apt_install "${packages[@]}"
  elif has apt-get; then
    say "mmdebstrap is missing, which --base debian needs; run: sudo apt-get install ${packages[*]} uidmap"
  else
    say "mmdebstrap or Debian's keyring is missing, which --base debian needs; install both, or take --base nvidia"
  fi
}

# What `baker publish` takes. Before Debian 13 and Ubuntu 24.10 no archive has cosign; `baker doctor` says how to get it.
setup_publishing() {
  local program
  for program in skopeo cosign; do
    if has "$program" || ! is_root || ! has apt-get; then continue; fi
    if apt-cache show "$program" > /dev/null 2>&1; then apt_install "$program"; fi
  done
}

# Names of tests/e2e/browser.py. Ubuntu's package is a snap, which the tests cannot drive: there Chrome itself will do.
setup_browser() {
  local program
  for program in chromium google-chrome google-chrome-stable; do
    if has "$program"; then return; fi
  done
  if is_root && has apt-get && [ "$(release ID)" = debian ]; then
    apt_install chromium
  else
    die "no Chromium is here, which the tests of the web page need" \
      "Debian: sudo apt-get install chromium" "elsewhere: install Google Chrome"
  fi
}

# The kernel's list of who runs programs of which processor: https://docs.kernel.org/admin-guide/binfmt-misc.html
setup_emulation() {
  local machine=aarch64 list=/proc/sys/fs/binfmt_misc
  if [ "$(uname -m)" = aarch64 ]; then machine=x86_64; fi
  # arch-test is how mmdebstrap asks what runs here.
  if [ -e "$list/qemu-$machine" ] && has arch-test; then return; fi
  if ! is_root || ! has apt-get; then
    die "programs of $machine do not run here, which tests and images of another platform need" \
      "Debian, Ubuntu: sudo apt-get install qemu-user-static binfmt-support arch-test" \
      "elsewhere:      docker run --privileged --rm tonistiigi/binfmt --install all"
  fi
  apt_install qemu-user-static binfmt-support arch-test
  # In a container nobody mounts the list, and no service is started.
  [ -e "$list/register" ] || quietly mount -t binfmt_misc binfmt_misc "$list" ||
    die "$list cannot be mounted" "load the kernel's module binfmt_misc, or run this on the host"
  [ -e "$list/qemu-$machine" ] || quietly update-binfmts --enable "qemu-$machine" || true
  [ -e "$list/qemu-$machine" ] || die "qemu is installed, and the kernel does not know it" \
    "run: sudo update-binfmts --enable qemu-$machine"
}

case ${1-all} in
  venv) setup_venv ;;
  all)
    setup_venv
    check_engine
    setup_plugins
    setup_mmdebstrap
    setup_publishing
    ;;
  browser) setup_browser ;;
  emulation) setup_emulation ;;
  *) die "usage: scripts/setup.sh [venv|browser|emulation]" ;;
esac
