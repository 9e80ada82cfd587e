#include <doctest/doctest.h>
#include <atomic>
#include <autograd/autograd.hpp>
#include <autograd/memory.hpp>
#include <cstdlib>
#include <new>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

#include "nn/models.hpp"
#include "sanitized.hpp"
#include "support.hpp"

using namespace xgrad;

/// What a training step allocates, and what stays alive after it.
namespace {
std::atomic<long> news{0};
}

// Every `new` of the program and of the library, standard containers included, comes by here. Not inlined: g++ would
// see `free` meet a `new`.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  ++news;
  if (void* const block = std::malloc(bytes ? bytes : 1)) return block;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace {

/// The reference network's training step, and what it held between loss and backward.
struct Step {
  nn::Sequential model = reference_network();
  optim::Adam optimizer{model.parameters(), {.lr = 1e-3}};
  std::vector<Tensor> parameters = model.parameters();
  Tensor x = rand({32, 784}), t = bernoulli({32, 1}, 0.5).to(f32);
  std::int64_t nodes = 0;

  void operator()() {
    optimizer.zero_grad();
    const std::int64_t before = memory::statistics().live_nodes;
    const Tensor loss = nn::binary_cross_entropy(model(x), t);
    nodes = memory::statistics().live_nodes - before;
    loss.backward();
    optim::clip_grad_norm(parameters, 1);
    optim::clip_grad_value(parameters, 0.5);
    optimizer.step();
  }
};

}  // namespace

TEST_CASE("a training step in its steady state asks the system for nothing, neither through the pool nor by new") {
  Step step;
  for (int i = 0; i < 20; ++i) step();
  const auto before = memory::statistics();
  const long news_before = news;
  for (int i = 0; i < 100; ++i) step();
  const long made = news - news_before;
  const auto after = memory::statistics();
  if (!sanitized) CHECK(made == 0);
  if (!sanitized) CHECK(after.system_allocations == before.system_allocations);
  CHECK(after.live_bytes == before.live_bytes);
  CHECK(after.live_nodes == before.live_nodes);
}

TEST_CASE("the reference network's loss hangs on eight nodes") {
  Step step;
  step();
  CHECK(step.nodes == 8);
}
