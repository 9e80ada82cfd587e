#!/usr/bin/env bash
# Builds xgrad with its tests and runs them. Usage: scripts/test.sh [PRESET] [ctest options], PRESET as in CMakePresets.json.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

preset=release
if [ $# -gt 0 ] && [[ $1 != -* ]]; then
  preset=$1
  shift
fi
case $preset in
  clang*) scripts/deps.sh clang ;;
  *) scripts/deps.sh ;;
esac
case $preset in
  *tsan) target=thread_tests ;;  # all that its test preset selects
  *) target=all ;;
esac
source scripts/build.sh
build "$preset" "$target"
ctest --preset "$preset" -j "$(nproc)" "$@" </dev/null
