#include <autograd/observer.hpp>
#include <chrono>
#include <nn/nn.hpp>
#include "support.hpp"

using namespace xgrad;

namespace {

double difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  return a.size() == 0 ? 0 : max(abs(a - b)).item<double>();
}

nn::Sequential reference_network() {
  return {nn::Dense{784, 64}, nn::ReLU{},       nn::Dropout{0.2}, nn::Dense{64, 32},
          nn::ReLU{},         nn::Dense{32, 1}, nn::Sigmoid{}};
}

template <class Loss>
StateDict looped(nn::Module& model, std::int64_t samples, Loss loss) {
  std::vector<std::vector<Tensor>> rows;
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < samples; ++i) {
    const StateDict g = nn::value_and_grad(model, [&] { return sum(loss(i, i + 1)); }).grad;
    rows.resize(g.size());
    std::size_t k = 0;
    for (const auto& [name, value] : g) {
      if (i == 0) names.push_back(name);
      rows[k++].push_back(value);
    }
  }
  StateDict result;
  for (std::size_t k = 0; k < names.size(); ++k) result.set(names[k], stack(rows[k]));
  return result;
}

/// Counts the ops that run, in rules too.
struct Ops : Observer {
  long count = 0;
  void op_starts(const OpCall&) override { ++count; }
};
template <class F>
long ops_of(F f) {
  Ops ops;
  const Observing observing(ops);
  f();
  return ops.count;
}

template <class F>
double seconds(F f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("the reference network's gradients per sample are a loop's, many times faster") {
  manual_seed(0);
  nn::Sequential model = reference_network();
  model.eval();
  const Tensor x = rand({256, 784}), t = (rand({256, 1}) > 0.5).to(f32);
  const auto loss = [&](std::int64_t from, std::int64_t to) {
    return nn::binary_cross_entropy(model(slice(x, 0, from, to)), slice(t, 0, from, to), nn::Reduction::none);
  };
  const auto batch = [&] { return nn::per_sample_gradients(model, [&] { return loss(0, 256); }); };
  const auto [losses, g] = batch();
  CHECK(losses.shape() == Shape{256, 1});
  CHECK(equal(losses, loss(0, 256)));
  const StateDict expected = looped(model, 256, loss);
  CHECK(g.size() == 6);
  for (const auto& [name, rows] : expected) {
    const std::string& which = name;
    CAPTURE(which);
    CHECK(difference(g[name], rows) <= 1e-6 * std::max(1., max(abs(rows)).item<double>()));
  }
  for (const auto& [name, p] : model.named_parameters()) CHECK_FALSE(p.has_grad());
  const auto loop = [&] { looped(model, 256, loss); };
  CHECK(ops_of(loop) > 50 * ops_of(batch));
  double of_loop = 1e9, of_batch = 1e9;
  for (int i = 0; i < 3; ++i) {
    of_loop = std::min(of_loop, seconds(loop));
    of_batch = std::min(of_batch, seconds(batch));
  }
  MESSAGE("a loop over 256 samples takes ", of_loop / of_batch, " times as long");
}

TEST_CASE("shared layers, several axes, frozen parameters and one or no sample") {
  manual_seed(1);
  struct Net : nn::Module {
    nn::Dense first{3, 4, {.dtype = f64}}, middle{4, 4, {.bias = false, .dtype = f64}}, last{4, 1, {.dtype = f64}};
    Tensor operator()(const Tensor& x) { return last(tanh(middle(tanh(middle(silu(first(x))))))); }
    void members(nn::Visitor& visit) override {
      visit("first", first);
      visit("middle", middle);
      visit("last", last);
    }
  } model;
  model.first.bias.set_requires_grad(false);
  const auto check = [&](const Tensor& x) {
    const std::int64_t n = x.shape()[0];
    const auto loss = [&](std::int64_t from, std::int64_t to) {
      const Tensor y = square(model(slice(x, 0, from, to)));
      return sum(reshape(y, {to - from, -1}), {1});
    };
    const StateDict g = nn::per_sample_gradients(model, [&] { return loss(0, n); }).grad;
    CHECK_FALSE(g.contains("first.bias"));
    for (const auto& [name, rows] : looped(model, n, loss)) CHECK(difference(g[name], rows) < 1e-12);
    return g;
  };
  check(randn({5, 3}, {.dtype = f64}));
  check(randn({5, 2, 3}, {.dtype = f64}));
  check(randn({4, 4, 2, 3}, {.dtype = f64}));
  check(randn({1, 3}, {.dtype = f64}));
  const Tensor none = zeros({0, 3}, {.dtype = f64});
  CHECK(nn::per_sample_gradients(model, [&] { return sum(model(none), {1}); }).grad["middle.weight"].shape() ==
        Shape{0, 4, 4});
}

TEST_CASE("dropout has one mask for the batch: gradients per sample add up to the batch's") {
  manual_seed(2);
  nn::Sequential model{nn::Dense{6, 8}, nn::Dropout{0.5}, nn::ReLU{}, nn::Dense{8, 1}};
  const Tensor x = randn({32, 6});
  const auto losses = [&] { return square(model(x)); };
  manual_seed(3);
  const StateDict g = nn::per_sample_gradients(model, losses).grad;
  manual_seed(3);
  const StateDict whole = nn::value_and_grad(model, [&] { return sum(losses()); }).grad;
  for (const auto& [name, value] : whole)
    CHECK(difference(sum(g[name], {0}), value) <= 1e-5 * max(abs(value)).item<double>());
  const NoGrad guard;
  CHECK_FALSE(nn::per_sample_gradients(model, losses).grad["0.weight"].requires_grad());
}

TEST_CASE("what has no gradient per sample is refused, with its name") {
  manual_seed(4);
  struct Scaled : nn::Module {
    nn::Dense layer{3, 2};
    nn::Parameter scale{tensor(0.5)};
    Tensor operator()(const Tensor& x) { return layer(x) * scale; }
    void members(nn::Visitor& visit) override {
      visit("layer", layer);
      visit("scale", scale);
    }
  } scaled;
  nn::Dense layer{3, 1};
  const Tensor x = randn({4, 3});
  CHECK_ERROR(nn::per_sample_gradients(scaled, [&] { return sum(scaled(x), {1}); }), "per_sample.cpp",
              "per_sample_gradients: the parameter scale is used by something else than a layer of nn/layers.hpp, and "
              "only these give gradients per sample; call value_and_grad with one sample at a time");
  CHECK_ERROR(
      nn::per_sample_gradients(layer, [&] { return mean(layer(x)); }), "per_sample.cpp",
      "per_sample_gradients: f returned (), and one loss for each sample is needed, (n) or (n, 1); let the loss "
      "have Reduction::none");
  const auto joined = [&] {
    const Tensor y = layer(x);
    return square(y - mean(y));
  };
  const std::string interact =
      "per_sample_gradients: the loss of a sample depends on other samples, so that it has no gradient of its own; "
      "remove what joins them, such as means over the batch";
  CHECK_ERROR(nn::per_sample_gradients(layer, joined), "per_sample.cpp", interact);
  CHECK_ERROR(nn::per_sample_gradients(layer, [&] { return cumsum(layer(x), 0); }), "per_sample.cpp", interact);
  CHECK_ERROR(
      nn::per_sample_gradients(layer, [&] { return slice(layer(x), 0, 0, 3); }), "per_sample.cpp",
      "per_sample_gradients: there are 3 losses, and a layer was given (4, 3); the first axis must be that of the "
      "samples");
  // The model is what it was, and another one in f is no part of it.
  nn::Dense other{3, 1};
  const StateDict g = nn::per_sample_gradients(layer, [&] { return layer(x) * other(x); }).grad;
  CHECK(difference(sum(g["bias"], {0}), grad(sum(layer(x) * other(x)), {layer.bias})[0]) < 1e-5);
  CHECK(scaled.scale.is_leaf());
}
