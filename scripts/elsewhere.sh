#!/usr/bin/env bash
# Does xgrad work on another system than this one? Makes a Debian in a folder by debootstrap, runs there what users of
# that system would, and removes it again; what the systems share stays in build/elsewhere. Needs root.
# Usage: scripts/elsewhere.sh SYSTEM [--keep] [--short]
#   trixie    Debian 13: the two commands of the README, with nothing else installed
#   bookworm  Debian 12: the same
#   arm64     64-bit Arm: the tests, compiled by a cross compiler on Debian 13 and run by an emulator
#   windows   Windows: the same
#   --keep    leave the folder for the next run, which goes on with it
#   --short   only a few of the tests, which together touch every part
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

usage() {
  sed -n '4,10s/^# //p' "$0" >&2
  exit 2
}
system=${1-} release=trixie keep= short= optimised="-O3 -DNDEBUG"
for option in "${@:2}"; do
  case $option in
    --keep) keep=yes ;;
    --short) short=--short optimised=-O1 ;;
    *) usage ;;
  esac
done
# Kernels are compiled with -O3 always.
cross() {
  echo "scripts/deps.sh $system; cmake --preset $system -DCMAKE_CXX_FLAGS_RELEASE='$optimised' >/dev/null;" \
    "scripts/test.sh $system $short"
}
case $system in
  trixie | bookworm) release=$system commands="scripts/demo.sh; scripts/test.sh $short" ;;
  arm64) commands="dpkg --add-architecture arm64; $(cross)" ;;
  windows) commands=$(cross) ;;
  *) usage ;;
esac
[ "$(id -u)" -eq 0 ] || { echo "elsewhere.sh: only root can make another system in a folder" >&2; exit 1; }

scripts/deps.sh elsewhere
base=$PWD/build/elsewhere/base.$release root=$PWD/build/elsewhere/$system
remove() { rm -rf --one-file-system "$1"; }
leave() {
  umount "$root/proc" "$root/dev/pts" 2>/dev/null || true
  [ "$keep" ] || remove "$root"
}
trap leave EXIT

# Each is made under another name, so that one that is there is whole; the first that is by one run at a time.
mkdir -p "${base%/*}"
exec {making}>"$base.lock"
flock "$making"
if [ ! -e "$base" ]; then
  remove "$base.part"
  mkdir -p "$base.part"
  echo "Making a Debian in $base"
  debootstrap --variant=minbase $release "$base.part" >"$base.log" 2>&1 || { tail -20 "$base.log" >&2; exit 1; }
  echo force-unsafe-io >"$base.part/etc/dpkg/dpkg.cfg.d/unsafe-io"  # no system here has to survive a loss of power
  mv "$base.part" "$base"
fi
exec {making}>&-
if [ ! -e "$root" ]; then
  remove "$root.part"
  cp -a "$base" "$root.part"
  mv "$root.part" "$root"
fi
# A run that was killed has left them.
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
mountpoint -q "$root/dev/pts" || mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts" ||
  echo "elsewhere.sh: without terminals, for which one test asks"  # some containers may not mount them
mkdir -p "$root/xgrad"
find "$root/xgrad" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
git ls-files -z --cached --others --exclude-standard | tar -c --null --files-from=- | tar -x -C "$root/xgrad"

echo "In $root: $commands"
chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 bash -euc "cd /xgrad; $commands"
