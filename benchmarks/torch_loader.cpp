#include "torch/peer.hpp"

#include <dlfcn.h>
#include <stdexcept>

namespace bench {
namespace {

const TorchPeer* loaded = nullptr;

}  // namespace

const TorchPeer* torch_peer() {
#ifdef TORCH_PEER
  if (!loaded) {
    void* const library = dlopen(TORCH_PEER, RTLD_NOW);
    void* const make = library ? dlsym(library, "make_torch_peer") : nullptr;
    if (!make) throw std::runtime_error(dlerror());
    loaded = reinterpret_cast<const TorchPeer* (*)()>(make)();
  }
#endif
  return loaded;
}

const TorchPeer* loaded_torch_peer() { return loaded; }

}  // namespace bench
