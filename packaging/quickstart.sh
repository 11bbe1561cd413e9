#!/bin/sh
# From a fresh clone to the first alert: installs what is missing, builds, installs a local OSPatrol, starts it, shows it
# an SSH brute force, and prints the alert.
# Usage: packaging/quickstart.sh [--prefix DIR]        (default /var/ospatrol; can be run again)
#        packaging/quickstart.sh --with-agent ...      a manager and an agent instead: quickstart-agent.sh
set -eu
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/demo.sh"

if [ "${1:-}" = --with-agent ]; then
  shift
  exec "$(dirname "$0")/quickstart-agent.sh" "$@"
fi

PREFIX=/var/ospatrol
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) PREFIX=${2:?--prefix needs a directory}; shift 2 ;;
    *) fail "unknown option '$1'; known: --prefix DIR, --with-agent" ;;
  esac
done
case $PREFIX in /*) ;; *) PREFIX=$(pwd)/$PREFIX ;; esac
need_root

# shellcheck disable=SC2086
install_packages $BUILD_PACKAGES
build release OFF --target programs

step "Installing in $PREFIX"
[ ! -x "$PREFIX/bin/ospatrol-control" ] || "$PREFIX/bin/ospatrol-control" stop >/dev/null || true
if [ "$PREFIX" = /var/ospatrol ]; then
  "$SOURCE/packaging/install.sh" --prefix "$PREFIX"
else
  "$SOURCE/packaging/install.sh" --prefix "$PREFIX" --no-system
fi

# The made-up attack goes into a log file of its own: this machine's real logs stay as they are. Not in logs, which
# belongs to a service user: root would follow a link that was put there.
demo=$PREFIX/var/quickstart.log
conf=$PREFIX/etc/ospatrol.conf
if ! grep -q "<location>$demo</location>" "$conf"; then
  cat >>"$conf" <<CONF

<ospatrol_config>  <!-- the log file of packaging/quickstart.sh: remove this block when you no longer need it -->
  <localfile>
    <log_format>syslog</log_format>
    <location>$demo</location>
  </localfile>
</ospatrol_config>
CONF
fi
make_demo_log "$demo"

step "Starting"
"$PREFIX/bin/ospatrol-control" start || fail "ospatrol-control start failed; see $PREFIX/logs/ospatrol.log"

step "Appending a made-up SSH brute force to $demo"
attack_and_wait "$demo" "$(hostname -s 2>/dev/null || uname -n)" "$PREFIX/logs/alerts/alerts.log" "->$demo" \
  "$PREFIX/logs/ospatrol.log"

cat <<DONE

$alert

OSPatrol is watching this machine.
  alerts        $PREFIX/logs/alerts/alerts.log and alerts.json
  its own log   $PREFIX/logs/ospatrol.log
  settings      $PREFIX/etc/ospatrol.conf      (then: $PREFIX/bin/ospatrol-control reload)
  your rules    $PREFIX/rules/local_rules.xml
  stop it       $PREFIX/bin/ospatrol-control stop
DONE
