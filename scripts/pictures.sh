#!/usr/bin/env bash
# Makes the pictures of docs/ that show the graph, the explanation of backpropagation and the activation functions, from
# the examples. Needs chromium for the one that shows a page.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

scripts/deps.sh
source scripts/build.sh
build release backpropagation_explained
build release activation_functions
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
build/release/examples/activation_functions docs/activations.svg
build/release/examples/backpropagation_explained "$folder/explained.html" docs/graph.svg
# Of the page, the part where the walk begins.
echo "<body style='margin:0;overflow:hidden'><iframe src='explained.html' style='border:0;width:900px;height:2010px;margin-top:-1010px'></iframe>" \
  >"$folder/part.html"
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=900,1000 \
  --screenshot=docs/explain.png "file://$folder/part.html" 2>/dev/null
