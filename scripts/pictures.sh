#!/usr/bin/env bash
# Makes the pictures of docs/ that come from the examples: the graph, the explanation of backpropagation, the page of a
# gradient check, the report on a training run, and the answers to questions. Needs chromium for those that show a page.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

scripts/deps.sh
source scripts/build.sh
answers=(activation_choice architecture_search character_lstm denoising_autoencoder digits_cnn gaussian_process
  language_of_a_word perceptron recommendation time_series_gru transformer_copy universal_approximation)
for example in activation_functions backpropagation_explained find_the_wrong_gradient reference_network "${answers[@]}"; do
  build release "$example"
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
build/release/examples/activation_functions docs/activations.svg
for example in "${answers[@]}"; do "build/release/examples/$example" "docs/$example.svg"; done
build/release/examples/backpropagation_explained "$folder/explained.html" docs/graph.svg
build/release/examples/find_the_wrong_gradient --page "$folder/gradcheck.html" >"$folder/found.txt"
build/release/examples/reference_network --report "$folder/report.html" --save "$folder/weights.safetensors" \
  --curve "$folder/curve.svg" >"$folder/trained.txt"
sed -i "s|$PWD/||g" "$folder"/*.html docs/graph.svg  # the examples' places, as they are in every clone

photograph() {  # FILE of the page, WIDTH and HEIGHT in pixels, the PICTURE
  chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size="$2,$3" --screenshot="$4" \
    "file://$folder/$1" 2>/dev/null
}
# Of the explanation, the part where the walk begins.
echo "<body style='margin:0;overflow:hidden'><iframe src='explained.html' style='border:0;width:900px;height:2010px;margin-top:-1010px'></iframe>" \
  >"$folder/part.html"
photograph part.html 900 1000 docs/explain.png
photograph gradcheck.html 1120 860 docs/gradcheck.png
photograph report.html 1000 2310 docs/report.png
