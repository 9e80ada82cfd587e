#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/hooks.hpp>
#include <autograd/memory.hpp>
#include <support.hpp>

using namespace xgrad;

namespace {

/// How many nodes are alive after f that were not before.
template <class F>
std::int64_t left_by(F f) {
  const std::int64_t before = memory::statistics().live_nodes;
  f();
  return memory::statistics().live_nodes - before;
}

}  // namespace

TEST_CASE("a gradient with a history keeps its leaf alive until it is removed; grad() leaves nothing behind") {
  const auto rounds = [](auto round) {
    return left_by([&] {
      for (int i = 0; i < 10; ++i) round(leaf(tensor({1., 2.}, f64)));
    });
  };
  const std::int64_t leaked = rounds([](Tensor w) { sum(pow(w, 3)).backward({.create_graph = true}); });
  CHECK(leaked >= 10);
  CHECK(leaked % 10 == 0);
  CHECK(rounds([](Tensor w) {
          sum(pow(w, 3)).backward({.create_graph = true});
          sum(w.grad()).backward();
          w.zero_grad();
        }) == 0);
  CHECK(rounds([](Tensor w) {
          const Tensor first = grad(sum(pow(w, 3)), {w}, {.create_graph = true})[0];
          sum(first).backward();
          CHECK(w.grad().data<double>()[1] == 12);
        }) == 0);
  // A gradient without a history is no cycle.
  CHECK(rounds([](Tensor w) { sum(pow(w, 3)).backward(); }) == 0);
}

TEST_CASE("a retained gradient with a history keeps its tensor alive until it is removed") {
  const auto round = [](bool remove) {
    return left_by([&] {
      const Tensor w = leaf(tensor({1., 2.}, f64));
      Tensor y = w * w;
      y.retain_grad();
      const Tensor loss = sum(y * y);
      loss.backward({.create_graph = true});
      Tensor(w).zero_grad();
      if (remove) y.zero_grad();
    });
  };
  CHECK(round(false) > 0);
  CHECK(round(true) == 0);
}

TEST_CASE("a hook that captures its own tensor keeps it alive until it is removed, or a pass has taken the graph") {
  CHECK(left_by([] {
          const Tensor w = leaf(tensor({1., 2.}, f64));
          w.register_hook([w](const Tensor& g) { return g * w.detach(); });
        }) == 1);
  CHECK(left_by([] {
          const Tensor w = leaf(tensor({1., 2.}, f64));
          HookHandle hook = w.register_hook([w](const Tensor& g) { return g * w.detach(); });
          hook.remove();
        }) == 0);
  const auto result = [](bool pass) {
    return left_by([&] {
      const Tensor w = leaf(tensor({1., 2.}, f64)), y = w * 2;
      y.register_hook([y](const Tensor& g) { return g * y.detach(); });
      if (pass) sum(y).backward();
    });
  };
  CHECK(result(false) > 0);
  CHECK(result(true) == 0);
}
