#!/bin/sh
# ospatrol-control: starts, stops, reloads and checks the daemons of this installation
# (configuration-and-operation 5). The prefix is the parent of this script's directory.
set -u
umask 0027

DIR=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd -P)
NAME=OSPatrol
TYPE=local
VERSION=""
# DIRECTORY, VERSION, DATE, TYPE as the installation wrote them.
[ ! -r "$DIR/etc/ospatrol-init.conf" ] || . "$DIR/etc/ospatrol-init.conf"

# Switched by enable and disable; the last assignment wins.
DB_DAEMON="" CSYSLOG_DAEMON="" OUTPUT_DAEMON="" AGENTLESS_DAEMON="" AUTHD_DAEMON="" DEBUG_CLI=""
[ ! -r "$DIR/bin/.process_list" ] || . "$DIR/bin/.process_list"

case $TYPE in
  agent)
    START="ospatrol-execd ospatrol-agentd ospatrol-logcollector ospatrol-syscheckd"
    STOP="ospatrol-logcollector ospatrol-syscheckd ospatrol-agentd ospatrol-execd"
    ACTIONS="start|stop|reload|restart|status|flow|configtest"
    ;;
  *)
    remoted=""
    [ "$TYPE" != server ] || remoted=ospatrol-remoted
    optional="$DB_DAEMON $CSYSLOG_DAEMON $OUTPUT_DAEMON $AGENTLESS_DAEMON"
    START="$optional ospatrol-maild ospatrol-execd ospatrol-analysisd ospatrol-logcollector $remoted
      $AUTHD_DAEMON ospatrol-syscheckd ospatrol-monitord"
    STOP="ospatrol-monitord ospatrol-logcollector $AUTHD_DAEMON $remoted ospatrol-syscheckd ospatrol-analysisd
      ospatrol-maild ospatrol-execd $optional"
    ACTIONS="start|stop|reload|restart|status|flow|configtest|enable|disable"
    ;;
esac

STOP_TENTHS=750  # 75 s: longer than any daemon's own limit (60 s)
LOCKED=no

usage() {
  [ "$TYPE" = agent ] || echo
  echo "Usage: $0 {$ACTIONS}"
  exit 1
}

need_root() {
  [ "$(id -u)" = 0 ] || { echo "$0: must run as root" >&2; exit 1; }
}

# installed DAEMON...: those of this installation, in the given order.
installed() {
  for daemon in "$@"; do
    [ -x "$DIR/bin/$daemon" ] && printf '%s\n' "$daemon"
  done
}

# pid_of DAEMON: the process id when it runs. var/run is writable by service users, so a pid file counts only when its
# owner is root or a service user, name and content agree, and the process really is this installation's daemon.
pid_of() {
  for file in "$DIR/var/run/$1"-[0-9]*.pid; do
    [ -f "$file" ] && [ ! -L "$file" ] || continue
    pid=${file##*-}
    pid=${pid%.pid}
    case $pid in *[!0-9]*) continue ;; esac
    owner=$(stat -c %U "$file")
    case $owner in root | ospatrol | ospatrolm | ospatrolr) ;; *) continue ;; esac
    # (dd: a planted file could be endless, or become a FIFO after it was looked at.)
    if [ "$(dd if="$file" bs=16 count=1 iflag=nofollow,nonblock status=none 2>/dev/null)" = "$pid" ]; then
      program=$(readlink "/proc/$pid/exe" 2>/dev/null)
      # A replaced program runs on under "... (deleted)"; installation renames, so the old name may end in .new.
      case ${program% (deleted)} in
        "$DIR/bin/$1" | "$DIR/bin/$1.new")
          echo "$pid"
          return 0
          ;;
      esac
    fi
    # Not when only asked for the status: the file may be that of a daemon which is just starting.
    [ "$LOCKED" = no ] || rm -f "$file"
  done
  return 1
}

# locked COMMAND...: one start or stop at a time. The lock goes with the process, whatever ends it. It is on bin because
# only root can open that: in var/run a service user could hold it, or put a link in its place.
locked() {
  exec 9<"$DIR/bin"
  if ! flock -w 120 9; then
    echo "$0: another ospatrol-control has been busy for two minutes; try again when it ends" >&2
    exit 1
  fi
  LOCKED=yes
  "$@"
}

# configtest [-c FILE]: every installed daemon's own check, without side effects.
configtest() {
  file=$DIR/etc/ospatrol.conf
  if [ "${1:-}" = -c ]; then
    file=${2:-}
    [ -n "$file" ] || { echo "$0: configtest -c needs a file" >&2; return 1; }
  fi
  result=0
  for daemon in $(installed $START); do
    # authd reads no configuration file: its -c names ciphers.
    [ "$daemon" = ospatrol-authd ] && set -- || set -- -c "$file"
    "$DIR/bin/$daemon" -t -D "$DIR" "$@" 9>&- || result=1
  done
  return $result
}

start() {
  echo "Starting $NAME $VERSION..."
  if ! configtest; then
    echo "$NAME: Configuration error. Exiting." >&2
    return 1
  fi
  for daemon in $(installed $START); do
    if pid_of "$daemon" >/dev/null; then
      echo "$daemon already running..."
    elif "$DIR/bin/$daemon" -D "$DIR" $DEBUG_CLI 9>&-; then
      # The program returns only when it is ready: no probing, no pause.
      echo "Started $daemon..."
    else
      echo "$daemon did not start correctly."
      return 1
    fi
  done
  echo "Completed."
}

stop() {
  for daemon in $(installed $STOP); do
    # One after the other: a reader goes only after its writers, so nothing is left in a queue.
    if pid=$(pid_of "$daemon"); then
      # Again while there is one: somebody may have started a second by hand.
      while [ -n "$pid" ]; do
        stop_process "$daemon" "$pid"
        pid=$(pid_of "$daemon")
      done
    else
      echo "$daemon not running .."
    fi
  done
  # A dead socket would make writers wait for nobody.
  rm -f "$DIR/queue/ospatrol/queue" "$DIR/queue/ospatrol/stream"
  echo "$NAME $VERSION Stopped"
}

# stop_process DAEMON PID: returns when it is gone. Counts its waits: the clock may be set meanwhile.
stop_process() {
  echo "Killing $1 .. "
  kill "$2" 2>/dev/null
  left=$STOP_TENTHS
  while same_process "$1" "$2"; do
    if [ "$left" -le 0 ]; then
      echo "Process $2 did not exit; sending SIGKILL .."
      kill -9 "$2" 2>/dev/null
      sleep 1
      break
    fi
    sleep 0.1
    left=$((left - 1))
  done
  rm -f "$DIR/var/run/$1-$2.pid"
}

# same_process DAEMON PID: still that program, not another that got its number.
same_process() {
  program=$(readlink "/proc/$2/exe" 2>/dev/null) || return 1
  case ${program% (deleted)} in "$DIR/bin/$1" | "$DIR/bin/$1.new") return 0 ;; esac
  return 1
}

restart() {
  # A broken configuration must not leave the machine unwatched.
  if ! configtest; then
    echo "$NAME: Configuration error. Nothing was stopped." >&2
    return 1
  fi
  stop
  start
}

LOG=$DIR/logs/ospatrol.log
ANSWER_TENTHS=600

# log_since OFFSET: what was written to the log behind that byte. The log belongs to a service user: no link is followed.
log_since() {
  dd if="$LOG" iflag=nofollow,nonblock,skip_bytes skip="$1" bs=64k count=64 status=none 2>/dev/null
}

# reload_daemon DAEMON PID: waits for what the daemon says of the new configuration: 9005 taken, 9004 refused.
reload_daemon() {
  offset=$(stat -c %s "$LOG" 2>/dev/null || echo 0)
  kill -HUP "$2" || return 1
  left=$ANSWER_TENTHS
  while [ "$left" -gt 0 ]; do
    case $(log_since "$offset" | grep -a -o -m 1 " $1(900[45]): ") in
      *9005*)
        echo "Reloaded $1..."
        return 0
        ;;
      *9004*)
        echo "$1 refused the new configuration; the old one stays in force:" >&2
        log_since "$offset" | grep -a " $1([0-9]*): ERROR: " | tr -d '\000-\010\013-\037' >&2
        return 1
        ;;
    esac
    if ! same_process "$1" "$2"; then
      echo "$1 has ended; see $LOG" >&2
      return 1
    fi
    sleep 0.1
    left=$((left - 1))
  done
  echo "$1 has not answered within a minute; see $LOG" >&2
  return 1
}

reload() {
  if ! configtest; then
    echo "$NAME: Configuration error. The running configuration stays in force." >&2
    return 1
  fi
  result=0
  for daemon in $(installed $START); do
    if pid=$(pid_of "$daemon"); then
      reload_daemon "$daemon" "$pid" || result=1
    else
      echo "$daemon not running .."
      result=1
    fi
  done
  return $result
}

status() {
  result=0
  for daemon in $(installed $STOP); do
    if pid_of "$daemon" >/dev/null; then
      echo "$daemon is running..."
    else
      echo "$daemon not running..."
      result=1
    fi
  done
  return $result
}

# flow: what goes in and out at every hop of this machine.
flow() {
  running=""
  for daemon in $(installed $STOP); do
    ! pid_of "$daemon" >/dev/null || running="$running $daemon"
  done
  "$DIR/bin/ospatrol-flow" -D "$DIR" -r "$running"
}

# switch enable|disable FEATURE
switch() {
  case ${2:-} in
    database) variable=DB_DAEMON value=ospatrol-dbd ;;
    client-syslog) variable=CSYSLOG_DAEMON value=ospatrol-csyslogd ;;
    agentless) variable=AGENTLESS_DAEMON value=ospatrol-agentlessd ;;
    outputs) variable=OUTPUT_DAEMON value=ospatrol-outputd ;;
    authd) variable=AUTHD_DAEMON value=ospatrol-authd ;;
    debug) variable=DEBUG_CLI value=-d ;;
    *)
      echo "Features: database, client-syslog, agentless, outputs, authd, debug"
      usage
      ;;
  esac
  if [ "$1" = enable ] && [ "$value" != -d ] && [ ! -x "$DIR/bin/$value" ]; then
    echo "$0: $value is not installed; nothing was changed" >&2
    return 1
  fi
  [ "$1" = enable ] || value=""
  list=$DIR/bin/.process_list
  { grep -v "^$variable=" "$list" 2>/dev/null; printf '%s="%s"\n' "$variable" "$value"; } >"$list.new"
  chmod 0640 "$list.new"
  mv -f "$list.new" "$list"
}

case ${1:-} in
  start | stop | restart) need_root; locked "$1" ;;
  reload) need_root; locked reload ;;
  configtest) shift; configtest "$@" ;;
  status) status ;;
  flow) flow ;;
  enable | disable) [ "$TYPE" != agent ] || usage; need_root; locked switch "$@" ;;
  *) usage ;;
esac
