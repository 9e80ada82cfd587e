# Sourced by the other scripts: `build PRESET TARGET` configures and builds. On a terminal one line shows how far it is;
# elsewhere nothing is printed unless it fails.
build() {
  local preset=$1 target=$2 log=build/$1.log
  { mkdir -p build && : >"$log"; } 2>/dev/null || {
    echo "$PWD/build cannot be written; if root made it, remove it as root" >&2
    return 1
  }
  echo "Building $target ($preset)"
  if cmake --preset "$preset" >"$log" 2>&1 </dev/null; then
    if [ -t 1 ]; then
      cmake --build --preset "$preset" --target "$target" </dev/null
      return
    fi
    cmake --build --preset "$preset" --target "$target" >>"$log" 2>&1 </dev/null && return
  fi
  grep -E -A20 'FAILED|error:|CMake Error' "$log" | head -60 >&2 || true
  echo "The build failed; all of its output is in $log" >&2
  return 1
}
