#include <autograd/capture.hpp>
#include <nn/nn.hpp>

#include "support.hpp"

using namespace xgrad;

/// Forward hooks of modules.
namespace {

struct Net : nn::Module {
  nn::Dense hidden{2, 3}, output{3, 1};
  Tensor operator()(const Tensor& x) {
    return hooked(x, [&](const Tensor& input) { return output(relu(hidden(input))); });
  }
  void members(nn::Visitor& visit) override {
    visit("hidden", hidden);
    visit("output", output);
  }
};

/// One that does not know of hooks.
struct Doubling : nn::Module {
  Tensor operator()(const Tensor& x) { return x * 2; }
};

}  // namespace

TEST_CASE("forward hooks see a layer's input and output, found by its path") {
  Net net;
  Shape in, out;
  HookHandle hook = net.submodule("hidden").register_forward_hook([&](const Tensor& x, const Tensor& y) {
    in = x.shape();
    out = y.shape();
  });
  (void)net(ones({5, 2}));
  CHECK(in == Shape{5, 2});
  CHECK(out == Shape{5, 3});
  hook.remove();
  (void)net(ones({7, 2}));
  CHECK(in == Shape{5, 2});
  CHECK(error_of([&] {
          (void)net.submodule("hiden");
        }).find("submodule: there is no module \"hiden\"; there are \"\", \"hidden\", \"output\"") !=
        std::string::npos);
}

TEST_CASE("forward hooks may replace what goes in and what comes out, in the order of registration") {
  nn::Sequential model{nn::ReLU{}, Doubling{}, nn::Dropout{0}, nn::Flatten{}, nn::Softmax{}};
  nn::Module& relu = model.submodule("0");
  relu.register_forward_pre_hook([](const Tensor& x) { return x + 1; });
  relu.register_forward_pre_hook([](const Tensor& x) { return x * 10; });
  double at_relu = 0, at_doubling = 0;
  relu.register_forward_hook([&](const Tensor& x, const Tensor& y) {
    at_relu = sum(x).item<double>();
    return y + 5;
  });
  model.submodule("1").register_forward_hook(
      [&](const Tensor&, const Tensor& y) { at_doubling = sum(y).item<double>(); });
  int others = 0;
  for (const char* const path : {"2", "3", "4"})
    model.submodule(path).register_forward_hook([&](const Tensor&, const Tensor&) { ++others; });
  (void)model(ones({1, 1}));
  CHECK(at_relu == 20);
  CHECK(at_doubling == 50);
  CHECK(others == 3);
}

TEST_CASE("a model of the user's runs its hooks once, alone and in a Sequential") {
  nn::Sequential model{Net{}};
  int runs = 0;
  model.submodule("0").register_forward_hook([&](const Tensor&, const Tensor&) { ++runs; });
  (void)model(ones({5, 2}));
  CHECK(runs == 1);
  model.register_forward_hook([&](const Tensor&, const Tensor&) { runs = 0; });
  (void)model(ones({5, 2}));
  CHECK(runs == 0);
  runs = 1;
  Net net;
  net.register_forward_pre_hook([&](const Tensor&) { ++runs; });
  (void)net(ones({5, 2}));
  CHECK(runs == 2);
}

TEST_CASE("hooks belong to one module: copies have none, and a moved one keeps them") {
  int runs = 0;
  nn::Dense dense{2, 2};
  dense.register_forward_hook([&](const Tensor&, const Tensor&) { ++runs; });
  nn::Dense copy = dense, other{2, 2};
  other = dense;
  (void)copy(ones({1, 2}));
  (void)other(ones({1, 2}));
  CHECK(runs == 0);
  nn::Dense moved = std::move(dense);
  (void)moved(ones({1, 2}));
  CHECK(runs == 1);
}

TEST_CASE("a parameter's hooks outlive the conversion of its model") {
  nn::Dense dense{2, 1};
  Dtype seen = f32;
  dense.weight.register_hook([&](const Tensor& g) { seen = g.dtype(); });
  dense.to(f64);
  sum(dense(ones({1, 2}, {.dtype = f64}))).backward();
  CHECK(seen == f64);
}

TEST_CASE("a hook may call another module, and the very same one") {
  nn::Dense dense{2, 2};
  int runs = 0;
  dense.register_forward_hook([&](const Tensor& x, const Tensor&) {
    if (++runs < 3) (void)dense(x);
  });
  (void)dense(ones({1, 2}));
  CHECK(runs == 3);
}

TEST_CASE("the gradient of a layer's output is seen by a hook on it") {
  Net net;
  Tensor hidden;
  net.hidden.register_forward_hook([&](const Tensor&, const Tensor& y) {
    y.retain_grad();
    hidden = y;
  });
  sum(net(ones({5, 2}))).backward();
  CHECK(hidden.grad().shape() == Shape{5, 3});
}

TEST_CASE("a captured step is recorded anew when a module's hooks change") {
  nn::Sequential model{Doubling{}};
  auto step = capture([&](const Tensor& x) { return model(x); });
  const auto run = [&] { return step(tensor({3.})).item<double>(); };
  CHECK(run() == 6);
  HookHandle hook = model.submodule("0").register_forward_hook([](const Tensor&, const Tensor& y) { return y + 1; });
  CHECK(run() == 7);
  CHECK(run() == 7);
  hook.remove();
  CHECK(run() == 6);
  CHECK(step.recordings() == 2);
}
