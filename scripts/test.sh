#!/usr/bin/env bash
# Builds xgrad with its tests and runs them. Usage: scripts/test.sh [PRESET] [--short] [ctest options], PRESET as in
# CMakePresets.json; --short: only a few tests, which together touch every part.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

preset=release
if [ $# -gt 0 ] && [[ $1 != -* ]]; then
  preset=$1
  shift
fi
case $preset in
  clang*) scripts/deps.sh clang ;;
  arm64 | windows) scripts/deps.sh "$preset" ;;
  *) scripts/deps.sh ;;
esac
case $preset in
  *tsan) target=thread_tests ;;  # all that its test preset selects
  *) target=all ;;
esac
if [ "${1-}" = --short ]; then
  target=short_tests
  set -- --label-regex short "${@:2}"
fi
source scripts/build.sh
build "$preset" "$target"
if [ "$preset" = windows ]; then
  # Wine's server and services stay until the end. Debian's server goes with the last program, also while the next one is
  # calling it; and services that a test has started hold its output open.
  export WINEDEBUG=-all WINEPREFIX=$PWD/build/windows/wine
  mkdir -p "$WINEPREFIX"
  wineserver --persistent
  trap 'wineserver --kill' EXIT
  wineboot --init >>build/windows.log 2>&1 </dev/null
fi
result=0
processors=$(env -u OMP_NUM_THREADS nproc)  # which would take that for their number
ctest --preset "$preset" -j "$processors" "$@" </dev/null || result=$?
sed -n 's/^-- Left out/Left out/p' "build/$preset.log"
exit "$result"
