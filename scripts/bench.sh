#!/usr/bin/env bash
# Builds xgrad and measures it beside libtorch, a hand-written step and what the processor can do at most; about ten
# minutes, in which nothing else should run. Prints a table, and writes bench.json, bench.svg and bench_kernels.svg where
# the caller stands. Arguments are passed on: --only engine,step for the reference network alone; see --help.
set -euo pipefail
called_from=$PWD
cd "$(dirname "$(readlink -f "$0")")/.."
root=$PWD

scripts/deps.sh bench
source scripts/build.sh
build bench bench
cd "$called_from"
exec "$root/build/release/benchmarks/bench" "$@" </dev/null
