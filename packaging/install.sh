#!/bin/sh
# Installs a built OSPatrol: users, directories, files, owners and modes as packaging/files.tsv says.
# Usage: packaging/install.sh [--prefix DIR] [--kind local|server|agent] [--manager ADDRESS] [--build DIR] [--no-system]
#   --manager    address or name of the manager; needed by the first installation of an agent
#   --no-system  leaves /etc/ospatrol-init.conf and settings of the kernel alone (a second installation, tests)
# Can be run again: what the administrator owns is kept.
set -eu
. "$(dirname "$0")/lib.sh"

PREFIX=/var/ospatrol
KIND=local
BUILD=$SOURCE/build/release
SYSTEM=yes
MANAGER=""
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) PREFIX=${2:?--prefix needs a directory}; shift 2 ;;
    --kind) KIND=${2:?--kind needs local, server or agent}; shift 2 ;;
    --manager) MANAGER=${2:?--manager needs an address or name}; shift 2 ;;
    --build) BUILD=${2:?--build needs a directory}; shift 2 ;;
    --no-system) SYSTEM=no; shift ;;
    *) fail "unknown option '$1'; known: --prefix DIR, --kind KIND, --manager ADDRESS, --build DIR, --no-system" ;;
  esac
done
case $KIND in
  local) LETTER=L ;;
  server) LETTER=S ;;
  agent) LETTER=A ;;
  *) fail "--kind is '$KIND'; known: local, server, agent" ;;
esac
case $MANAGER in
  *[!A-Za-z0-9.:_-]*) fail "--manager '$MANAGER' is neither an address nor a host name" ;;
  '') [ "$KIND" != agent ] || [ -e "$PREFIX/etc/ospatrol.conf" ] || fail "an agent needs --manager ADDRESS" ;;
esac
case $PREFIX in /*) ;; *) fail "--prefix '$PREFIX' must be an absolute path" ;; esac
need_root
create_users

# install_file SOURCE TARGET OWNER GROUP MODE: replaced by rename, so that a running program keeps its old file.
install_file() {
  [ -f "$1" ] || fail "missing $1 (build first, or the source tree is incomplete)"
  install -o "$3" -g "$4" -m "$5" "$1" "$2.new"
  mv -f "$2.new" "$2"
}

# make_configuration SOURCE...: on standard output; the address of the manager takes its place.
make_configuration() {
  case $MANAGER in
    *:*) element=server-ip ;;
    *[!0-9.]*) element=server-hostname ;;
    *) element=server-ip ;;
  esac
  (cd "$SOURCE" && sed "s|@MANAGER@|<$element>$MANAGER</$element>|" "$@")
}

# own_directory PATH OWNER GROUP MODE: of a directory below the prefix. Service users own some of the parents: it is entered
# and compared first, so that a link one of them put there cannot lead owner and mode to a directory elsewhere.
own_directory() {
  expected=$ROOT
  [ "$1" = . ] || expected=$ROOT/$1
  (
    cd -P "$ROOT/$1" || fail "cannot enter $expected"
    real=$(pwd -P)
    [ "$real" = "$expected" ] || fail "$expected leads to $real; it must be a directory of its own (see who put it there)"
    chown "$2:$3" .
    chmod "$4" .
  )
}

# queue_length: room for 512 events instead of 10 in the datagram queue, or a line that says why not. Never less than the
# administrator has set; a file of ours that was edited stays.
queue_length() {
  key=net.unix.max_dgram_qlen
  setting=/etc/sysctl.d/60-ospatrol.conf
  now=$(cat /proc/sys/net/unix/max_dgram_qlen 2>/dev/null) || {
    step "$key cannot be read here; the datagram queue keeps the system's length"
    return 0
  }
  [ "$now" -lt 512 ] || return 0
  if [ "$SYSTEM" = no ]; then
    step "$key is $now (--no-system: not changed); with 512, programs that write to the datagram queue wait less"
    return 0
  fi
  if [ -d /etc/sysctl.d ] && [ ! -e "$setting" ]; then
    printf '# Length of Unix datagram queues: events of other programs wait there for OSPatrol.\n%s = 512\n' "$key" \
      >"$setting" && chmod 0644 "$setting"
  fi
  if (echo 512 >/proc/sys/net/unix/max_dgram_qlen) 2>/dev/null; then
    step "Set $key = 512 (was $now), kept in $setting; counts for daemons started from now on"
  else
    step "$key is $now and may not be changed here (a container?); set it to 512 on the host: sysctl -w $key=512"
  fi
}

# make_certificate: the self-signed pair that ospatrol-authd needs, unless there is one. An agent that was given the
# certificate (agent-auth -v) knows that it talks to this manager.
make_certificate() {
  [ ! -e "$PREFIX/etc/sslmanager.cert" ] && [ ! -e "$PREFIX/etc/sslmanager.key" ] || return 0
  command -v openssl >/dev/null || {
    step "No openssl program: put a certificate into etc/sslmanager.cert and its key into etc/sslmanager.key for ospatrol-authd"
    return 0
  }
  host=$(hostname -f 2>/dev/null || uname -n)
  new=$(mktemp -d "$PREFIX/etc/.certificate.XXXXXX")
  if ! errors=$(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 825 \
      -subj "/CN=OSPatrol manager" -addext "subjectAltName=DNS:$host" -keyout "$new/key" -out "$new/cert" 2>&1); then
    rm -rf "$new"
    fail "openssl could not make etc/sslmanager.cert: $errors"
  fi
  chown root:ospatrol "$new/key" "$new/cert"
  chmod 0640 "$new/key" "$new/cert"
  mv -f "$new/key" "$PREFIX/etc/sslmanager.key"
  mv -f "$new/cert" "$PREFIX/etc/sslmanager.cert"
  rmdir "$new"
}

[ -d "$PREFIX" ] || mkdir -p "$PREFIX"
ROOT=$(cd -P "$PREFIX" && pwd -P)

tab=$(printf '\t')
while IFS="$tab" read -r kind path on owner group mode source; do
  case $kind in ''|'#'*) continue ;; esac
  case $on in *"$LETTER"*) ;; *) continue ;; esac
  target=$PREFIX/$path
  [ "$path" = . ] && target=$PREFIX
  case $kind in
    dir)
      # No -p: a mode for parents outside the prefix is not ours to choose.
      [ -d "$target" ] || mkdir -p "$target"
      own_directory "$path" "$owner" "$group" "$mode"
      ;;
    program) install_file "$BUILD/src/$source" "$target" "$owner" "$group" "$mode" ;;
    file)
      for match in "$SOURCE"/$source; do
        file=$(basename "$match")
        [ "$path" = rules ] && [ "$file" = local_rules.xml ] && continue  # its own line, kind keep
        if [ -d "$target" ]; then
          install_file "$match" "$target/$file" "$owner" "$group" "$mode"
        else
          install_file "$match" "$target" "$owner" "$group" "$mode"
        fi
      done
      ;;
    keep)
      if [ ! -e "$target" ]; then
        # shellcheck disable=SC2046
        make_configuration $(printf '%s' "$source" | tr + ' ') >"$target.new"
        chown "$owner:$group" "$target.new"
        mv -f "$target.new" "$target"
      fi
      chown "$owner:$group" "$target"
      chmod "$mode" "$target"
      ;;
    state)
      # As its owner, who owns the directory too: root would follow a link that was put there.
      [ -e "$target" ] || (cd "$ROOT" && setpriv --reuid "$owner" --regid "$group" --clear-groups \
        install -m "$mode" /dev/null "$path") || fail "cannot make $target as user $owner"
      ;;
    keys)
      if [ ! -e "$target" ]; then
        : >"$target"
        chown "$owner:$group" "$target"
        chmod "$mode" "$target"
      fi
      ;;
    host) [ ! -f "$source" ] || install_file "$source" "$target" "$owner" "$group" "$mode" ;;
    runtime) ;;
    *) fail "packaging/files.tsv: unknown kind '$kind' at '$path'" ;;
  esac
done <"$SOURCE/packaging/files.tsv"

[ "$KIND" != server ] || make_certificate

version=$(sed -n 's/^project(ospatrol VERSION \([0-9.]*\).*/\1/p' "$SOURCE/CMakeLists.txt")
init=$PREFIX/etc/ospatrol-init.conf
{
  printf 'DIRECTORY="%s"\nVERSION="v%s"\nDATE="%s"\nTYPE="%s"\n' "$PREFIX" "$version" "$(date)" "$KIND"
} >"$init.new"
chown root:ospatrol "$init.new"
chmod 0640 "$init.new"
mv -f "$init.new" "$init"
if [ "$SYSTEM" = yes ]; then
  install -o root -g root -m 0600 "$init" /etc/ospatrol-init.conf
fi
queue_length
step "Installed OSPatrol $version ($KIND) in $PREFIX"
