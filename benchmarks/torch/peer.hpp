#pragma once
#include "chains.hpp"
#include "training.hpp"

namespace bench {

/// What libtorch does in the comparisons. Only the sources in this folder include its headers.
struct TorchPeer {
  std::string version, blas;
  void (*set_threads)(int n);
  MakeTrainer reference_network, classifier;
  Chains chains;
};

/// A null pointer where libtorch is not built in (benchmarks/without_torch.cpp).
const TorchPeer* torch_peer();

}  // namespace bench
