# Sourced by the other scripts: `build PRESET TARGET` configures and builds, and prints what the tools said only if they
# failed or, on a terminal, one line of progress.
build() {
  local preset=$1 target=$2 log=build/$1.log
  mkdir -p build
  echo "Building $target ($preset)"
  { cmake --preset "$preset" "${CMAKE_ARGS[@]}" && cmake --build "build/$preset" --target "$target"; } >"$log" 2>&1 </dev/null || {
    grep -E -A20 'FAILED|rror' "$log" | head -60 >&2
    echo "The build failed; all of its output is in $log" >&2
    return 1
  }
}
CMAKE_ARGS=()
