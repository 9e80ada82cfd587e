#!/usr/bin/env bash
# Installs the Debian packages that xgrad needs and says nothing about those that are there.
# Usage: scripts/deps.sh [arm64 | windows | clang | ci | bench | elsewhere]   (arm64, windows: to compile for it and to
# run that, instead of for this system; clang: also what its presets need; ci: what the suite is compared with, counted
# by, looked at or linked with; bench: libtorch, which the benchmarks are, and the BLAS that serves it best; elsewhere:
# what makes other systems)
set -euo pipefail

packages=(
  cmake ninja-build                         # to build
  xtensor-dev xtl-dev libxsimd-dev          # arrays in and out, SIMD
  nlohmann-json3-dev libcli11-dev           # weight files' headers, the examples' command lines
  doctest-dev pkgconf                       # tests
  dataset-fashion-mnist                     # 70 000 images to learn from
  wamerican wfrench wngerman witalian wspanish  # and words of five languages
)
target=(
  g++                                       # a compiler for the system that programs will run on
  libtbb-dev                                # threads
  libdnnl-dev zlib1g-dev                    # large matrix products, compressed data files
  liblapacke libopenblas0                   # factors of matrices, loaded by programs that want some
)
for what in "$@"; do
  case $what in
    arm64) target=(g++-aarch64-linux-gnu qemu-user libtbb-dev:arm64 libdnnl-dev:arm64 zlib1g-dev:arm64) ;;
    windows) target=(g++-mingw-w64-x86-64-posix libz-mingw-w64-dev wine wine64) ;;
    clang) packages+=(clang libclang-rt-dev clang-19 libc++-19-dev) ;;
    ci) packages+=(python3-torch python3-sklearn valgrind chromium fonts-dejavu-core lld) ;;
    bench) packages+=(libtorch-dev libopenblas-dev) ;;
    elsewhere) packages+=(debootstrap) ;;
    *) echo "deps.sh: '$what' is none of arm64, windows, clang, ci, bench and elsewhere" >&2; exit 2 ;;
  esac
done
packages+=("${target[@]}")

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
if [[ ${packages[*]} == *:arm64* ]] && ! dpkg --print-foreign-architectures | grep -qx arm64; then
  echo "This system has no packages for arm64. Allow it them by: dpkg --add-architecture arm64" >&2
  echo "or leave it as it is, and work in a folder of its own: scripts/elsewhere.sh arm64" >&2
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
  # Nor is a package of the user's removed for one of another architecture that cannot stand beside it.
  "${as_root[@]}" apt-get update || true
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends --no-remove \
    -o DPkg::Lock::Timeout=120 "${missing[@]}"
}
install >"$log" 2>&1 </dev/null || { tail -20 "$log" >&2; exit 1; }
