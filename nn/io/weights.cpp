#include <nn/io/safetensors.hpp>
#include <nn/io/weights.hpp>

/// A model's weights to and from a safetensors file.
namespace xgrad::nn {

void save_weights(const Module& model, const FilePath& path, Place place) {
  const OpScope scope("save_weights", place);
  save_tensors(path, model.state_dict(place), place);
}

void load_weights(Module& model, const FilePath& path, LoadOptions options, Place place) {
  const OpScope scope("load_weights", place);
  const StateDict weights = load_tensors(path, options, place);
  try {
    model.load_state_dict(weights, options, place);
  } catch (const ValueError& e) {
    throw FileError(text(e.what(), "; the file is '", path, "'"));
  }
}

}  // namespace xgrad::nn
