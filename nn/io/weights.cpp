#include <nn/io/safetensors.hpp>
#include <nn/io/weights.hpp>

namespace xgrad::nn {

void save_weights(const Module& model, const std::string& path, Place place) {
  NamedTensors tensors;
  for (const auto& [name, tensor] : model.state_dict(place)) tensors.emplace_back(name, tensor);
  save_tensors(path, tensors, place);
}

void load_weights(Module& model, const std::string& path, LoadOptions options, Place place) {
  StateDict dict;
  for (auto& [name, tensor] : load_tensors(path, place)) dict.set(name, std::move(tensor));
  try {
    model.load_state_dict(dict, options, place);
  } catch (const ValueError& e) {
    throw FileError(text(e.what(), "; the file is '", path, "'"));
  }
}

}  // namespace xgrad::nn
