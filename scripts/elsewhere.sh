#!/usr/bin/env bash
# Does xgrad work on another system than this one? Makes that system in a folder by debootstrap, runs there what its
# users would, and removes it again. Needs root.
# Usage: scripts/elsewhere.sh SYSTEM [--keep]     (--keep: leave the folder for the next run, which goes on with it)
#   trixie   Debian 13: the two commands of the README, with nothing else installed
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

usage() {
  sed -n '4,5s/^# //p' "$0" >&2
  exit 2
}
system=${1-} keep=
[ "$system" = trixie ] || usage
case ${2-} in
  "") ;;
  --keep) keep=yes ;;
  *) usage ;;
esac
[ "$(id -u)" -eq 0 ] || { echo "elsewhere.sh: only root can make another system in a folder" >&2; exit 1; }

scripts/deps.sh elsewhere
root=$PWD/build/elsewhere/$system
leave() {
  umount "$root/proc" 2>/dev/null || true
  [ "$keep" ] || rm -rf --one-file-system "$root"
}
trap leave EXIT

if [ ! -e "$root/made" ]; then
  rm -rf --one-file-system "$root"
  mkdir -p "$root"
  echo "Making Debian's $system in $root"
  debootstrap --variant=minbase "$system" "$root" >"$root.log" 2>&1 || { tail -20 "$root.log" >&2; exit 1; }
  touch "$root/made"
fi
mount -t proc proc "$root/proc"
mkdir -p "$root/xgrad"
git ls-files -z --cached --others --exclude-standard | tar -c --null --files-from=- | tar -x -C "$root/xgrad"
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 bash -euc "cd /xgrad; $1"; }

inside 'scripts/demo.sh; scripts/test.sh'
