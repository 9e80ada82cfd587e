#!/usr/bin/env bash
# Is xgrad of use to another project? Installs this build into folders of its own, as a static library and, linked from
# the same objects, as a shared one. The program next to this script is built against both: plainly, with -march=native,
# with xtensor on xsimd; and once in a project that xgrad is a part of. All must print the same numbers. Programs of the
# README are built with pkg-config. Usage: check.sh SOURCE_DIR BUILD_DIR CXX_COMPILER
set -euo pipefail
source_dir=$1 build_dir=$2 compiler=$3
here=$source_dir/tests/consumer
work=$build_dir/tests/consumer
rm -rf "$work"
mkdir -p "$work"

fail() {
  echo "consumer: $*" >&2
  exit 1
}
quietly() {  # LOG COMMAND...
  local log=$work/$1.log
  shift
  "$@" >"$log" 2>&1 || { cat "$log" >&2; fail "failed: $*"; }
}
jobs=()
in_background() {  # COMMAND...
  "$@" &
  jobs+=($!)
}
finish() {
  for job in "${jobs[@]}"; do wait "$job" || exit 1; done
  jobs=()
}
configure() {  # FOLDER PROJECT OPTION...
  local folder=$1 project=$2
  shift 2
  quietly "$folder" cmake -S "$project" -B "$work/$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON "$@"
}
# The flags that the program is compiled with, one a line, without files, folders and what the caller asked for.
flags_of() {
  grep '"command"' "$work/$1/compile_commands.json" | grep 'main.cpp' | tr ' ' '\n' |
    grep '^-' | grep -vE '^-(I.*|isystem|o|c|O3|DNDEBUG)$' | sort
}
# The command that makes a file of a build folder, run there.
make_only() {  # FOLDER FILE
  quietly "$1_link" bash -c "cd '$work/$1' && $(ninja -C "$work/$1" -t commands -s "$2" | tail -1)"
}

# 1. Packages, which are moved after they have been installed.
package() {  # NAME BUILD_DIR
  quietly install cmake --install "$2" --prefix "$work/before"
  mv "$work/before" "$work/$1"
  [ -z "$(find "$work/$1" -name '*.cpp' -o -name '*test*' -o -path '*/gradcheck/*' -o -name sweep.hpp)" ] ||
    fail "the package holds more than it should"
  ! grep -rE "(^|[\"; =IL])($work|$source_dir|$build_dir)(/|$)" "$work/$1/lib"/{cmake,pkgconfig} ||
    fail "the package names folders"
}
package static "$build_dir"
(cd "$source_dir" && grep -ohE '((autograd|nn|optim)/[a-z_/]+|xgrad)\.hpp' README.md docs/*.md examples/*.cpp) | sort -u |
  while read -r header; do [ -f "$work/static/include/xgrad/$header" ] || fail "the package lacks $header"; done

# The objects of the static library are the shared one's too, which is linked without compiling anything.
version=$(PKG_CONFIG_PATH=$work/static/lib/pkgconfig pkg-config --modversion xgrad)
configure shared_build "$source_dir" -DBUILD_SHARED_LIBS=ON -DXGRAD_TESTS=OFF -DXGRAD_EXAMPLES=OFF \
  $(grep -E '^XGRAD_(ONEDNN|LAPACK|TBB):' "$build_dir/CMakeCache.txt" | sed 's/^/-D/')
cp -rlf "$build_dir"/CMakeFiles/xgrad*.dir "$work/shared_build/CMakeFiles"
grep -q "\"version\": \"$version\"" "$source_dir/packaging/vcpkg/vcpkg.json" || fail "vcpkg's recipe is not for $version"
for header in "$source_dir"/*.hpp; do
  grep -q "\"${header##*/}\"" "$source_dir/packaging/conan/conanfile.py" || fail "Conan's recipe leaves ${header##*/} out"
done
make_only shared_build "libxgrad.so.$version"
make_only shared_build libxgrad.so
package shared "$work/shared_build"

# 2. What the shared library shows: no private name, and no folder to look for libraries in. A header that declares what
# the library defines says that it is seen (cmake/Library.cmake); others hold templates only.
dynamic=$(readelf -dW "$work/shared/lib/libxgrad.so")
grep -q "SONAME.*\[libxgrad.so.${version%.*}\]" <<<"$dynamic" || fail "the shared library is misnamed: $dynamic"
! grep -E 'R(UN)?PATH' <<<"$dynamic" || fail "the shared library looks into folders of its own"
! nm -DC --defined-only "$work/shared/lib/libxgrad.so" |
  grep -E '^[^ ]+ . (xgrad::(checking|Gradchecker|Sweep|CapturedStep|kernels::(baseline|avx2|avx512))|nlohmann)::' ||
  fail "the shared library shows what is private"
! grep -rL 'visibility push(default)' "$work/static/include/xgrad" | xargs grep -l 'namespace xgrad' |
  grep -vE '/(simd|fused)/|/fused\.hpp' || fail "the shared library hides what these headers declare"

# 3. Before version 1 each minor version may differ. A shared library needs nothing else to be found.
mkdir "$work/versions"
cat >"$work/versions/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(versions LANGUAGES NONE)
foreach(version 0.1 0.2 0.3 1.0)
  find_package(xgrad ${version} QUIET)
  if(xgrad_FOUND)
    message(STATUS "found ${version}")
  endif()
endforeach()
END
quietly versions cmake -S "$work/versions" -B "$work/versions/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/shared"
[ "$(grep found "$work/versions.log")" = "-- found 0.2" ] || fail "these versions: $(cat "$work/versions.log")"

# 4. The program, with find_package.
run() {  # NAME COMMAND...
  LD_LIBRARY_PATH=$work/shared/lib "${@:2}" >"$work/$1.txt" || fail "the $1 program failed"
  [ -s "$work/$1.txt" ] || fail "the $1 program printed nothing"
}
program() {  # NAME PACKAGE OPTION...
  configure "$1" "$here" -DCMAKE_PREFIX_PATH="$work/$2" "${@:3}"
  quietly "$1_build" cmake --build "$work/$1"
  run "$1" "$work/$1/my_model"
}

# 5. The program in a project of an older standard and stricter rules, which has xgrad as a part. The library is not
# compiled a second time, but for one source: the archive of this build stands in for its own.
strict=(-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual)
part() {
  mkdir "$work/project"
  cp "$here/main.cpp" "$work/project"
  cat >"$work/project/xgrad.cmake" <<END
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_COMPILE_WARNING_AS_ERROR ON)
add_compile_options(${strict[*]})
include(FetchContent)
FetchContent_Declare(xgrad SOURCE_DIR "$source_dir")
FetchContent_MakeAvailable(xgrad)
get_directory_property(targets DIRECTORY "$source_dir" BUILDSYSTEM_TARGETS)
list(FILTER targets EXCLUDE REGEX "^xgrad")
if(targets)
  message(FATAL_ERROR "xgrad adds \${targets}")
endif()
END
  sed 's/^find_package.*/include(xgrad.cmake)/' "$here/CMakeLists.txt" >"$work/project/CMakeLists.txt"
  configure part "$work/project"
  [ "$(flags_of part)" = "$(printf '%s\n' "${strict[@]}" -Werror -std=gnu++20 | sort)" ] ||
    fail "a part of a project gives it flags: $(flags_of part)"
  local xgrad=$work/part/_deps/xgrad-build
  [ ! -e "$xgrad/xgradConfig.cmake" ] || fail "a part of a project is installed with it"
  quietly part_build ninja -C "$work/part" CMakeFiles/my_model.dir/main.cpp.o \
    _deps/xgrad-build/CMakeFiles/xgrad.dir/nn/training/facts.cpp.o
  cp "$build_dir/libxgrad.a" "$xgrad"
  make_only part my_model
  run part "$work/part/my_model"
}
# Who has the headers in a plain folder is not warned either, in the next standard and with names hidden.
plain_folder() {
  quietly strict "$compiler" -std=c++2b -fsyntax-only "${strict[@]}" -Werror -fvisibility=hidden \
    -I "$work/static/include/xgrad" "$here/main.cpp"
}

# 6. Programs of the README with pkg-config, and one as a plug-in, which is loaded while another runs.
by_hand() {  # NAME PACKAGE PROGRAM OPTION...
  quietly "$1" bash -c "PKG_CONFIG_PATH=$work/$2/lib/pkgconfig && export PKG_CONFIG_PATH &&
    $compiler -std=c++20 $build_dir/tests/readme/$3.cpp \$(pkg-config --cflags --libs xgrad) -o $work/$1 ${*:4}"
}
page() {  # PACKAGE
  by_hand "$1_page" "$1" from_f_x_to_its_gradient
  run "$1_page" "$work/$1_page"
  cmp "$work/$1_page.txt" "$build_dir/tests/readme/from_f_x_to_its_gradient.txt"
}
plug_in() {
  by_hand plug_in.so shared errors -fPIC -shared
  quietly load "$compiler" -std=c++20 "$here/load.cpp" -o "$work/load"
  run plug_in "$work/load" "$work/plug_in.so"
  cmp "$work/plug_in.txt" "$build_dir/tests/readme/errors.txt"
}

in_background program native static -DCMAKE_CXX_FLAGS="-march=native -fvisibility=hidden"
in_background program xsimd static -DCMAKE_CXX_FLAGS="-march=native -DXTENSOR_USE_XSIMD"
finish
in_background part
in_background program plain static
finish
in_background program shared shared -DCMAKE_DISABLE_FIND_PACKAGE_TBB=ON -DCMAKE_DISABLE_FIND_PACKAGE_ZLIB=ON
in_background page static
in_background page shared
in_background plug_in
in_background plain_folder
finish
[ "$(flags_of plain)" = "-std=gnu++20" ] || fail "the package gives its users flags: $(flags_of plain)"
for name in native xsimd part shared; do
  cmp "$work/plain.txt" "$work/$name.txt" || { diff "$work/plain.txt" "$work/$name.txt" >&2; fail "plain and $name differ"; }
done
echo "plain, -march=native, xsimd, shared and a part of a project print the same $(wc -l <"$work/plain.txt") lines"
