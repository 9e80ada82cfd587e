#include <algorithm>
#include <nn/nn.hpp>
#include "nn/models.hpp"
#include "support.hpp"

using namespace xgrad;

/// Transforms by a model's parameters.
namespace {

struct Net : nn::Module {
  nn::Dense hidden{3, 4, {.dtype = f64}}, output{4, 1, {.dtype = f64}};
  nn::Parameter scale{tensor(0.7, {.dtype = f64})};
  Tensor operator()(const Tensor& x) { return output(tanh(hidden(x)) * scale); }
  void members(nn::Visitor& visit) override {
    visit("hidden", hidden);
    visit("output", output);
    visit("scale", scale);
  }
};

struct Setting {
  Setting() { manual_seed(3); }
  Net model;
  Tensor x = randn({5, 3}, {.dtype = f64}), t = randn({5, 1}, {.dtype = f64});
  Tensor loss() { return nn::mse_loss(model(x), t); }
};

}  // namespace

TEST_CASE("value_and_grad by name gives what backward collects, and leaves grad() alone") {
  Setting s;
  const auto [loss, g] = nn::value_and_grad(s.model, [&] { return s.loss(); });
  CHECK(g.size() == 5);
  CHECK_FALSE(loss.requires_grad());
  CHECK_FALSE(g["scale"].requires_grad());
  for (const auto& [name, p] : s.model.named_parameters()) CHECK_FALSE(p.has_grad());
  s.loss().backward();
  CHECK(loss.item<double>() == s.loss().item<double>());
  for (const auto& [name, p] : s.model.named_parameters()) {
    const std::string& which = name;
    CAPTURE(which);
    CHECK(equal(g[name], p.grad()));
    CHECK(p.is_leaf());
  }
}

TEST_CASE("hvp, jvp, vjp, jacobian and hessian by name agree with each other") {
  Setting s;
  const auto loss = [&] { return s.loss(); };
  const auto outputs = [&] { return s.model(s.x); };
  const nn::HessianBlocks h = nn::hessian(s.model, loss);
  CHECK(h.at("hidden.weight", "scale").shape() == Shape{3, 4});
  CHECK(difference(permute(h.at("hidden.weight", "output.bias"), {2, 0, 1}), h.at("output.bias", "hidden.weight")) <
        1e-15);
  StateDict v;
  for (const auto& [name, p] : s.model.named_parameters()) v.set(name, randn(p.shape(), {.dtype = f64}));
  const StateDict hv = nn::hvp(s.model, loss, v);
  for (const auto& [row, p] : s.model.named_parameters()) {
    Tensor expected = zeros({p.size()}, {.dtype = f64});
    for (const auto& [column, q] : s.model.named_parameters())
      expected += matmul(reshape(h.at(row, column), Shape{p.size(), q.size()}), flatten(v[column]));
    CHECK(difference(flatten(hv[row]), expected) < 1e-14);
  }
  const auto [y, tangent] = nn::jvp(s.model, outputs, v);
  CHECK(equal(y, s.model(s.x)));
  const StateDict j = nn::jacobian(s.model, outputs);
  CHECK(j["hidden.weight"].shape() == Shape{5, 1, 3, 4});
  Tensor expected = zeros({5}, {.dtype = f64});
  for (const auto& [name, q] : v) expected += matmul(reshape(j[name], Shape{5, q.size()}), flatten(q));
  CHECK(difference(flatten(tangent), expected) < 1e-14);
  const auto [again, pullback] = nn::vjp(s.model, outputs);
  const StateDict back = pullback(s.t);
  double inner = 0;
  for (const auto& [name, q] : v) inner += sum(back[name] * q).item<double>();
  CHECK(std::abs(inner - sum(s.t * tangent).item<double>()) < 1e-13);
}

TEST_CASE("transforms by name nest, as in a penalty on the gradient") {
  Setting s;
  const auto penalised = [&] {
    const auto [loss, g] = nn::value_and_grad(s.model, [&] { return s.loss(); });
    return loss + 0.5 * sum(square(g["hidden.weight"])) + square(g["scale"]);
  };
  const auto [value, g] = nn::value_and_grad(s.model, penalised);
  StateDict v;
  const auto inner = nn::value_and_grad(s.model, [&] { return s.loss(); }).grad;
  for (const auto& [name, p] : s.model.named_parameters())
    v.set(name, name == "hidden.weight" ? inner[name]
                : name == "scale"       ? 2 * inner[name]
                                        : zeros(p.shape(), {.dtype = f64}));
  const StateDict hv = nn::hvp(
      s.model, [&] { return s.loss(); }, v);
  for (const auto& [name, p] : s.model.named_parameters()) CHECK(difference(g[name], inner[name] + hv[name]) < 1e-13);
}

TEST_CASE("functional_call runs a model with other parameters, which get the gradients") {
  Setting s;
  const Net before = s.model;
  const auto [loss, g] = nn::value_and_grad(s.model, [&] { return s.loss(); });
  const Tensor rate = tensor(0.1, {.dtype = f64, .requires_grad = true});
  StateDict stepped;
  for (const auto& [name, p] : s.model.named_parameters()) stepped.set(name, p.detach() - rate * g[name]);
  const Tensor after = nn::functional_call(s.model, stepped, [&] { return s.loss(); });
  CHECK(after.item<double>() < loss.item<double>());
  CHECK(grad(after, {rate})[0].item<double>() < 0);
  CHECK(s.loss().item<double>() == loss.item<double>());
  CHECK_THROWS_AS(nn::functional_call(s.model, stepped, [&]() -> Tensor { throw std::logic_error("mine"); }),
                  std::logic_error);
  for (const auto& [name, p] : s.model.named_parameters()) CHECK(equal(p, before.state_dict()[name]));
  s.loss().backward();
  CHECK(s.model.scale.has_grad());
}

TEST_CASE("shared layers count once, frozen parameters not at all") {
  manual_seed(2);
  struct Twice : nn::Module {
    nn::Dense layer{2, 2, {.bias = false, .dtype = f64}};
    Tensor operator()(const Tensor& x) { return layer(tanh(layer(x))); }
    void members(nn::Visitor& visit) override {
      visit("first", layer);
      visit("second", layer);
    }
  } twice;
  const Tensor x = randn({3, 2}, {.dtype = f64});
  const StateDict g = nn::value_and_grad(twice, [&] { return sum(twice(x)); }).grad;
  CHECK(g.size() == 1);
  CHECK(equal(g["first.weight"], grad(sum(twice(x)), {twice.layer.weight})[0]));
  nn::Sequential model{nn::Dense{2, 2}, nn::Dense{2, 1}};
  model[0].as<nn::Dense>().weight.set_requires_grad(false);
  const auto total = [&] { return sum(model(ones({1, 2}))); };
  CHECK_FALSE(nn::value_and_grad(model, total).grad.contains("0.weight"));
  CHECK(value_and_grad(model, total).grad.size() == 3);  // found without nn:: too
}

TEST_CASE("a model of f32 in NoGrad, and in a captured step") {
  manual_seed(4);
  nn::Sequential model{nn::Dense{2, 4}, nn::Tanh{}, nn::Dense{4, 1}};
  const Tensor x = randn({8, 2});
  const auto loss = [&](const Tensor& input) { return mean(square(model(input))); };
  auto step = capture([&](const Tensor& input) {
    return std::vector<Tensor>{nn::value_and_grad(model, [&] { return loss(input); }).grad["0.weight"]};
  });
  for (int i = 0; i < 3; ++i) {
    const Tensor input = x * (i + 1);
    loss(input).backward();
    const NoGrad guard;
    CHECK(equal(nn::value_and_grad(model, [&] { return loss(input); }).grad["0.weight"],
                model[0].as<nn::Dense>().weight.grad()));
    model.zero_grad();
    CHECK(equal(step(input)[0], nn::value_and_grad(model, [&] { return loss(input); }).grad["0.weight"]));
  }
}

TEST_CASE("what does not fit a model is named") {
  Setting s;
  nn::Sequential empty;
  const auto loss = [&] { return s.loss(); };
  CHECK_ERROR(nn::value_and_grad(empty, loss), "functional.cpp",
              "value_and_grad: the model has no parameter that requires a gradient");
  CHECK_ERROR(
      nn::hvp(s.model, loss, {{"scale", ones({})}}), "functional.cpp",
      "hvp: there is no tangent for hidden.weight; give one for each of hidden.weight, hidden.bias, output.weight, "
      "output.bias, scale");
  StateDict v = s.model.state_dict();
  v.set("other", ones({2}));
  CHECK_ERROR(nn::jvp(s.model, loss, v), "functional.cpp",
              "jvp: there is a tangent for other, and the parameters are hidden.weight, hidden.bias, output.weight, "
              "output.bias, scale");
  CHECK_ERROR(nn::functional_call(s.model, v, loss), "functional.cpp",
              "functional_call: the model has no parameter other");
  CHECK_ERROR(nn::functional_call(s.model, {{"scale", ones({2}, {.dtype = f64})}}, loss), "functional.cpp",
              "functional_call: scale is (2,), the model's is (); they must be equal");
  CHECK_ERROR(nn::functional_call(s.model, {{"scale", ones({})}}, loss), "functional.cpp",
              "functional_call: scale is f32, the model's is f64; convert it with .to(...)");
  CHECK_ERROR(nn::hessian(s.model, loss).at("scale", "x"), "functional.cpp",
              "hessian: there is no x; the names are: hidden.weight, hidden.bias, output.weight, output.bias, scale");
  CHECK_ERROR(
      nn::value_and_grad(s.model, [&] { return s.model(s.x); }), "functional.cpp",
      "value_and_grad: f returned a tensor of shape (5, 1), and only one number has a gradient; reduce it with sum "
      "or mean, or take the jacobian");
}

TEST_CASE("the reference network's Jacobian is its own transpose, and its Hessian symmetric") {
  manual_seed(5);
  nn::Sequential model = reference_network();
  model.to(f64);
  const Tensor x = rand({16, 784}, {.dtype = f64}), t = (rand({16, 1}) > 0.5).to(f64);
  const auto outputs = [&] {
    manual_seed(6);
    return model(x);
  };
  const auto loss = [&] { return nn::binary_cross_entropy(outputs(), t); };
  const auto draw = [&] {
    StateDict v;
    for (const auto& [name, p] : model.named_parameters()) v.set(name, randn(p.shape(), {.dtype = f64}));
    return v;
  };
  const StateDict u = draw(), v = draw();
  const auto inner = [](const StateDict& a, const StateDict& b) {
    double total = 0;
    for (const auto& [name, value] : a) total += sum(value * b[name]).item<double>();
    return total;
  };
  const auto close = [](double a, double b) {
    return std::abs(a - b) <= 1e-12 * std::max({1.0, std::abs(a), std::abs(b)});
  };
  const Tensor w = randn({16, 1}, {.dtype = f64});
  CHECK(
      close(sum(w * nn::jvp(model, outputs, u).tangent).item<double>(), inner(u, nn::vjp(model, outputs).pullback(w))));
  CHECK(close(inner(u, nn::hvp(model, loss, v)), inner(v, nn::hvp(model, loss, u))));
}
