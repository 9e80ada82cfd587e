#pragma once
#include <nn/activations.hpp>
#include <nn/layers.hpp>
#include <nn/sequential.hpp>
#include <string>
#include <vector>

/// The classifier of 784 pixels on which the targets for speed and accuracy are set.
inline xgrad::nn::Sequential reference_network() {
  using namespace xgrad;
  return {nn::Dense{784, 64}, nn::ReLU{},       nn::Dropout{0.2}, nn::Dense{64, 32},
          nn::ReLU{},         nn::Dense{32, 1}, nn::Sigmoid{}};
}

/// The names of the parameters, in order.
inline std::vector<std::string> names(const xgrad::nn::Module& m) {
  std::vector<std::string> result;
  for (const auto& [name, tensor] : m.named_parameters()) result.push_back(name);
  return result;
}
