#!/usr/bin/env bash
# What a newcomer's mistake looks like: each program here either compiles, or ends in at most 15 lines of the compiler
# with the words that its second line asks for among the first ten. Prints how many lines each takes.
# Usage: check.sh SOURCE_DIR WORK_DIR CXX_COMPILER
set -euo pipefail
here=$1/tests/compile_errors
export work=$2
export compile="$3 -std=c++20 -fdiagnostics-color=never -I$work -I$1"
export LC_ALL=C  # plain quotes

# What all of them include, compiled once.
mkdir -p "$work"
printf '#include <algorithm>\n#include <iostream>\n#include <%s/xgrad.hpp>\n' "$1" >"$work/all.hpp"
$compile -x c++-header "$work/all.hpp" -o "$work/xgrad.hpp.gch"

check() {
  local name=${1##*/} said lines wanted
  wanted=$(sed -n '2s,^// says: ,,p' "$1")
  said=$($compile -fsyntax-only "$1" 2>&1) && { [ -z "$wanted" ] && echo "   0 $name" && return || echo "$name: compiles"; return 1; }
  lines=$(wc -l <<<"$said")
  [ -n "$wanted" ] && [ "$lines" -le 15 ] && grep -qF -- "$wanted" <(head -n 10 <<<"$said") && printf '%4d %s\n' "$lines" "$name" && return
  printf '%s: %d lines, at most 15 with these words near the top: %s\n%s\n' "$name" "$lines" "${wanted:-none}" "$said"
  return 1
}
export -f check
printf '%s\n' "$here"/*.cpp | xargs -P 2 -I{} bash -c 'check "$1"' check {}
