#include <autograd/primitive.hpp>
#include <nn/nn.hpp>
#include <support.hpp>

using namespace xgrad;

/// Mistakes with models, layers and weights, and what they are told.
namespace {

struct Net : nn::Module {
  nn::Dense hidden{4, 8}, output{7, 1};  // does not fit
  static constexpr int line_of_call = __LINE__ + 1;
  Tensor operator()(const Tensor& x) { return output(relu(hidden(x))); }
  void members(nn::Visitor& visit) override {
    visit("hidden", hidden);
    visit("output", output);
  }
};

struct Forgetful : nn::Module {
  nn::Dense hidden{4, 8}, output{8, 1};
  Tensor operator()(const Tensor& x) { return output(relu(hidden(x))); }
  void members(nn::Visitor& visit) override { visit("hidden", hidden); }
};

}  // namespace

TEST_CASE("an input of other features") {
  const Tensor x = ones({2, 5});
  nn::Dense layer{3, 4};
  SAYS("to a layer", ShapeError, layer(x),
       "in Dense 3 -> 4: dense: inner dimensions differ: x is (2, 5), w is (3, 4), b is (4,); x needs 3 features");
  nn::Sequential model{nn::Dense{5, 64}, nn::ReLU{}, nn::Dropout{0.2}, nn::Dense{63, 32}};
  SAYS("to a sequential model", ShapeError, model(x),
       "in model[3] (Dense 63 -> 32): dense: inner dimensions differ: x is (2, 64), w is (63, 32), b is (32,); x needs "
       "63 features");
  nn::Sequential outer{nn::Dense{5, 5}, model};
  SAYS("to a model in a model", ShapeError, outer(x),
       "in model[1][3] (Dense 63 -> 32): dense: inner dimensions differ: x is (2, 64), w is (63, 32), b is (32,); x "
       "needs 63 features");
  SAYS("of integers", DtypeError, model(x.to(i64)),
       "in model[0] (Dense 5 -> 64): dense: x is i64, w is f32, b is f32; convert with .to(...)");
  SAYS("of doubles", DtypeError, model(x.to(f64)),
       "in model[0] (Dense 5 -> 64): dense: x is f64, w is f32, b is f32; convert with .to(...)");
  SAYS("undefined", ValueError, model(Tensor()),
       "in model[0] (Dense 5 -> 64): dense: the tensor is undefined (default-built); give it a value first");
}

TEST_CASE("a model or a lambda of one's own is named with the line where it calls the op") {
  const Tensor x = ones({2, 5});
  Net net;
  SAYS("a model", ShapeError, (line = Net::line_of_call, net(ones({2, 4}))),
       "in output (Dense 7 -> 1): dense: inner dimensions differ: x is (2, 8), w is (7, 1), b is (1,); x needs 7 "
       "features");
  nn::Sequential around{nn::Dense{5, 4}, Net()};
  SAYS(
      "a model in a model", ShapeError, (line = Net::line_of_call, around(x)),
      "in model[1].output (Dense 7 -> 1): dense: inner dimensions differ: x is (2, 8), w is (7, 1), b is (1,); x needs "
      "7 features");
  constexpr int line_of_lambda = __LINE__ + 1;
  nn::Sequential lambda{nn::Dense{5, 4}, [](const Tensor& v) { return v + ones({3}); }};
  SAYS("a lambda", ShapeError, (line = line_of_lambda, lambda(x)),
       "in model[1] (function): add: shapes do not broadcast: a is (2, 4), b is (3,); sizes must agree or be 1, "
       "counted from the last axis");
}

TEST_CASE("the line is that of the call, also where a call takes several") {
  nn::Sequential model{nn::Dense{4, 3}};
  const Tensor x = ones({2, 5});
  int line = 0;
  const auto run = [&](const Tensor& input) {
    line = __LINE__ + 1;
    const Tensor y = model(input);
    return sum(y);
  };
  const std::string told = thrown<ShapeError>([&] { run(x); });
  CHECK(told == text(__FILE__, ":", line,
                     ": in model[0] (Dense 4 -> 3): dense: inner dimensions differ: x is (2, 5), w is (4, 3), b is "
                     "(3,); x needs 4 features"));
}

TEST_CASE("layers that are not there, and members that are not listed") {
  nn::Sequential model{nn::Dense{5, 64}, nn::ReLU{}};
  SAYS("a layer past the end", ValueError, model[3], "Sequential: index 3 is out of range for a model of 2 layers");
  SAYS("a layer of another type", ValueError, model[1].as<nn::Dense>(), "as: the layer is ReLU, not Dense");
  Forgetful net;
  SAYS("a layer left out of members", ValueError, net.parameters(),
       "parameters: Forgetful has a module (Dense 8 -> 1) that it does not list; add visit(\"its_name\", its_name) to "
       "members()");
  SAYS("integers as parameters", DtypeError, nn::Parameter(arange(0, 3, 1, {.dtype = i64})),
       "Parameter: a tensor of type i64 cannot require a gradient; use f32 or f64");
  SAYS("a model of integers", DtypeError, model.to(i64), "to: a model cannot be i64; use f32 or f64");
}

TEST_CASE("weights that do not fit: one message lists them all, and the model stays as it was") {
  nn::Sequential model{nn::Dense{2, 3}, nn::ReLU{}, nn::Dense{3, 1}};
  const auto before = model.state_dict();
  nn::Sequential other{nn::Dense{2, 4}, nn::ReLU{}, nn::Dense{4, 1}, nn::Dense{1, 1}};
  SAYS("other shapes and names", ValueError, model.load_state_dict(other.state_dict()),
       "load_state_dict: 0.weight is (2, 4), the model's is (2, 3); 0.bias is (4,), the model's is (3,); 2.weight is "
       "(4, 1), the model's is (3, 1); unexpected 3.weight; unexpected 3.bias; the model is unchanged");
  nn::Sequential wide = model;
  wide.to(f64);
  SAYS("f64 into f32", ValueError, model.load_state_dict(wide.state_dict()),
       "load_state_dict: 0.weight is f64, the model's is f32 (pass {.convert_dtype = true} to convert); 0.bias is f64, "
       "the model's is f32 (pass {.convert_dtype = true} to convert); 2.weight is f64, the model's is f32 (pass "
       "{.convert_dtype = true} to convert); 2.bias is f64, the model's is f32 (pass {.convert_dtype = true} to "
       "convert); the model is unchanged");
  CHECK(all(model.state_dict().at("0.weight") == before.at("0.weight")).item<bool>());
}

TEST_CASE("plain numbers") {
  const std::string one = "the argument is a plain number; make it a tensor with tensor(...)";
  nn::Sequential activations{nn::Sigmoid{}}, functions{[](const Tensor&x) { return x; }};
  SAYS("to a sequential model", ValueError, activations(1.), "in model[0] (Sigmoid): sigmoid: " + one);
  SAYS("to a function", ValueError, functions(1.), "in model[0] (function): Operand: " + one);
  SAYS("to a loss", ValueError, nn::mse_loss(1., 2.),
       "mse_loss: an argument is a plain number; make it a tensor with full(...)");
  SAYS("to a loss of logits", ValueError, nn::cross_entropy(1., 2),
       "cross_entropy: the prediction is a plain number; make it a tensor with tensor(...)");
  SAYS("to an op of one's own", ValueError,
       primitive(
           "mine", {Operand(1.)}, [] { return ones({}).array(); }, not_differentiable),
       "mine: " + one);
}

TEST_CASE("a library function in a model is named with the line of the call") {
  nn::Sequential model{static_cast<Tensor (*)(const Operand&)>(transpose)};
  SAYS("a function", ShapeError, model(ones({5})),
       "in model[0] (function): transpose: needs at least 2 axes, and the input is (5,)");
}
