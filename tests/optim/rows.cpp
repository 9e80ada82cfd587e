#include <doctest/doctest.h>
#include <autograd/anomaly.hpp>
#include <autograd/autograd.hpp>
#include <autograd/explain.hpp>
#include <autograd/hooks.hpp>
#include <autograd/picture.hpp>
#include <chrono>
#include <optim/optim.hpp>
#include <support.hpp>

// Gradients of rows: what users see of them, and optimisers that leave the other rows alone.
using namespace xgrad;

namespace {

Tensor table(Dtype dtype = f32) {
  manual_seed(4);
  return randn({6, 3}, {.dtype = dtype, .requires_grad = true});
}

/// A loss in which row 4 stands three times, and 0 and -1 once; its gradient by w has other numbers in each place.
Tensor loss_of(const Tensor& w) {
  const Tensor rows = take(w, tensor({{4, 0, 4}, {-1, 4, 0}}, i64));
  return sum(square(rows) * reshape(linspace(.5, 1.5, rows.size(), {.dtype = w.dtype()}), rows.shape()));
}

/// The same by an op whose gradient is of all rows.
Tensor dense_loss_of(const Tensor& w) { return loss_of(w + 0); }

/// What `steps` steps make of w; `change` comes between backward and step.
template <class Optimizer, class Options, class Change>
Tensor trained(const Options& options, Tensor (*loss)(const Tensor&), int steps, Dtype dtype, Change change) {
  const Tensor w = table(dtype);
  Optimizer optimizer{{w}, options};
  for (int i = 0; i < steps; ++i) {
    optimizer.zero_grad();
    loss(w).backward();
    change(w);
    optimizer.step();
  }
  return w.detach();
}

void nothing(const Tensor&) {}

}  // namespace

TEST_CASE("a gradient of rows is to its user an ordinary tensor") {
  const Tensor w = table(f64);
  loss_of(w).backward();
  CHECK(w.has_grad());
  const Tensor wanted = grad(dense_loss_of(w), w);
  CHECK(same_bits(w.grad(), wanted));
  CHECK(w.grad().same(w.grad()));
  CHECK(w.grad().str() == wanted.str());
  CHECK(same_bits(grad(loss_of(w), w), wanted));
  Tensor again = w;
  again.zero_grad();
  CHECK_FALSE(w.has_grad());
}

TEST_CASE("gradients of rows add up among themselves and with others") {
  for (const bool looks : {false, true}) {
    const Tensor w = table(f64);
    const Tensor one = grad(dense_loss_of(w), w);
    loss_of(w).backward();
    if (looks) CHECK(w.grad().defined());
    loss_of(w).backward();
    CHECK(same_bits(w.grad(), one + one));
    sum(w * w).backward();
    CHECK(same_bits(w.grad(), one + one + 2 * w));
    loss_of(w).backward();
    CHECK(same_bits(w.grad(), one + one + 2 * w + one));
  }
  const Tensor w = table(f64);
  (sum(take(w, tensor({1, 1}, i64)) * 2) + sum(take(w, tensor({1, 2}, i64)) * 3) + sum(w)).backward();
  CHECK(w.grad().str() == "[[1. 1. 1.]\n [8. 8. 8.]\n [4. 4. 4.]\n [1. 1. 1.]\n [1. 1. 1.]\n [1. 1. 1.]]");
}

TEST_CASE("a gradient of rows shares no numbers with another") {
  const Tensor w = table(), v = zeros({2, 3}, {.requires_grad = true});
  for (int i = 0; i < 2; ++i) sum((take(w, tensor({1, 2}, i64)) + v) * 2).backward();
  CHECK(v.grad().str() == "[[4. 4. 4.]\n [4. 4. 4.]]");
  CHECK(w.grad()[1].str() == "[4. 4. 4.]");
  optim::clip_grad_value({w}, 1);
  CHECK(v.grad().str() == "[[4. 4. 4.]\n [4. 4. 4.]]");
}

TEST_CASE("a gradient of rows takes the memory of these, and a step the time") {
  const Tensor w = zeros({300'000, 16}, {.requires_grad = true});
  optim::SGD optimizer{{w}, {.lr = 1}};
  const auto step = [&] {
    optimizer.zero_grad();
    sum(take(w, tensor({7, 299'999}, i64))).backward();
    optimizer.step();
  };
  const std::int64_t before = memory::statistics().live_bytes;
  step();
  CHECK(memory::statistics().live_bytes - before < 1000);
  // A step of all rows writes 19 MB, which takes a millisecond at least; 2000 of these here take one each hundredth.
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 2000; ++i) step();
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(1));
  CHECK(w.at(7, 3).item() == -2001);
  CHECK(w.at(8, 3).item() == 0);
  CHECK(w.at(-1, -1).item() == -2001);
}

TEST_CASE("pictures and explanations meet ordinary tensors") {
  const Tensor w = table(f64);
  CHECK(to_svg([&] { return loss_of(w); }).find("gradient") != std::string::npos);
  CHECK(explain([&] { return loss_of(w); }, w).find("take") != std::string::npos);
}

TEST_CASE("hooks, anomaly detection and derivatives of derivatives meet ordinary tensors") {
  const Tensor w = table(f64);
  const Tensor wanted = grad(dense_loss_of(w), w);
  Tensor seen;
  {
    const HookHandle hook = w.register_hook([&](const Tensor& g) { seen = g; });
    loss_of(w).backward();
    CHECK(same_bits(seen, wanted));
    CHECK(same_bits(w.grad(), wanted));
  }
  Tensor other = table(f64);
  HookHandle doubling = other.register_hook([](const Tensor& g) { return g * 2; });
  loss_of(other).backward();
  CHECK(same_bits(other.grad(), wanted * 2));
  doubling.remove();
  other.zero_grad();
  {
    const DetectAnomaly anomaly;
    loss_of(other).backward();
  }
  CHECK(same_bits(other.grad(), wanted));
  other.zero_grad();
  loss_of(other).backward({.create_graph = true});
  CHECK(other.grad().requires_grad());
  CHECK(same_bits(grad(sum(other.grad() * other.grad()), other),
                  grad(sum(square(grad(dense_loss_of(w), w, GradOptions{.create_graph = true}))), w)));
  other.zero_grad();
}

TEST_CASE("optimisers that go by rows do to these what they do to a gradient of all rows") {
  for (const Dtype dtype : {f32, f64}) {
    const auto sgd = [&](Tensor (*loss)(const Tensor&), const optim::SGDOptions& options) {
      return trained<optim::SGD>(options, loss, 3, dtype, nothing);
    };
    for (const optim::SGDOptions& options : {optim::SGDOptions{.lr = .1}, optim::SGDOptions{.lr = .1, .momentum = .9},
                                             optim::SGDOptions{.lr = .1, .weight_decay = .1}})
      CHECK(same_bits(sgd(loss_of, options), sgd(dense_loss_of, options)));
    const auto adagrad = [&](Tensor (*loss)(const Tensor&)) {
      return trained<optim::Adagrad>(optim::AdagradOptions{.lr = .1}, loss, 3, dtype, nothing);
    };
    CHECK(same_bits(adagrad(loss_of), adagrad(dense_loss_of)));
    const auto adamw = [&](Tensor (*loss)(const Tensor&)) {
      return trained<optim::AdamW>(optim::AdamWOptions{.lr = .1}, loss, 3, dtype, nothing);
    };
    CHECK(same_bits(adamw(loss_of), adamw(dense_loss_of)));
  }
}

TEST_CASE("Adam is lazy: rows without gradient rest, moments included") {
  const Tensor w = table(f64);
  const Tensor before = w.detach().clone();
  optim::Adam optimizer{{w}, {.lr = .1}};
  sum(take(w, tensor({1, 2}, i64))).backward();
  optimizer.step();
  optimizer.zero_grad();
  const Tensor between = w.detach().clone();
  sum(take(w, tensor({2, 3}, i64))).backward();
  optimizer.step();
  for (const int row : {0, 4, 5}) CHECK(same_bits(w[row].detach(), before[row]));
  CHECK(same_bits(w[1].detach(), between[1]));
  const StateDict state = optimizer.state_dict();
  const Tensor mean = state["parameter.0.mean"];
  CHECK(mean[1].at(0).item() == doctest::Approx(.1));
  CHECK(mean[2].at(0).item() == doctest::Approx(.19));
  CHECK(mean[0].at(0).item() == 0);
  CHECK(state["parameter.0.steps"].item() == 2);
}

TEST_CASE("looking at a gradient of rows changes no step, and changing it does") {
  const auto adam = [](auto change) {
    return trained<optim::Adam>(optim::AdamOptions{.lr = .1}, loss_of, 3, f32, change);
  };
  const Tensor plain = adam(nothing);
  CHECK(same_bits(adam([](const Tensor& w) { CHECK(w.grad().size() == 18); }), plain));
  const auto halved = [](const Tensor& w) {
    float* const g = w.grad().data<float>();
    for (int i = 0; i < 18; ++i) g[i] *= .5f;
  };
  const auto sgd = [](Tensor (*loss)(const Tensor&), auto change) {
    return trained<optim::SGD>(optim::SGDOptions{.lr = .1}, loss, 3, f32, change);
  };
  CHECK(same_bits(sgd(loss_of, halved), sgd(dense_loss_of, halved)));
  const auto all_ones = [](const Tensor& w) { w.grad().assign(ones({6, 3})); };
  CHECK(same_bits(sgd(loss_of, all_ones), sgd(dense_loss_of, all_ones)));
  const auto replaced = [](const Tensor& w) { Tensor(w).set_grad(w.grad() + 1); };
  CHECK(same_bits(sgd(loss_of, replaced), sgd(dense_loss_of, replaced)));
}

TEST_CASE("clipping goes by rows, those that stand in several places added up") {
  const Tensor w = table(), d = table();
  for (const bool looks : {false, true}) {
    for (const Tensor& t : {w, d}) Tensor(t).zero_grad();
    loss_of(w).backward();
    dense_loss_of(d).backward();
    if (looks) CHECK(w.grad().defined());
    const double norm = optim::clip_grad_norm({w}, .5).item();
    CHECK(norm == doctest::Approx(optim::clip_grad_norm({d}, .5).item()).epsilon(1e-6));
    CHECK(max(abs(w.grad() - d.grad())).item() < 1e-6);
    optim::clip_grad_value({w}, .01);
    optim::clip_grad_value({d}, .01);
    CHECK(max(abs(w.grad() - d.grad())).item() < 1e-6);
  }
  const auto clipped = [](const Tensor& t) { optim::clip_grad_norm({t}, .5); };
  const Tensor before = table();
  const Tensor after = trained<optim::Adam>(optim::AdamOptions{}, loss_of, 3, f32, clipped);
  for (const int row : {1, 2, 3}) CHECK(same_bits(after[row], before[row].detach()));
}

TEST_CASE("captured steps go by rows as eager ones do") {
  for (const bool clips : {false, true})
    for (const bool looks : {false, true}) {
      const Tensor w = table(), other = table();
      optim::Adam captured{{w}, {.lr = .1}}, eager{{other}, {.lr = .1}};
      const auto body = [&](const Tensor& t, optim::Adam& optimizer, const Tensor& at, const Tensor& x) {
        optimizer.zero_grad();
        const Tensor loss = sum(square(take(t, at)) * x);
        loss.backward();
        const Tensor seen = looks ? t.grad() * 1 : loss;
        if (clips) optim::clip_grad_norm({t}, .5);
        optimizer.step();
        return std::vector<Tensor>{loss, seen};
      };
      auto step = capture([&](const Tensor& at, const Tensor& x) { return body(w, captured, at, x); });
      for (int i = 0; i < 6; ++i) {
        const Tensor at = tensor({i % 3, 5, i % 2, 5}, i64), x = linspace(i + 1., 2., 3);
        const std::vector<Tensor> got = step(at, x), want = body(other, eager, at, x);
        CHECK(same_bits(got[0], want[0]));
        CHECK(same_bits(got[1].detach(), want[1].detach()));
        CHECK(same_bits(w.detach(), other.detach()));
        CHECK(same_bits(w.grad(), other.grad()));
      }
      CHECK(step.recordings() == 1);
    }
}

TEST_CASE("a captured step that adds to the gradients it finds adds rows too") {
  const Tensor w = table(f64);
  auto step = capture([&](const Tensor& at) {
    const Tensor loss = sum(take(w, at));
    loss.backward();
    return loss;
  });
  for (int i = 0; i < 5; ++i) step(tensor({1, i}, i64));
  CHECK(w.grad().str() == "[[1. 1. 1.]\n [6. 6. 6.]\n [1. 1. 1.]\n [1. 1. 1.]\n [1. 1. 1.]\n [0. 0. 0.]]");
}
