#include <doctest/doctest.h>
#include <autograd/primitive.hpp>
#include <nn/nn.hpp>

using namespace xgrad;

/// Gradient checks of whole models.
namespace {

/// x * scale, whose gradient by the scale is twice what it should be.
struct Scale : nn::Module {
  nn::Parameter scale{full({4}, 1.5)};
  Tensor operator()(const Operand& x) {
    const Tensor s = scale;
    return primitive(
        "scale", {x, s}, [&] { return (x.tensor().detach() * s.detach()).array(); },
        [s](const Tensor& g) { return g * s; }, [x = x.tensor()](const Tensor& g) { return 2 * sum(g * x, {0}); });
  }
  void members(nn::Visitor& visit) override { visit("scale", scale); }
};

/// x^3, whose gradient is a third of what it should be.
struct Cube : nn::Module {
  Tensor operator()(const Operand& x) {
    const Tensor in = x.tensor();
    return primitive(
        "cube", {in}, [&] { return (in.detach() * square(in.detach())).array(); },
        [in](const Tensor& g) { return g * square(in); });
  }
  void members(nn::Visitor&) override {}
};

}  // namespace

TEST_CASE("a whole model is checked, parameter by parameter, in f64 on a copy") {
  manual_seed(1);
  nn::Sequential model{nn::Dense{3, 4}, nn::Tanh{}, nn::Dropout{0.3}, nn::Dense{4, 1}, nn::Sigmoid{}};
  const Tensor x = randn({5, 3}), t = tensor({{1.}, {0.}, {1.}, {1.}, {0.}});
  const StateDict before = model.state_dict();
  const RandomState random = random_state();
  const auto loss = [](nn::Sequential& m, const Tensor& in, const Tensor& target) {
    return nn::binary_cross_entropy(m(in), target);
  };
  const auto r = nn::gradcheck(model, loss, {x, t}, {.order = 2});
  CHECK_MESSAGE(r.ok(), r.str());
  CHECK(r.notes().empty());                       // of f32
  CHECK(r.label(r.entries()[0]).find(".") == 1);  // "0.bias[2]"
  CHECK(random_state().stream == random.stream);
  CHECK(model.parameters()[0].dtype() == f32);
  CHECK_FALSE(model.parameters()[0].has_grad());
  CHECK(model.state_dict().begin()->second.data<float>()[0] == before.begin()->second.data<float>()[0]);
}

TEST_CASE("what is wrong in a model is found, with its parameter and its place in the model") {
  manual_seed(1);
  nn::Sequential model{nn::Dense{3, 4}, Scale{}, nn::Dense{4, 2}};
  const Tensor x = randn({5, 3}, {.dtype = f64});
  const auto r = nn::gradcheck(model, [&](nn::Sequential& m) { return mean(square(m(x))); });
  REQUIRE(r.culprits().size() == 1);
  CHECK(r.culprits()[0].op == "scale");
  CHECK(r.culprits()[0].input == 1);
  CHECK(r.culprits()[0].pattern == "factor 2");
  CHECK_MESSAGE(r.culprits()[0].path.find("model[1]") != std::string::npos, r.culprits()[0].path);
  CHECK(r.label(r.entries()[0]).find("1.scale[") == 0);
}

TEST_CASE("a loss with f32 numbers of its own is checked in f32") {
  manual_seed(1);
  nn::Sequential model{nn::Dense{3, 2}};
  const Tensor x = randn({5, 3});
  const auto r = nn::gradcheck(model, [&](nn::Sequential& m) { return mean(square(m(x))); });
  CHECK_MESSAGE(r.ok(), r.str());
  CHECK(r.notes().size() == 1);
}

TEST_CASE("a wrong op is found by an f32 loss over many outputs, however small its derivatives") {
  manual_seed(1);
  nn::Sequential model{nn::Dense{4, 784}, Cube{}};
  const Tensor x = randn({2, 4}), t = randn({2, 784});
  const auto mse = [&](nn::Sequential& m) { return nn::mse_loss(m(x), t); };
  const auto r = nn::gradcheck(model, mse);
  CHECK(r.total() == 3920);
  CHECK_MESSAGE(r.count(Verdict::fail) > 0, r.str());
  REQUIRE(r.culprits().size() == 1);
  CHECK(r.culprits()[0].op == "cube");
  CHECK(r.notes()[0].find("differences are taken in f32") != std::string::npos);
}

TEST_CASE("a model without parameters, or a loss of other data, is refused") {
  nn::Sequential none{nn::ReLU{}};
  CHECK_THROWS_AS(nn::gradcheck(none, [](nn::Sequential& m) { return m(ones({2})); }), ValueError);
  nn::Sequential model{nn::Dense{3, 2}};
  const auto loss = [](nn::Sequential& m, const Tensor& x) { return sum(m(x)); };
  CHECK_THROWS_AS(nn::gradcheck(model, loss, {ones({1, 3}), ones({2})}), ValueError);
}
