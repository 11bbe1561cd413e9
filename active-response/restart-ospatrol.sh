#!/bin/sh
# Restarts this installation, when its manager asks for it (restart-ossec0 in etc/shared/ar.conf).
# Arguments: add|delete user address alert rule ...   Only `add` does something.
set -u

home=$(cd "$(dirname "$0")/../.." && pwd -P)

# The log belongs to a service user: no link is followed.
printf '%s %s %s %s %s %s %s\n' "$(LC_ALL=C date)" "$0" "${1:-}" "${2:--}" "${3:--}" "${4:--}" "${5:--}" |
  dd of="$home/logs/active-responses.log" oflag=append,nofollow conv=notrunc status=none

[ "${1:-}" = add ] || exit 0
# In a session of its own: execd, which started this, is one of the programs that are stopped.
setsid "$home/bin/ospatrol-control" restart </dev/null >/dev/null 2>&1 &
