#!/usr/bin/env bash
# Builds xgrad and trains the reference network on 70 000 images of clothes. Arguments are passed on to it; see --help.
# Files are read and written where the caller stands.
set -euo pipefail
called_from=$PWD
cd "$(dirname "$(readlink -f "$0")")/.."
root=$PWD

scripts/deps.sh
source scripts/build.sh
build release reference_network
cd "$called_from"
exec "$root/build/release/examples/reference_network" "$@" </dev/null
