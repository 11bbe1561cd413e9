# Sourced by the quickstart scripts, after lib.sh: a log file of their own, a made-up attack in it, the alert about that.

# make_demo_log FILE: empty, readable for the collector, unless it is there.
make_demo_log() { [ -e "$1" ] || install -o root -g ospatrol -m 0640 /dev/null "$1"; }

# attack_and_wait LOG HOST ALERTS WHERE HINT: appends ten failed logins at HOST to LOG; the alert of rule 5712 about them in
# the file ALERTS, which holds the text WHERE, is then in $alert. None within a minute: fails, with HINT.
attack_and_wait() {
  alerts_before=$(stat -L -c %s "$3" 2>/dev/null || echo 0)
  attack_port=40000
  for user in admin oracle test guest ftp postgres backup nagios deploy jenkins; do
    attack_port=$((attack_port + 1))
    # Another process number each run: the same line again within a short time would be taken for a repetition.
    printf '%s %s sshd[%d]: Failed password for invalid user %s from 198.51.100.7 port %d ssh2\n' \
      "$(LC_ALL=C date '+%b %e %H:%M:%S')" "$2" $$ "$user" "$attack_port"
  done >>"$1"

  alert=""
  tries=0
  while [ -z "$alert" ]; do
    # Only what was written since: the file may hold yesterday's alerts.
    alert=$(tail -c "+$((alerts_before + 1))" "$3" 2>/dev/null |
      WHERE=$4 awk 'BEGIN { RS = ""; ORS = "\n\n" } index($0, ENVIRON["WHERE"]) && /\nRule: 5712 / { print; exit }')
    tries=$((tries + 1))
    [ "$tries" -le 600 ] || fail "no alert of rule 5712 within a minute; see $5"
    [ -n "$alert" ] || sleep 0.1
  done
}
