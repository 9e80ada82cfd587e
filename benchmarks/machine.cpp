#include "machine.hpp"

#include "harness.hpp"
#include "torch/peer.hpp"

#include <autograd/kernels/table.hpp>
#include <autograd/threads.hpp>
#include <cstdlib>
#include <fstream>
#include <thread>

#ifdef XGRAD_HAVE_ONEDNN
#if __has_include(<oneapi/dnnl/dnnl.h>)
#include <oneapi/dnnl/dnnl.h>
#else
#include <dnnl.h>
#endif
#endif

namespace bench {
namespace {

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

std::string onednn() {
#ifdef XGRAD_HAVE_ONEDNN
  const dnnl_version_t* v = dnnl_version();
  return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
#else
  return "none";
#endif
}

}  // namespace

void set_threads(int n) {
  xgrad::set_num_threads(n);
  if (const TorchPeer* torch = loaded_torch_peer()) torch->set_threads(n);
}

Machine describe_machine() {
  const TorchPeer* const torch = torch_peer();
  std::string isa = xgrad::kernels::table().name;
  if (const char* forced = std::getenv("XGRAD_ISA")) isa += std::string(" (XGRAD_ISA=") + forced + ")";
  return {{"processor", processor() + ", " + std::to_string(std::thread::hardware_concurrency()) + " cores"},
          {"xgrad", XGRAD_VERSION ", instruction set " + isa},
          {"compiler", XGRAD_BENCHMARKS_COMPILER},
          {"oneDNN", onednn()},
          {"libtorch", torch ? torch->version : "not found: its comparisons are left out (Debian: libtorch-dev)"},
          {"its BLAS", torch ? torch->blas : "none"}};
}

}  // namespace bench
