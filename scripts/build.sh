# Sourced by the other scripts: `build PRESET TARGET` configures and builds, and shows what the tools said only if
# they failed.
build() {
  local preset=$1 target=$2 log=build/$1.log
  mkdir -p build
  echo "Building $target ($preset)"
  { cmake --preset "$preset" && cmake --build "build/$preset" --target "$target"; } >"$log" 2>&1 </dev/null || {
    grep -E -A20 'FAILED|rror' "$log" | head -60 >&2
    echo "The build failed; all of its output is in $log" >&2
    return 1
  }
}
