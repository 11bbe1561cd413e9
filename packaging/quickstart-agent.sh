#!/bin/sh
# From a fresh clone to an alert of an agent: installs what is missing, builds, installs a manager and an agent, puts the
# agent into a network namespace of its own, enrols it, shows it an SSH brute force, and prints the manager's alert.
# Usage: packaging/quickstart-agent.sh [--prefix DIR]        (default /var/ospatrol-demo; can be run again)
#        packaging/quickstart-agent.sh [--prefix DIR] --remove  stops both and takes everything away again
set -eu
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/demo.sh"

PREFIX=/var/ospatrol-demo
REMOVE=no
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) PREFIX=${2:?--prefix needs a directory}; shift 2 ;;
    --remove) REMOVE=yes; shift ;;
    *) fail "unknown option '$1'; known: --prefix DIR, --remove" ;;
  esac
done
case $PREFIX in /*) ;; *) PREFIX=$(pwd)/$PREFIX ;; esac
need_root

MANAGER=$PREFIX/manager
AGENT=$PREFIX/agent
SPACE=ospatrol-demo       # network namespace of the agent
LINK=osp-demo             # the manager's end of the wire to it
MANAGER_IP=10.199.77.1
AGENT_IP=10.199.77.2
NAME_OF_AGENT=demo-agent

in_space() { ip netns exec "$SPACE" "$@"; }

stop_all() {
  [ ! -x "$AGENT/bin/ospatrol-control" ] || "$AGENT/bin/ospatrol-control" stop >/dev/null || true
  [ ! -x "$MANAGER/bin/ospatrol-control" ] || "$MANAGER/bin/ospatrol-control" stop >/dev/null || true
  ip netns del "$SPACE" 2>/dev/null || true
  ip link del "$LINK" 2>/dev/null || true
}

if [ "$REMOVE" = yes ]; then
  stop_all
  rm -rf "$MANAGER" "$AGENT"
  rmdir "$PREFIX" 2>/dev/null || true
  step "Stopped and removed"
  exit 0
fi

# shellcheck disable=SC2086
install_packages $BUILD_PACKAGES iproute2
build release OFF --target programs
stop_all

step "A network namespace for the agent: $AGENT_IP, the manager at $MANAGER_IP"
ip netns add "$SPACE" || fail "cannot make a network namespace (a container without CAP_SYS_ADMIN?)"
ip link add "$LINK" type veth peer name eth0 netns "$SPACE"
ip address add "$MANAGER_IP/30" dev "$LINK"
ip link set "$LINK" up
in_space ip address add "$AGENT_IP/30" dev eth0
in_space ip link set eth0 up
in_space ip link set lo up

step "Installing the manager in $MANAGER and the agent in $AGENT"
mkdir -p "$PREFIX"
chmod 0755 "$PREFIX"
"$SOURCE/packaging/install.sh" --prefix "$MANAGER" --kind server --no-system
"$SOURCE/packaging/install.sh" --prefix "$AGENT" --kind agent --manager "$MANAGER_IP" --no-system

# The agent watches one log file, and nothing of this machine.
demo=$AGENT/var/demo.log
make_demo_log "$demo"
cat >"$AGENT/etc/ospatrol.conf" <<CONF
<ospatrol_config>
  <client>
    <server-ip>$MANAGER_IP</server-ip>
    <notify_time>60</notify_time>
  </client>
  <localfile>
    <log_format>syslog</log_format>
    <location>$demo</location>
  </localfile>
</ospatrol_config>
CONF

step "Starting the manager, with enrolment"
password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
(umask 0027 && printf '%s\n' "$password" >"$MANAGER/etc/authd.pass")
chown root:ospatrol "$MANAGER/etc/authd.pass"
"$MANAGER/bin/ospatrol-control" enable authd
"$MANAGER/bin/ospatrol-control" start || fail "the manager did not start; see $MANAGER/logs/ospatrol.log"

if ! [ -s "$AGENT/etc/client.keys" ]; then
  step "Enrolling the agent: agent-auth -m $MANAGER_IP -A $NAME_OF_AGENT"
  (umask 0077 && printf '%s\n' "$password" >"$AGENT/etc/enrolment.pass")
  in_space "$AGENT/bin/agent-auth" -D "$AGENT" -m "$MANAGER_IP" -A "$NAME_OF_AGENT" -P "$AGENT/etc/enrolment.pass" ||
    fail "enrolment failed; see $MANAGER/logs/ospatrol.log"
  rm -f "$AGENT/etc/enrolment.pass"
fi

step "Starting the agent"
in_space "$AGENT/bin/ospatrol-control" start || fail "the agent did not start; see $AGENT/logs/ospatrol.log"

step "Appending a made-up SSH brute force to $demo, on the agent"
attack_and_wait "$demo" "$NAME_OF_AGENT" "$MANAGER/logs/alerts/alerts.log" "($NAME_OF_AGENT) " \
  "the logs of $MANAGER and $AGENT"

printf '\n%s\n' "$alert"
"$MANAGER/bin/agent_control" -D "$MANAGER" -l
cat <<DONE
The manager and its agent are running.
  alerts          $MANAGER/logs/alerts/alerts.log
  the agent       ip netns exec $SPACE $AGENT/bin/ospatrol-control status
  take all away   $0 --prefix $PREFIX --remove
DONE
