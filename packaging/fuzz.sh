#!/bin/sh
# Builds the fuzz targets with clang, runs each for some minutes over its seeds, and prints a table.
# Usage: packaging/fuzz.sh [--minutes N] [--coverage] [--no-build] [TARGET...]
#   --minutes N   time for each target (default 10; 0 only replays)
#   --coverage    also measure which lines of the files under test the inputs reach (llvm-cov)
#   --no-build    take the programs that are there
#   TARGET        names as in tests/fuzz/TARGET_fuzz.cpp; without any: all of them
# What is found lies in build/fuzz/findings; the inputs that were kept in build/fuzz/corpus are the start
# of the next run. Exit code 1 when a target failed.
set -eu
. "$(dirname "$0")/lib.sh"

MINUTES=10
COVERAGE=no
BUILDING=yes
while [ $# -gt 0 ]; do
  case $1 in
    --minutes) MINUTES=${2:?--minutes needs a number}; shift 2 ;;
    --coverage) COVERAGE=yes; shift ;;
    --no-build) BUILDING=no; shift ;;
    -*) fail "unknown option $1; expected --minutes N, --coverage, --no-build or names of targets" ;;
    *) break ;;
  esac
done
case $MINUTES in '' | *[!0-9]*) fail "--minutes $MINUTES: expected a number" ;; esac

BUILD="$SOURCE/build/fuzz"
if [ $# -eq 0 ]; then
  # shellcheck disable=SC2046,SC2012
  set -- $(cd "$SOURCE/tests/fuzz" && ls ./*_fuzz.cpp | sed 's/_fuzz\.cpp$//; s/^\.\///')
fi
for target in "$@"; do
  [ -f "$SOURCE/tests/fuzz/${target}_fuzz.cpp" ] || fail "no fuzz target $target in tests/fuzz"
done

# The second line of a target: "// under test: FILE...", relative to src/.
files_under_test() { sed -n '2s|^// under test: ||p' "$SOURCE/tests/fuzz/$1_fuzz.cpp"; }

# run NAME: leaves runs, seconds and the outcome in the variables of these names.
run() {
  mkdir -p "$BUILD/corpus/$1" "$BUILD/findings" "$BUILD/logs"
  log="$BUILD/logs/$1.log"
  limit="-max_total_time=$((MINUTES * 60))"
  [ "$MINUTES" -gt 0 ] || limit=-runs=0
  outcome=good
  LLVM_PROFILE_FILE=/dev/null nice -n 10 "$BUILD/tests/fuzz/$1_fuzz" "$limit" -max_len=4096 -timeout=20 \
    -rss_limit_mb=2048 -entropic_scale_per_exec_time=1 -print_final_stats=1 "-artifact_prefix=$BUILD/findings/$1-" \
    "$BUILD/corpus/$1" "$SOURCE/tests/fuzz/seeds/$1" >"$log" 2>&1 || outcome=FAILED
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  seconds=$(sed -n 's/^Done [0-9]* runs in \([0-9]*\) second.*/\1/p' "$log")
}

# Share of lines that seeds and corpus reach: "93.2 % of 207".
coverage() {
  [ "$COVERAGE" = yes ] || { echo "-"; return; }
  profile="$BUILD/logs/$1.profraw"
  LLVM_PROFILE_FILE=$profile "$BUILD/tests/fuzz/$1_fuzz" -runs=0 \
    "$BUILD/corpus/$1" "$SOURCE/tests/fuzz/seeds/$1" >/dev/null 2>&1 || { echo "failed"; return; }
  llvm-profdata merge -sparse "$profile" -o "$BUILD/logs/$1.profdata"
  # Paths in the profile are relative (ccache), so the rows are chosen by their ends.
  llvm-cov report "$BUILD/tests/fuzz/$1_fuzz" -instr-profile="$BUILD/logs/$1.profdata" |
    awk -v files="$(files_under_test "$1")" '
      BEGIN { count = split(files, wanted, " ") }
      { for (i = 1; i <= count; i++) {
          if (substr($1, length($1) - length(wanted[i])) == "/" wanted[i]) { lines += $8; missed += $9 } } }
      END { printf "%.1f %% of %d", lines ? 100 * (lines - missed) / lines : 0, lines }'
}

if [ "$BUILDING" = yes ]; then
  # shellcheck disable=SC2086
  [ "$(id -u)" != 0 ] || install_packages $BUILD_PACKAGES $TEST_PACKAGES $FUZZ_PACKAGES
  names=""
  for target in "$@"; do names="$names ${target}_fuzz"; done
  # shellcheck disable=SC2086
  build fuzz ON --target $names
fi

table="$BUILD/fuzz.txt"
row='%-18s %5s %12s %8s %-8s %-16s %s\n'
{
  # shellcheck disable=SC2059
  printf "$row" target seeds runs seconds outcome "lines reached" "files under test"
} | tee "$table"
failed=0
for target in "$@"; do
  seeds=$(find "$SOURCE/tests/fuzz/seeds/$target" -type f | wc -l)
  run "$target"
  [ "$outcome" = good ] || failed=$((failed + 1))
  reached=$(coverage "$target")
  # shellcheck disable=SC2059
  printf "$row" "$target" "$seeds" "${runs:--}" "${seconds:--}" "$outcome" "$reached" \
    "$(files_under_test "$target")" | tee -a "$table"
done
[ "$failed" = 0 ] || fail "$failed targets failed; see build/fuzz/logs and build/fuzz/findings"
