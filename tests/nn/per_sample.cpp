#include <autograd/observer.hpp>
#include <autograd/primitive.hpp>
#include <chrono>
#include <nn/nn.hpp>
#include "nn/models.hpp"
#include "support.hpp"

using namespace xgrad;

/// Gradients of each sample against loops over the samples.
namespace {

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

namespace {

/// Parameters that other ops than dense ones use.
struct Mixed : nn::Module {
  nn::Parameter table{randn({5, 4}, {.dtype = f64})}, product{randn({4, 4}, {.dtype = f64})},
      scale{tensor(0.5, {.dtype = f64})}, shift{randn({1, 4}, {.dtype = f64})};
  nn::LayerNorm norm{4, {.dtype = f64}};
  nn::Dense last{4, 1, {.dtype = f64}};
  /// For classes (n) or (n, t).
  Tensor operator()(const Tensor& classes) {
    const Tensor x = norm(take(table, classes)) * scale + shift;
    return last(tanh(matmul(x, product)) * where(x > 0, shift, 2) + tanh(matmul(x, product, {.transpose_b = true})));
  }
  void members(nn::Visitor& visit) override {
    visit("table", table);
    visit("product", product);
    visit("scale", scale);
    visit("shift", shift);
    visit("norm", norm);
    visit("last", last);
  }
};

}  // namespace

TEST_CASE("parameters used by any op have gradients per sample: by index, product, broadcast, a norm") {
  manual_seed(7);
  Mixed model;
  for (const Tensor& classes : {tensor({0, 3, 3, 1}, {.dtype = i64}), tensor({{0, 2, 2}, {4, 1, 2}}, {.dtype = i64}),
                                tensor({{1}}, {.dtype = i64})}) {
    const std::int64_t n = classes.shape()[0];
    const auto loss = [&](std::int64_t from, std::int64_t to) {
      return sum(reshape(square(model(slice(classes, 0, from, to))), {to - from, -1}), {1});
    };
    const StateDict g = nn::per_sample_gradients(model, [&] { return loss(0, n); }).grad;
    for (const auto& entry : looped(model, n, loss)) {
      CAPTURE(entry.first);
      CHECK(difference(g[entry.first], entry.second) < 1e-12);
    }
  }
}

TEST_CASE("an op of one's own on a parameter has gradients per sample, by its own rule") {
  manual_seed(8);
  struct Own : nn::Module {
    nn::Parameter power{tensor({1.5, 2, .5}, {.dtype = f64})};
    Tensor operator()(const Tensor& x) const {
      return primitive(
          "raised", {x, power}, [&] { return pow(x, power.detach()).array(); },
          [x, p = Tensor(power)](const Tensor& g) { return g * p * pow(x, p - 1); },
          [x, p = Tensor(power)](const Tensor& g) { return sum(g * pow(x, p) * log(x), {0}); });
    }
    void members(nn::Visitor& visit) override { visit("power", power); }
  } model;
  const Tensor x = rand({4, 3}, {.dtype = f64}) + .5;
  const auto loss = [&](std::int64_t from, std::int64_t to) { return sum(model(slice(x, 0, from, to)), {1}); };
  const StateDict g = nn::per_sample_gradients(model, [&] { return loss(0, 4); }).grad;
  CHECK(difference(g["power"], looped(model, 4, loss)["power"]) < 1e-13);
}

TEST_CASE("what has no gradient per sample is refused, with its name") {
  manual_seed(4);
  struct Normalised : nn::Module {
    nn::Dense layer{3, 2};
    nn::Parameter direction{ones({2, 5})};
    Tensor operator()(const Tensor& x) { return matmul(layer(x), direction / norm(direction)); }
    void members(nn::Visitor& visit) override {
      visit("layer", layer);
      visit("direction", direction);
    }
  } normalised;
  nn::Dense layer{3, 1};
  const Tensor x = randn({4, 3});
  CHECK_ERROR(nn::per_sample_gradients(normalised, [&] { return sum(normalised(x), {1}); }), "per_sample.cpp",
              "per_sample_gradients: there are 4 losses, and the result of divide, which uses direction, is (2, 5); "
              "its first axis must be that of the samples");
  CHECK_ERROR(
      nn::per_sample_gradients(layer, [&] { return mean(layer(x)); }), "per_sample.cpp",
      "per_sample_gradients: f returned (), and one loss for each sample is needed, (n) or (n, 1); let the loss "
      "have Reduction::none");
  const std::string interact =
      "per_sample_gradients: the loss of a sample depends on other samples, so that it has no gradient of its own; "
      "remove what joins them, such as means over the batch";
  const auto joined = [&] {
    const Tensor y = layer(x);
    return square(y - mean(y));
  };
  CHECK_ERROR(nn::per_sample_gradients(layer, joined), "per_sample.cpp", interact);
  CHECK_ERROR(nn::per_sample_gradients(layer, [&] { return cumsum(layer(x), 0); }), "per_sample.cpp", interact);
  const auto pair = [&] {
    const Tensor y = layer(x);
    return y + take(y, tensor({2, 1, 2, 3}, {.dtype = i64})) * tensor({{1.}, {0.}, {0.}, {0.}});
  };
  CHECK_ERROR(nn::per_sample_gradients(layer, pair), "per_sample.cpp", interact);
  // Rows of a parameter are no samples, though they are as many.
  const auto doubled = [&] { return sum(matmul(normalised.layer(slice(x, 0, 0, 2)), normalised.direction * 2), {1}); };
  CHECK_ERROR(nn::per_sample_gradients(normalised, doubled), "per_sample.cpp", interact);
  CHECK_ERROR(nn::per_sample_gradients(layer, [&] { return checkpoint(layer, x); }), "per_sample.cpp", interact);
  CHECK_ERROR(
      nn::per_sample_gradients(layer, [&] { return slice(layer(x), 0, 0, 3); }), "per_sample.cpp",
      "per_sample_gradients: there are 3 losses, and the result of dense, which uses weight, is (4, 1); its first axis "
      "must be that of the samples");
  CHECK_ERROR(nn::per_sample_gradients(normalised, [&] { return Tensor(normalised.layer.bias); }), "per_sample.cpp",
              "per_sample_gradients: f returned the parameter layer.bias; it must compute a loss of it");
  // The model is what it was, and another one in f is no part of it.
  nn::Dense other{3, 1};
  const StateDict g = nn::per_sample_gradients(layer, [&] { return layer(x) * other(x); }).grad;
  CHECK(difference(sum(g["bias"], {0}), grad(sum(layer(x) * other(x)), {layer.bias})[0]) < 1e-5);
  CHECK(normalised.direction.is_leaf());
}
