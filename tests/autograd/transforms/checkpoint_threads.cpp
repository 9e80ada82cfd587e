#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <support.hpp>
#include <thread>

using namespace xgrad;

TEST_CASE("passes that retain the graph may meet in a checkpoint") {
  const Tensor x = leaf(randn({50}, f64)), w = leaf(randn({50}, f64));
  const Tensor y = sum(checkpoint([&](const Tensor& t) { return exp(sin(t * w)); }, x));
  const Tensor expected = grad(y, {w}, {.retain_graph = true})[0];
  std::atomic<int> right{0};
  on_threads(4, [&](int) {
    for (int k = 0; k < 20; ++k) right += same_bits(grad(y, {w}, {.retain_graph = true})[0], expected);
  });
  CHECK(right == 80);
}

TEST_CASE("what another thread has made counts as what f refers to") {
  const Tensor x = randn({3}, {.dtype = f64});
  Tensor w, late;
  for (int i = 0; i < 100; ++i)
    w = leaf(randn({3}, f64));  // nodes of this thread: their numbers are higher than those of a new one
  std::thread([&] {
    const Tensor y = checkpoint([&](const Tensor& t) { return t * w; }, x);
    REQUIRE(y.requires_grad());
    CHECK(same_bits(grad(sum(y), {w})[0], x));
    CHECK(value_and_grad([&](const Tensor& t) { return sum(t * w); }, x).grad.requires_grad());
  }).join();
  std::thread([&] {
    for (int i = 0; i < 100000; ++i) late = x * 2;
    late = exp(w);
    for (int i = 0; i < 100000; ++i) late = late * 1;
  }).join();
  const Tensor y = checkpoint([&](const Tensor& t) { return t * late; }, x);
  const Tensor off = abs(grad(sum(y), {w})[0] - (x * exp(w)).detach());
  CHECK(max(off).item<double>() < 1e-14);
}
