#!/bin/sh
# Installs what is missing, builds, and runs every test with ctest.
# Usage: packaging/run-tests.sh [--preset release|debug|asan|tsan] [ctest options...]
# Real logs for some tests are found through OSPATROL_CORPUS (a folder with loghub/ and bench/mixed.log);
# without it these tests are reported as skipped.
set -eu
. "$(dirname "$0")/lib.sh"

PRESET=release
if [ "${1:-}" = --preset ]; then
  PRESET=${2:?--preset needs a name}
  shift 2
fi

# shellcheck disable=SC2086
if [ "$(id -u)" = 0 ]; then
  install_packages $BUILD_PACKAGES $TEST_PACKAGES
  create_users
else
  step "Not root: packages are taken as installed, tests that need root are skipped"
fi
build "$PRESET" ON

[ -n "${OSPATROL_CORPUS:-}" ] || step "OSPATROL_CORPUS is not set: tests on real logs will be skipped"
step "Testing ($PRESET)"
cd "$SOURCE"
count=$(ctest --preset "$PRESET" --show-only "$@" | sed -n 's/^Total Tests: //p')
[ "${count:-0}" -gt 0 ] || fail "no test was found; the build is incomplete"
step "$count tests"
ctest --preset "$PRESET" --no-tests=error -j "$(nproc)" "$@" || fail "tests failed; see build/$PRESET/Testing/Temporary/LastTest.log"
