#!/usr/bin/env bash
# Builds xgrad with its tests and runs them. Usage: scripts/test.sh [PRESET] [ctest options], PRESET as in CMakePresets.json.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=release
if [ $# -gt 0 ] && [[ $1 != -* ]]; then
  preset=$1
  shift
fi
scripts/deps.sh
source scripts/build.sh
build "$preset" all
ctest --preset "$preset" -j "$(nproc)" "$@"
