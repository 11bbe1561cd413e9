# Sourced by the scripts of this folder: progress, one clear line on failure, packages, users.

NAME=$(basename "$0")
SOURCE=$(cd "$(dirname "$0")/.." && pwd)

step() { printf '== %s\n' "$*"; }

fail() {
  printf '%s: %s\n' "$NAME" "$*" >&2
  exit 1
}

need_root() { [ "$(id -u)" = 0 ] || fail "must run as root (it installs packages and users); try: sudo $0"; }

# What the build needs, and what the tests need besides.
BUILD_PACKAGES="g++ cmake ninja-build ccache pkg-config libasio-dev libssl-dev libfmt-dev libsqlite3-dev
  libpcre2-dev libxml2-dev libcap-ng-dev libseccomp-dev nlohmann-json3-dev libmaxminddb-dev zlib1g-dev
  libdeflate-dev"
TEST_PACKAGES="libgtest-dev libgmock-dev libbenchmark-dev python3 procps libmaxmind-db-writer-perl tinycdb git
  iproute2 nftables openssl python3-pycryptodome"
FUZZ_PACKAGES="clang llvm"

# install_packages NAME...: only what is missing; quiet when nothing is.
install_packages() {
  missing=""
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
  done
  [ -z "$missing" ] && return 0
  step "Installing with apt:$missing"
  command -v apt-get >/dev/null || fail "apt-get not found; install these packages by hand:$missing"
  apt_log=$(mktemp)
  # shellcheck disable=SC2086
  if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends $missing; } >"$apt_log" 2>&1; then
    tail -n 20 "$apt_log" >&2
    rm -f "$apt_log"
    fail "apt-get could not install:$missing"
  fi
  rm -f "$apt_log"
}

# create_users: group and system users, if missing (configuration-and-operation 2.1).
create_users() {
  getent group ospatrol >/dev/null || groupadd --system ospatrol || fail "cannot create group ospatrol"
  for user in ospatrol ospatrolm ospatrolr; do
    getent passwd "$user" >/dev/null ||
      useradd --system --gid ospatrol --home-dir /var/ospatrol --no-create-home \
        --shell /usr/sbin/nologin --comment OSPatrol "$user" || fail "cannot create user $user"
  done
}

# build PRESET TESTS [OPTION...]: configures (TESTS: ON or OFF) and builds; ninja's counter is the progress.
build() {
  preset=$1
  tests=$2
  shift 2
  step "Configuring ($preset)"
  (cd "$SOURCE" && cmake --preset "$preset" -DBUILD_TESTING="$tests" >"$SOURCE/build/configure-$preset.log" 2>&1) || {
    tail -n 30 "$SOURCE/build/configure-$preset.log" >&2
    fail "configuration of preset $preset failed"
  }
  step "Building ($preset)"
  (cd "$SOURCE" && cmake --build --preset "$preset" "$@") || fail "build of preset $preset failed"
}
mkdir -p "$SOURCE/build"
