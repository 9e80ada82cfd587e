#!/usr/bin/env bash
# Is xgrad of use to another project? Installs this build into a folder of its own and builds the program next to this
# script against it: plainly, with -march=native, with xtensor on xsimd; and once with xgrad as a subdirectory. All must
# print the same numbers. Usage: check.sh SOURCE_DIR BUILD_DIR CXX_COMPILER
set -euo pipefail
source_dir=$1 build_dir=$2 compiler=$3
work=$build_dir/tests/consumer
rm -rf "$work"
mkdir -p "$work"

fail() {
  echo "consumer: $*" >&2
  exit 1
}
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "failed: $*"; }; }
configure() {  # FOLDER PROJECT OPTION...
  local folder=$1 project=$2
  shift 2
  quietly cmake -S "$project" -B "$work/$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER="$compiler" \
    -DCMAKE_EXPORT_COMPILE_COMMANDS=ON "$@"
}
# The flags that the program is compiled with, one a line, without files, folders and what the caller asked for.
flags_of() {
  grep '"command"' "$work/$1/compile_commands.json" | grep 'main.cpp' | tr ' ' '\n' |
    grep '^-' | grep -vE '^-(I.*|isystem|o|c|O3|DNDEBUG)$' | sort
}
same() {  # FOLDER
  "$work/$1/my_model" >"$work/$1.txt" || fail "the $1 program failed"
  cmp "$work/plain.txt" "$work/$1.txt" || { diff "$work/plain.txt" "$work/$1.txt" >&2; fail "plain and $1 differ"; }
}

quietly cmake --install "$build_dir" --prefix "$work/prefix"
[ -z "$(find "$work/prefix" -name '*.cpp' -o -name '*test*')" ] || fail "the package holds more than it should"

strict="-Wall -Wextra -Wconversion -Wshadow -Werror"
configure plain "$source_dir/tests/consumer" -DCMAKE_PREFIX_PATH="$work/prefix"
configure native "$source_dir/tests/consumer" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_FLAGS="$strict -march=native"
configure xsimd "$source_dir/tests/consumer" -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DCMAKE_CXX_FLAGS="-march=native -DXTENSOR_USE_XSIMD"
builds=()
for variant in plain native xsimd; do
  cmake --build "$work/$variant" >"$work/$variant.log" 2>&1 &
  builds+=($!)
done
for build in "${builds[@]}"; do
  wait "$build" || { cat "$work"/*.log >&2; fail "the program does not build against the package"; }
done
[ "$(flags_of plain)" = "-std=gnu++20" ] || fail "the package gives its users flags: $(flags_of plain)"
"$work/plain/my_model" >"$work/plain.txt" || fail "the plain program failed"
[ -s "$work/plain.txt" ] || fail "the program printed nothing"
same native
same xsimd

# As a subdirectory, whose headers are under the program's own warnings. The library is not compiled a second time: the
# archive of this build stands in for its own.
mkdir "$work/project"
cp "$source_dir/tests/consumer/main.cpp" "$work/project"
sed "s|find_package.*|add_subdirectory(\"$source_dir\" xgrad)|" "$source_dir/tests/consumer/CMakeLists.txt" \
  >"$work/project/CMakeLists.txt"
configure subdirectory "$work/project" -DCMAKE_CXX_FLAGS="$strict"
[ "$(flags_of subdirectory)" = "$(printf '%s\n' $strict -std=gnu++20 | sort)" ] ||
  fail "a subdirectory gives its users flags: $(flags_of subdirectory)"
cd "$work/subdirectory"
! ninja -t targets all | grep -E 'test\.|examples/|benchmarks/|install.*xgrad/cmake_install' ||
  fail "a subdirectory builds more than the library"
cp "$build_dir/libxgrad.a" xgrad/
quietly ninja CMakeFiles/my_model.dir/main.cpp.o
quietly bash -c "$(ninja -t commands -s my_model)"
same subdirectory
echo "plain, -march=native, xsimd and subdirectory print the same $(wc -l <"$work/plain.txt") lines"
