#!/bin/sh
# Builds everything with a sanitizer and runs the tests; a finding fails the test that shows it.
# Usage: packaging/sanitize.sh address|thread [ctest options...]
#   address   AddressSanitizer and UndefinedBehaviorSanitizer, with leaks in unit tests and seeds
#   thread    ThreadSanitizer
# Without ctest options all tests run. What is found in daemons is appended to
# build/PRESET/sanitizer_report.txt, with addresses only where they are in chroots: use
# addr2line -e PROGRAM on them.
set -eu
. "$(dirname "$0")/lib.sh"

# With much address randomisation ThreadSanitizer finds its memory taken.
case ${1:-} in
  address) PRESET=asan; RUN="" ;;
  thread) PRESET=tsan; RUN="setarch -R" ;;
  *) fail "expected address or thread" ;;
esac
shift

if [ "$(id -u)" = 0 ]; then
  # shellcheck disable=SC2086
  install_packages $BUILD_PACKAGES $TEST_PACKAGES
  create_users
fi
failed=""
build "$PRESET" ON

export UBSAN_OPTIONS="print_stacktrace=1"
export TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1"
cd "$SOURCE"
step "Unit tests and seeds ($PRESET)"
ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=1" \
  $RUN ctest --preset "$PRESET" --no-tests=error -LE e2e -j "$(nproc)" "$@" || failed=unit
# A daemon ends with what it still holds: no leaks are looked for there.
step "End-to-end tests ($PRESET)"
ASAN_OPTIONS="detect_leaks=0" $RUN ctest --preset "$PRESET" -L e2e "$@" || failed="${failed:+$failed and }e2e"
[ -z "$failed" ] || fail "$failed tests failed; see build/$PRESET/Testing/Temporary/LastTest.log"
