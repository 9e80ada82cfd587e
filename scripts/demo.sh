#!/usr/bin/env bash
# Builds xgrad and trains the reference network on 70 000 images of clothes. Arguments are passed on to it; see --help.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/deps.sh
source scripts/build.sh
build release reference_network
exec build/release/examples/reference_network "$@"
