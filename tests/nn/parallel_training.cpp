#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/threads.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

#include "nn/models.hpp"
#include "support.hpp"

using namespace xgrad;

/// Training on several threads.
namespace {

/// The reference network's parameters after a few steps on large batches.
std::vector<Tensor> trained(Dtype dtype) {
  manual_seed(11);
  const Tensor x = rand({1024, 784}, {.dtype = dtype}), y = bernoulli({1024, 1}, 0.5).to(dtype);
  nn::Sequential model = reference_network();
  model.to(dtype);
  optim::Adam optimizer{model.parameters(), {.lr = 1e-3}};
  for (int step = 0; step < 4; ++step) {
    optimizer.zero_grad();
    nn::binary_cross_entropy(model(x), y).backward();
    optimizer.step();
  }
  return model.parameters();
}

}  // namespace

TEST_CASE("training gives the same bits with 1, 2, 3 and 7 threads") {
  const RestoreThreads restore;
  for (const Dtype dtype : {f32, f64}) {
    set_num_threads(1);
    const auto expected = trained(dtype);
    for (const int n : {2, 3, 7}) {
      set_num_threads(n);
      const auto got = trained(dtype);
      CHECK(same_bits(got, expected));
    }
  }
}
