#include <doctest/doctest.h>
#include <autograd/anomaly.hpp>
#include <autograd/capture.hpp>
#include <autograd/ops.hpp>
#include <autograd/picture.hpp>
#include <autograd/primitive.hpp>
#include <autograd/profiler.hpp>
#include <nn/gradcheck.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <memory>

#include "support.hpp"

using namespace xgrad;

/// Layers are called by the names that `members` gives them, in whatever model they stand.
namespace {

struct Attention : nn::Module {
  nn::Dense qkv{4, 12}, out{4, 4};
  Tensor operator()(const Tensor& x) { return out(slice(qkv(x), 1, 0, 4)); }
  void members(nn::Visitor& visit) override {
    visit("qkv", qkv);
    visit("out", out);
  }
};

struct Net : nn::Module {
  nn::Sequential encoder{nn::Dense{3, 4}, nn::ReLU{}, nn::Dense{4, 4}};
  Attention attention;
  nn::Flatten flat;
  Tensor operator()(const Tensor& x) { return flat(attention(encoder(x))); }
  void members(nn::Visitor& visit) override {
    visit("encoder", encoder);
    visit("attention", attention);
    visit("flat", flat);
  }
};

/// The path in the message that f throws, whose words after it begin with `error`.
template <class F>
std::string path_of(const std::string& error, F f) {
  const std::string said = error_of(f);
  const auto begin = said.find(": in ");
  const auto end = said.find(": ", begin + 5);
  if (begin == said.npos || said.find(error, end) != end + 2) return "[" + said + "]";
  return said.substr(begin + 5, end - begin - 5);
}

nn::Sequential broken() { return {nn::Dense{3, 4}, nn::ReLU{}, nn::Dense{5, 4}}; }

}  // namespace

TEST_CASE("an error names the member of a custom model that it happened in, however deep") {
  const Tensor x = ones({2, 3});
  Net net;
  net.encoder = broken();
  CHECK(path_of("dense: ", [&] { net(x); }) == "encoder.2 (Dense 5 -> 4)");
  net = Net{};
  net.attention.out = nn::Dense{7, 4};
  CHECK(path_of("dense: ", [&] { net(x); }) == "attention.out (Dense 7 -> 4)");
  net = Net{};
  CHECK(path_of("flatten: ", [&] { net.flat(ones({3})); }) == "flat (Flatten)");
  Attention alone;
  CHECK(path_of("dense: ", [&] { alone(x); }) == "qkv (Dense 4 -> 12)");
  CHECK(path_of("dense: ", [&] { nn::Dense(4, 2)(x); }) == "Dense 4 -> 2");
}

TEST_CASE("in a Sequential the position of the model stands before the member's name") {
  const Tensor x = ones({2, 3});
  Net net;
  net.encoder = broken();
  nn::Sequential model{nn::ReLU{}, net};
  CHECK(path_of("dense: ", [&] { model(x); }) == "model[1].encoder.2 (Dense 5 -> 4)");
  net = Net{};
  net.attention.qkv = nn::Dense{7, 4};
  nn::Sequential deep;
  deep.add(nn::Sequential{nn::ReLU{}, nn::ReLU{}, net});
  CHECK(path_of("dense: ", [&] { deep(x); }) == "model[0][2].attention.qkv (Dense 7 -> 4)");

  struct Around : nn::Module {
    nn::Sequential model;
    void members(nn::Visitor& visit) override { visit("model", model); }
  };
  Around around;
  around.model.add(deep);
  CHECK(path_of("dense: ", [&] { around.model(x); }) == "model.0.0.2.attention.qkv (Dense 7 -> 4)");
}

TEST_CASE("structs with members, ranges of layers and what they hold are named in a Sequential") {
  struct Block {
    std::vector<nn::Dense> layers{nn::Dense{3, 3}, nn::Dense{4, 3}};
    nn::Dense last[2] = {{3, 3}, {3, 3}};
    Tensor operator()(const Tensor& x) { return layers[1](layers[0](x)); }
    void members(nn::Visitor& visit) {
      visit("layers", layers);
      visit("last", last);
    }
  };
  nn::Sequential model{nn::ReLU{}, Block{}};
  CHECK(path_of("dense: ", [&] { model(ones({2, 3})); }) == "model[1].layers.1 (Dense 4 -> 3)");
}

TEST_CASE("layers in a vector are named in a custom model that runs by hooked") {
  struct Stack : nn::Module {
    std::vector<Attention> blocks = std::vector<Attention>(3);
    bool hooked_ = true;
    Tensor run(const Tensor& x) { return blocks[2](blocks[0](x)); }
    Tensor operator()(const Tensor& x) {
      return hooked_ ? hooked(x, [&](const Tensor& input) { return run(input); }) : run(x);
    }
    void members(nn::Visitor& visit) override { visit("blocks", blocks); }
  };
  Stack stack;
  stack.blocks[2].out = nn::Dense{5, 4};
  CHECK(path_of("dense: ", [&] { stack(ones({2, 4})); }) == "blocks.2.out (Dense 5 -> 4)");
  stack.hooked_ = false;
  CHECK(path_of("dense: ", [&] { stack(ones({2, 4})); }) == "out (Dense 5 -> 4)");
  nn::Sequential model{stack};
  CHECK(path_of("dense: ", [&] { model(ones({2, 4})); }) == "model[0].blocks.2.out (Dense 5 -> 4)");
  model[0].as<Stack>().hooked_ = true;
  CHECK(path_of("dense: ", [&] { model(ones({2, 4})); }) == "model[0].blocks.2.out (Dense 5 -> 4)");
}

TEST_CASE("copies, models that moved and hooked layers keep their names") {
  const Tensor x = ones({2, 3});
  Net net;
  net.attention.qkv = nn::Dense{7, 4};
  Net copy = net;
  CHECK(path_of("dense: ", [&] { copy(x); }) == "attention.qkv (Dense 7 -> 4)");
  const auto moved = std::make_unique<Net>(std::move(copy));
  CHECK(path_of("dense: ", [&] { (*moved)(x); }) == "attention.qkv (Dense 7 -> 4)");
  moved->attention.qkv.register_forward_hook([](const Tensor&, const Tensor&) {});
  CHECK(path_of("dense: ", [&] { (*moved)(x); }) == "attention.qkv (Dense 7 -> 4)");
  nn::Sequential model{nn::ReLU{}, net};
  model.submodule("1").register_forward_pre_hook([](const Tensor&) {});
  model.submodule("1.attention").register_forward_pre_hook([](const Tensor&) {});
  CHECK(path_of("dense: ", [&] { model(x); }) == "model[1].attention.qkv (Dense 7 -> 4)");
}

TEST_CASE("a layer that no list has is named by itself") {
  struct Forgetful : nn::Module {
    nn::Dense layer{4, 4};
  };
  Forgetful model;
  CHECK(path_of("dense: ", [&] { model.layer(ones({2, 3})); }) == "Dense 4 -> 4");
  struct Throwing : Forgetful {
    void members(nn::Visitor&) override { throw std::runtime_error("members"); }
  };
  Throwing throwing;
  CHECK(path_of("dense: ", [&] { throwing.layer(ones({2, 3})); }) == "Dense 4 -> 4");
  struct Failing : Forgetful {
    void members(nn::Visitor&) override { matmul(ones({2, 3}), ones({2, 3})); }
  };
  Failing failing;
  CHECK(path_of("dense: ", [&] { failing.layer(ones({2, 3})); }) == "Dense 4 -> 4");
  Net net;
  net.attention.qkv = nn::Dense{7, 4};
  nn::Sequential around{[net](const Tensor& x) mutable { return net(x); }};
  CHECK(path_of("dense: ", [&] { around(ones({2, 3})); }) == "model[0] (function), attention.qkv (Dense 7 -> 4)");
}

TEST_CASE("a layer that runs while its model is constructed is named") {
  struct Measured : nn::Module {
    nn::Dense first{3, 4};
    nn::Dense second;
    Measured(std::int64_t features) : second(first(ones({1, features})).shape()[1], 2) {}
    void members(nn::Visitor& visit) override {
      visit("second", second);
      visit("first", first);
    }
  };
  CHECK(path_of("dense: ", [] { Measured(5); }) == "first (Dense 3 -> 4)");
  CHECK(Measured(3).second.weight.shape() == Shape{4, 2});
}

TEST_CASE("threads that build and drop models do not disturb each other's names") {
  std::atomic<int> right{0};
  on_threads(4, [&](int) {
    for (int i = 0; i < 50; ++i) {
      Net net;
      net.attention.qkv = nn::Dense{7, 4};
      right += path_of("dense: ", [&] { net(ones({2, 3})); }) == "attention.qkv (Dense 7 -> 4)";
    }
  });
  CHECK(right == 200);
}

TEST_CASE("rows of a profile, boxes of a picture and what anomaly detection says have the members' names") {
  Net net;
  const Tensor x = ones({2, 3});
  Profiler profiler;
  sum(net(x)).backward();
  const std::vector<ProfileRow> rows = profiler.modules();
  const auto has_row = [&](ProfileRow::Part part, const std::string& name) {
    return std::any_of(rows.begin(), rows.end(),
                       [&](const ProfileRow& row) { return row.part == part && row.name == name; });
  };
  for (const char* const name : {"encoder.0 (Dense 3 -> 4)", "encoder.1 (ReLU)", "attention.qkv (Dense 4 -> 12)",
                                 "attention.out (Dense 4 -> 4)"}) {
    CHECK_MESSAGE(has_row(ProfileRow::Part::forward, name), name);
    CHECK_MESSAGE(has_row(ProfileRow::Part::backward, name), name);
  }
  const std::string svg = to_svg([&] { return sum(net(x)); }, {.names = net.named_parameters()});
  for (const char* const title : {">encoder.2 (Dense 4 -&gt; 4)<", ">attention.qkv (Dense 4 -&gt; 12)<"})
    CHECK_MESSAGE(svg.find(title) != svg.npos, title);

  const DetectAnomaly anomaly;
  net.encoder = nn::Sequential{[](const Tensor&) { return full({2, 4}, 10); }};
  net.attention.qkv.weight = full({4, 12}, 3e38);
  CHECK(path_of("dense: gave", [&] { net(x); }) == "attention.qkv (Dense 4 -> 12)");
}

TEST_CASE("what a gradient check finds is called by its member's name") {
  struct Twice {
    Tensor operator()(const Tensor& x) const {
      return primitive(
          "twice", {x}, [&] { return (x.detach() * 2).array(); }, [](const Tensor& g) { return g * 3; });
    }
  };
  struct Model : nn::Module {
    nn::Sequential body{nn::Dense{3, 2}, Twice{}};
    Tensor operator()(const Tensor& x) { return body(x); }
    void members(nn::Visitor& visit) override { visit("body", body); }
  };
  Model model;
  const Tensor x = ones({2, 3});
  const GradcheckReport report = nn::gradcheck(model, [&](Model& m) { return mean(square(m(x))); });
  REQUIRE(report.culprits().size() == 1);
  CHECK(report.culprits()[0].path == "body.1 (Twice)");
  CHECK(report.str().find("in body.1 (Twice): twice") != std::string::npos);
}

TEST_CASE("errors of a replayed step have the names of when it was captured") {
  struct Model : nn::Module {
    Tensor indices = tensor({0}, {.dtype = i64});
    nn::Sequential body{[&](const Tensor& x) { return take(x, indices, 0); }};
    Tensor operator()(const Tensor& x) { return body(x); }
    void members(nn::Visitor& visit) override { visit("body", body); }
  };
  Model model;
  auto step = capture([&](const Tensor& x) { return model(x); });
  step(ones({2, 3}));
  model.indices.assign(tensor({5}, {.dtype = i64}));
  CHECK(path_of("take: ", [&] { step(ones({2, 3})); }) == "body.0 (function)");
}
