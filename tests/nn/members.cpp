#include <autograd/trace.hpp>
#include <nn/nn.hpp>

#include <array>
#include <map>
#include <memory>
#include <optional>

#include "nn/models.hpp"
#include "support.hpp"

using namespace xgrad;

/// What `members` may list, and what is done to a part of a model: freezing it.
namespace {

struct Block : nn::Module {
  nn::Dense inner{2, 2};
  Tensor operator()(const Tensor& x) { return x + inner(x); }
  void members(nn::Visitor& visit) override { visit("inner", inner); }
};

/// A model with members of every kind that holds others.
struct Holder : nn::Module {
  std::vector<Block> blocks = std::vector<Block>(2);
  std::array<nn::Parameter, 2> scales{nn::Parameter{ones({1})}, nn::Parameter{ones({2})}};
  std::map<std::string, nn::Dense> heads{{"right", {2, 1}}, {"left", {2, 1}}};
  std::map<int, std::vector<nn::Parameter>> levels;
  std::unique_ptr<nn::Module> any = std::make_unique<Block>();
  std::unique_ptr<nn::Dense> null;
  std::optional<nn::Dense> skip, none;
  std::vector<std::unique_ptr<Block>> owned;
  std::optional<nn::Buffer> seen{zeros({3})};
  Holder() {
    skip.emplace(2, 1, nn::DenseOptions{.bias = false});
    levels[7].emplace_back(zeros({4}));
    owned.push_back(nullptr);
    owned.push_back(std::make_unique<Block>());
  }
  Tensor operator()(const Tensor& x) {
    return hooked(x, [&](const Tensor& input) { return heads.at("left")((*owned[1])(blocks[1](input))); });
  }
  void members(nn::Visitor& visit) override {
    visit("blocks", blocks);
    visit("scales", scales);
    visit("heads", heads);
    visit("levels", levels);
    visit("any", any);
    visit("null", null);
    visit("skip", skip);
    visit("none", none);
    visit("owned", owned);
    visit("seen", seen);
  }
};

}  // namespace

TEST_CASE("members in vectors, arrays, maps, optionals and behind pointers are called by index or key") {
  Holder model;
  CHECK(names(model) == std::vector<std::string>{"blocks.0.inner.weight", "blocks.0.inner.bias",
                                                 "blocks.1.inner.weight", "blocks.1.inner.bias", "scales.0", "scales.1",
                                                 "heads.left.weight", "heads.left.bias", "heads.right.weight",
                                                 "heads.right.bias", "levels.7.0", "any.inner.weight", "any.inner.bias",
                                                 "skip.weight", "owned.1.inner.weight", "owned.1.inner.bias"});
  CHECK(model.state_dict().contains("seen"));
  CHECK(&model.submodule("heads.left") == &model.heads.at("left"));
  CHECK(&model.submodule("owned.1.inner") == &model.owned[1]->inner);
  CHECK(error_of([&] { model.submodule("owned.0"); }).find("\"owned.1\"") != std::string::npos);
  model.eval();
  CHECK_FALSE(model.any->is_training());
  CHECK_FALSE(model.skip->is_training());
  model.to(f64);
  CHECK(model.heads.at("right").weight.dtype() == f64);
  CHECK(model.seen->dtype() == f64);
}

TEST_CASE("what holders hold is saved and loaded by name, and moved with the model, which cannot be copied") {
  static_assert(!std::is_copy_constructible_v<Holder> && std::is_nothrow_move_constructible_v<Holder>);
  Holder a, b;
  b.load_state_dict(a.state_dict());
  CHECK(equal(b.any->parameters()[0], a.any->parameters()[0]));
  CHECK(equal(b.heads.at("left").weight, a.heads.at("left").weight));
  const Tensor weight = a.owned[1]->inner.weight;
  const Holder c = std::move(a);
  CHECK(c.owned[1]->inner.weight.same(weight));
  CHECK(names(c) == names(b));
}

TEST_CASE("a model with optionals and maps is copied deeply") {
  struct Copied : nn::Module {
    std::optional<nn::Dense> skip;
    std::map<std::string, nn::Dense> heads{{"left", {2, 1}}};
    void members(nn::Visitor& visit) override {
      visit("skip", skip);
      visit("heads", heads);
    }
  } a;
  a.skip.emplace(2, 2);
  const Copied b = a;
  CHECK(names(b) == names(a));
  CHECK_FALSE(b.heads.at("left").weight.same(a.heads.at("left").weight));
  CHECK_FALSE(b.skip->weight.same(a.skip->weight));
  a.skip.reset();
  CHECK(names(a) == std::vector<std::string>{"heads.left.weight", "heads.left.bias"});
}

TEST_CASE("a member that lies in the model and is not listed is found beside members in holders") {
  struct Forgetful : nn::Module {
    std::optional<nn::Dense> listed, forgotten;
    void members(nn::Visitor& visit) override { visit("listed", listed); }
  } model;
  model.listed.emplace(2, 2);
  CHECK(names(model).size() == 2);
  model.forgotten.emplace(2, 3);
  CHECK_ERROR(model.parameters(), "members.cpp",
              "parameters: Forgetful has a module (Dense 2 -> 3) that it does not list; add visit(\"its_name\", "
              "its_name) to members()");
}

TEST_CASE("layers in holders are called by their names while the model runs, in messages and in what is traced") {
  Holder model;
  {
    const Trace trace;
    model(ones({1, 2}));
    std::vector<std::string> paths;
    for (const TracedOp& op : trace.ops())
      if (paths.empty() || paths.back() != op.path) paths.push_back(op.path);
    CHECK(paths == std::vector<std::string>{"blocks.1.inner (Dense 2 -> 2)", "Holder", "owned.1.inner (Dense 2 -> 2)",
                                            "Holder", "heads.left (Dense 2 -> 1)"});
  }
  model.heads.at("left") = nn::Dense{5, 1};
  CHECK(error_of([&] { model(ones({1, 2})); }).find("in heads.left (Dense 5 -> 1): dense: ") != std::string::npos);
  model.owned[1]->inner = nn::Dense{5, 2};
  CHECK(error_of([&] { model(ones({1, 2})); }).find("in owned.1.inner (Dense 5 -> 2): ") != std::string::npos);
}

TEST_CASE("a frozen part requires no gradient and is not trained, until it is unfrozen") {
  nn::Sequential model{nn::Dense{2, 2}, Block{}, nn::Dense{2, 1}};
  const auto loss = [&] { return mean(square(model(ones({4, 2})))); };
  model.submodule("1").freeze();
  for (const auto& [name, p] : model.named_parameters()) CHECK(p.requires_grad() == !name.starts_with("1."));
  CHECK(nn::Sequential(model).submodule("1.inner").parameters()[0].requires_grad() == false);
  loss().backward();
  CHECK(model[0].as<nn::Dense>().weight.has_grad());
  CHECK_FALSE(model[1].as<Block>().inner.weight.has_grad());
  CHECK(nn::value_and_grad(model, loss).grad.size() == 4);
  model.unfreeze();
  CHECK(nn::value_and_grad(model, loss).grad.size() == 6);
  model.freeze();
  CHECK_FALSE(loss().requires_grad());
  CHECK_ERROR(nn::value_and_grad(model, loss), "members.cpp",
              "value_and_grad: the model has no parameter that requires a gradient");
}

TEST_CASE("freezing leaves buffers alone, and loading and copying leave what is frozen frozen") {
  Holder model;
  const StateDict before = model.state_dict();
  model.freeze();
  CHECK_FALSE(model.seen->requires_grad());
  model.load_state_dict(before);
  for (const Tensor& p : model.parameters()) CHECK_FALSE(p.requires_grad());
  model.unfreeze();
  for (const Tensor& p : model.parameters()) CHECK(p.requires_grad());
  CHECK_FALSE(model.seen->requires_grad());
}

TEST_CASE("a captured step takes notice of what is frozen and unfrozen") {
  nn::Sequential model{nn::Dense{2, 2}, nn::Tanh{}, nn::Dense{2, 1}};
  auto step = capture([&](const Tensor& x) {
    model.zero_grad();
    const Tensor loss = mean(square(model(x)));
    loss.backward();
    return loss;
  });
  const auto& first = model[0].as<nn::Dense>();
  for (int i = 0; i < 3; ++i) step(ones({4, 2}));
  CHECK(first.weight.has_grad());
  model.submodule("0").freeze();
  for (int i = 0; i < 3; ++i) step(ones({4, 2}));
  CHECK_FALSE(first.weight.has_grad());
  CHECK(model[2].as<nn::Dense>().weight.has_grad());
  model.unfreeze();
  for (int i = 0; i < 3; ++i) step(ones({4, 2}));
  CHECK(first.weight.has_grad());
}

TEST_CASE("parameters that a transform replaced while it runs are not frozen, any of them") {
  nn::Dense layer{2, 1};
  const Tensor w = square(ones({2, 1}, {.requires_grad = true}));
  CHECK_ERROR(nn::functional_call(layer, {{"weight", w}},
                                  [&] {
                                    return layer.freeze(), layer(ones({1, 2}));
                                  }),
              "members.cpp",
              "freeze: weight is the result of square while a transform runs; do this before or after it");
  CHECK(layer.bias.requires_grad());
}

TEST_CASE("the summary marks frozen layers, and counts what is left to train") {
  nn::Sequential model{nn::Dense{2, 3}, nn::Tanh{}, nn::Dense{3, 1}};
  model.submodule("0").freeze();
  CHECK(model.summary() ==
        "Layer  Kind                   Output  Parameters\n"
        "------------------------------------------------\n"
        "model  Sequential             (*, 1)           0\n"
        "0      Dense 2 -> 3 (frozen)  (*, 3)           9\n"
        "1      Tanh                   (*, 3)           0\n"
        "2      Dense 3 -> 1           (*, 1)           4\n"
        "------------------------------------------------\n"
        "Total 13 parameters, 4 trainable\n");
}
