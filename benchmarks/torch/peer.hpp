#pragma once
#include "chains.hpp"
#include "training.hpp"

namespace bench {

/// What libtorch does in the comparisons. The sources in this folder, which alone include its headers, are a library
/// that is loaded while the program runs.
struct TorchPeer {
  std::string version, blas;
  void (*set_threads)(int n);
  MakeTrainer reference_network, classifier, lenet, lstm, transformer;
  Chains chains;
};

/// Loaded when this is first called; null where there is none. Throws where it cannot be loaded.
const TorchPeer* torch_peer();
/// Null before that, too.
const TorchPeer* loaded_torch_peer();

}  // namespace bench
