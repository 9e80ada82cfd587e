#!/usr/bin/env bash
# Installs the Debian packages that xgrad needs and says nothing about those that are there.
# Usage: scripts/deps.sh [clang | ci | bench | elsewhere]   (clang: also what its presets need; ci: and what the suite is
# compared with or counted by; bench: libtorch, which the benchmarks are, and the BLAS that serves it best; elsewhere:
# what makes other systems)
set -euo pipefail

packages=(
  g++ cmake ninja-build                     # to build
  xtensor-dev xtl-dev libxsimd-dev          # arrays in and out, SIMD
  libtbb-dev                                # threads
  libdnnl-dev zlib1g-dev                    # large matrix products, compressed data files
  nlohmann-json3-dev libcli11-dev           # weight files' headers, the examples' command lines
  doctest-dev                               # tests
  dataset-fashion-mnist                     # 70 000 images to learn from
)
for what in "$@"; do
  case $what in
    clang) packages+=(clang libclang-rt-dev) ;;
    ci) packages+=(clang libclang-rt-dev python3-torch valgrind) ;;
    bench) packages+=(libtorch-dev libopenblas-dev) ;;
    elsewhere) packages+=(debootstrap) ;;
    *) echo "deps.sh: '$what' is none of clang, ci, bench and elsewhere" >&2; exit 2 ;;
  esac
done

missing=()
if command -v dpkg-query >/dev/null; then
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
else
  missing=("${packages[@]}")
fi
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
  echo "xgrad needs these packages (Debian's names); install what your system calls them" >&2
  printf '  %s\n' "${missing[@]}" >&2
  echo "and then build without this script: cmake --preset release && cmake --build build/release" >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "xgrad needs these packages; as root, run: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "Installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
  # One of the user's other package sources may be out of order without harm: only the installation has to succeed.
  "${as_root[@]}" apt-get update || true
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    -o DPkg::Lock::Timeout=120 "${missing[@]}"
}
install >"$log" 2>&1 </dev/null || { tail -20 "$log" >&2; exit 1; }
