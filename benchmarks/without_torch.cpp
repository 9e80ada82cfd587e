#include "torch/peer.hpp"

const bench::TorchPeer* bench::torch_peer() { return nullptr; }
