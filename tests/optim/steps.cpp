#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/capture.hpp>
#include <cmath>
#include <cstring>
#include <memory>
#include <nn/io/safetensors.hpp>
#include <nn/nn.hpp>
#include <optim/table.hpp>

#include "support.hpp"

using namespace xgrad;

namespace {

using optimizer_table::train;

struct Kind {
  std::string name;
  optimizer_table::Variant variant, other;  // `other` with different options, which a loaded state replaces

  optimizer_table::Made make(const std::vector<Tensor>& p) const { return variant.make(p, Place::here()); }
  optimizer_table::Made make_other(const std::vector<Tensor>& p) const { return other.make(p, Place::here()); }
};

std::vector<Kind> all_kinds() {
  std::vector<Kind> kinds;
  for (const optimizer_table::Row& row : optimizer_table::rows())
    kinds.push_back({row.name, row.variants.back(), row.variants.front()});
  return kinds;
}

const std::vector<Kind> kinds = all_kinds();

}  // namespace

TEST_CASE("the first steps of each formula are those done by hand") {
  const auto once = [](auto make) {
    Tensor p = tensor({1., -2.}, {.dtype = f64, .requires_grad = true});
    auto optimizer = make(p);
    for (int i = 0; i < 2; ++i) {
      p.set_grad(tensor({.5, -1.}, {.dtype = f64}));
      optimizer->step();
    }
    return p.data<double>()[0];
  };
  CHECK(once([](Tensor& p) { return std::make_unique<optim::SGD>(std::vector{p}, optim::SGDOptions{.lr = .1}); }) ==
        doctest::Approx(1 - .05 - .05));
  CHECK(once([](Tensor& p) {
          return std::make_unique<optim::SGD>(std::vector{p}, optim::SGDOptions{.lr = .1, .momentum = .9});
        }) == doctest::Approx(1 - .05 - .1 * (.45 + .5)));
  // With a constant gradient the corrected moments are g and g^2, so each step is lr.
  CHECK(once([](Tensor& p) { return std::make_unique<optim::Adam>(std::vector{p}, optim::AdamOptions{.lr = .1}); }) ==
        doctest::Approx(.8).epsilon(1e-7));
  CHECK(once([](Tensor& p) {
          return std::make_unique<optim::AdamW>(std::vector{p}, optim::AdamWOptions{.lr = .1, .weight_decay = .5});
        }) == doctest::Approx((.95 - .1) * .95 - .1).epsilon(1e-7));
  CHECK(once([](Tensor& p) {
          return std::make_unique<optim::RMSprop>(std::vector{p}, optim::RMSpropOptions{.lr = .1, .alpha = 0});
        }) == doctest::Approx(.8).epsilon(1e-7));
  CHECK(once([](Tensor& p) {
          return std::make_unique<optim::Adagrad>(std::vector{p}, optim::AdagradOptions{.lr = .1});
        }) == doctest::Approx(1 - .1 - .1 / std::sqrt(2.)));
}

TEST_CASE("a step without any gradient is an error and changes nothing, and a parameter without one is skipped") {
  for (const Kind& kind : kinds) {
    CAPTURE(kind.name);
    std::vector<Tensor> p = optimizer_table::parameters();
    const auto optimizer = kind.make(p);
    const std::vector<double> first = values<double>(p[0]), second = values<double>(p[1]);
    const std::uint64_t written = p[0].array().storage()->written;
    CHECK(message_of<GraphError>([&] { optimizer->step(); }) ==
          text(kind.name,
               ": none of the 2 parameters has a gradient; call backward after zero_grad and before step, on a loss "
               "that depends on them, and make the optimizer from the parameters of the very model that is trained: a "
               "copy has others, also the one that a growing std::vector makes"));
    CHECK(values<double>(p[0]) == first);
    CHECK(p[0].array().storage()->written == written);
    p[1].set_grad(ones({5}, {.dtype = f64}));
    optimizer->step();
    CHECK(values<double>(p[0]) == first);
    CHECK(values<double>(p[1]) != second);
    for (const auto& [name, t] : optimizer->state_dict()) {
      if (name == "parameter.0.steps") CHECK(t.item<int>() == 0);
      if (name == "parameter.1.steps") CHECK(t.item<int>() == 1);
    }
  }
}

TEST_CASE("one gradient in any group is enough, and frozen parameters have none") {
  Tensor a = ones({2}, {.requires_grad = true}), b = ones({2}, {.requires_grad = true});
  optim::SGD optimizer{{{{a}, {.lr = 1}}, {{b}, {.lr = 1}}}};
  b.set_grad(ones({2}));
  optimizer.step();
  CHECK(a.data<float>()[0] == 1);
  b.set_requires_grad(false);
  CHECK_THROWS_AS(optimizer.step(), GraphError);
}

TEST_CASE("a parameter that requires no gradient is left alone until it does") {
  Tensor w = ones({2}, {.requires_grad = true}), frozen = ones({3});
  optim::Adam optimizer{{w, frozen}, {.lr = .25}};
  const auto train = [&] {
    optimizer.zero_grad();
    (sum(w) + sum(frozen)).backward();
    optimizer.step();
  };
  train();
  CHECK(w.data<float>()[0] == doctest::Approx(.75f));
  CHECK(frozen.data<float>()[0] == 1);
  CHECK(optimizer.state_dict().at("parameter.1.steps").item<int>() == 0);
  frozen.set_requires_grad(true);
  train();
  CHECK(frozen.data<float>()[0] == doctest::Approx(.75f));
}

TEST_CASE("optimisers are values that can be moved, also while a captured step uses them") {
  static_assert(std::is_nothrow_move_constructible_v<optim::Adam> && std::is_nothrow_move_assignable_v<optim::Adam>);
  static_assert(!std::is_copy_constructible_v<optim::Adam> && !std::is_copy_assignable_v<optim::Adam>);
  Tensor a = ones({2}, {.requires_grad = true}), b = ones({2}, {.requires_grad = true});
  std::vector<optim::Adam> optimizers;
  optimizers.emplace_back(std::vector{a}, optim::AdamOptions{.lr = .1});
  auto step = capture([&a, &first = optimizers.front()] {
    sum(a * a).backward();
    first.step();
    first.zero_grad();
  });
  optim::Adam other{{b}, {.lr = .1}};
  const auto step_other = [&](optim::Adam& optimizer) {
    sum(b * b).backward();
    optimizer.step();
    optimizer.zero_grad();
  };
  for (int i = 0; i < 3; ++i) step(), step_other(other);
  optimizers.reserve(optimizers.capacity() + 1);  // moves it
  optim::Adam moved = std::move(other);
  optimizers.front().set_lr(.2);
  moved.set_lr(.2);
  for (int i = 0; i < 3; ++i) step(), step_other(moved);
  CHECK(step.recordings() == 1);
  CHECK(same_bits(a, b));
  CHECK(same_bits(optimizers.front().state_dict(), moved.state_dict()));
  CHECK(message_of<ValueError>([&] { other.step(); }) == "Adam: it was moved from; call the one that it was moved to");
  other = std::move(moved);
  step_other(other);
  CHECK(other.state_dict().at("parameter.0.steps").item<int>() == 7);
}

TEST_CASE("an optimizer whose parameters nobody else holds says that the model is gone") {
  /// A type with a destructor has no implicit move, and so a growing vector copies it.
  struct Model : nn::Module {
    nn::Dense layer{2, 1};
    ~Model() override {}
    Model() = default;
    Model(const Model&) = default;
    Model& operator=(const Model&) = default;
    void members(nn::Visitor& visit) override { visit("layer", layer); }
  };
  const Tensor x = ones({4, 2});
  std::vector<Model> models(1);
  optim::Adam optimizer{models[0].parameters()};
  mean(models[0].layer(x)).backward();
  optimizer.step();
  models.resize(models.capacity() + 1);
  const char* const gone =
      "Adam: nobody else holds any of its 2 parameters: the model that they were taken from is gone, or was copied by "
      "a std::vector that grew; make the optimizer when the model is where it stays";
  CHECK(message_of<GraphError>([&] { optimizer.step(); }) == gone);  // their gradients are there still
  optimizer.zero_grad();
  mean(models[0].layer(x)).backward();
  CHECK(message_of<GraphError>([&] { optimizer.step(); }) == gone);

  // While somebody holds them there is no gradient.
  const std::vector<Tensor> held = models[0].parameters();
  optim::SGD sgd{held};
  sgd.zero_grad();
  models.resize(models.capacity() + 1);
  mean(models[0].layer(x)).backward();
  CHECK(message_of<GraphError>([&] { sgd.step(); }).starts_with("SGD: none of the 2 parameters has a gradient; "));
  auto step = capture([&] { sgd.step(); });
  CHECK(message_of<GraphError>([&] { step(); }, __FILE__, __LINE__ - 1).starts_with("SGD: none of the 2 parameters"));
}

TEST_CASE("many parameters, of two dtypes and with different step counts, step as each would alone") {
  for (const Kind& kind : kinds) {
    CAPTURE(kind.name);
    std::vector<Tensor> together, alone;
    for (std::int64_t i = 0; i < 40; ++i) {
      manual_seed(static_cast<std::uint64_t>(i));
      // Some are large enough for several threads.
      together.push_back(randn({i % 13 == 5 ? 150'000 : i + 1}, {.dtype = i % 3 == 1 ? f64 : f32}));
      together.back().set_requires_grad(true);
      alone.push_back(together.back().detach().clone().set_requires_grad(true));
    }
    const auto optimizer = kind.make(together);
    std::vector<std::unique_ptr<optim::Optimizer>> each;
    for (const Tensor& p : alone) each.push_back(kind.make({p}));
    for (int step = 0; step < 3; ++step) {
      for (std::size_t i = 0; i < together.size(); ++i) {
        const bool skipped = step == 0 && i % 4 == 3;
        const Tensor g = skipped ? Tensor() : sin(together[i].detach() * (step + 1.));
        together[i].set_grad(g);
        alone[i].set_grad(g);
        if (!skipped) each[i]->step();
      }
      optimizer->step();
    }
    CHECK(same_bits(together, alone));
  }
}

TEST_CASE("zero_grad removes every gradient") {
  std::vector<Tensor> p = optimizer_table::parameters();
  optim::SGD optimizer{p};
  p[0].set_grad(zeros({3, 4}, {.dtype = f64}));
  p[1].set_grad(zeros({5}, {.dtype = f64}));
  optimizer.zero_grad();
  CHECK_FALSE(p[0].has_grad());
  CHECK_FALSE(p[1].has_grad());
}

TEST_CASE("each group steps by its own options") {
  Tensor a = zeros({2}, {.requires_grad = true}), b = zeros({2}, {.requires_grad = true});
  optim::SGD optimizer{{{{a}, {.lr = 1}}, {{b}, {.lr = 10}}}};
  a.set_grad(ones({2}));
  b.set_grad(ones({2}));
  optimizer.step();
  CHECK(a.data<float>()[1] == -1);
  CHECK(b.data<float>()[1] == -10);
}

TEST_CASE("a step bumps the version, so that a graph which needs the old values throws") {
  Tensor w = tensor({2.}, {.dtype = f64, .requires_grad = true}),
         x = tensor({3.}, {.dtype = f64, .requires_grad = true});
  optim::SGD optimizer{{w}, {.lr = 1}};
  const Tensor y = x * w;
  w.set_grad(ones({1}, {.dtype = f64}));
  optimizer.step();
  CHECK(w.item<double>() == 1);
  CHECK_THROWS_AS(y.backward(), GraphError);
}

TEST_CASE("steps after the first allocate nothing") {
  for (const Kind& kind : kinds) {
    CAPTURE(kind.name);
    std::vector<Tensor> p = optimizer_table::parameters();
    const auto optimizer = kind.make(p);
    train(*optimizer, p, 0, 2);
    const memory::Statistics before = memory::statistics();
    for (int i = 0; i < 10; ++i) optimizer->step();
    const memory::Statistics after = memory::statistics();
    CHECK(after.live_bytes == before.live_bytes);
    CHECK(after.system_allocations == before.system_allocations);
  }
}

TEST_CASE("20 steps after a state went through a file equal an uninterrupted run, bit for bit") {
  for (const Kind& kind : kinds) {
    CAPTURE(kind.name);
    std::vector<Tensor> p = optimizer_table::parameters();
    const auto optimizer = kind.make(p);
    train(*optimizer, p, 0, 20);
    const StateDict state = optimizer->state_dict();
    std::vector<Tensor> q;
    for (const Tensor& t : p) q.push_back(t.detach().clone().set_requires_grad(true));
    train(*optimizer, p, 20, 40);

    const auto resumed = kind.make_other(q);
    resumed->load_state_dict(nn::from_safetensors(nn::to_safetensors(state), "state"));
    train(*resumed, q, 20, 40);
    for (std::size_t i = 0; i < p.size(); ++i) CHECK(values<double>(p[i]) == values<double>(q[i]));
    // The state was copied both ways: neither run wrote into it.
    const auto again = kind.make_other(q);
    again->load_state_dict(state);
    CHECK(same_bits(again->state_dict(), state));
  }
}

TEST_CASE("a state loaded between steps replaces moments and options that were in use") {
  for (const Kind& kind : kinds) {
    CAPTURE(kind.name);
    std::vector<Tensor> p = optimizer_table::parameters(), q = optimizer_table::parameters();
    const auto optimizer = kind.make(p), other = kind.make_other(q);
    train(*optimizer, p, 0, 5);
    train(*other, q, 0, 3);
    other->load_state_dict(optimizer->state_dict());
    const NoGrad guard;
    for (std::size_t i = 0; i < p.size(); ++i) q[i].assign(p[i]);
    train(*optimizer, p, 5, 8);
    train(*other, q, 5, 8);
    for (std::size_t i = 0; i < p.size(); ++i) CHECK(values<double>(p[i]) == values<double>(q[i]));
  }
}

TEST_CASE("a parameter that was given other numbers steps from those") {
  Tensor p = full({3}, 1, {.requires_grad = true});
  const auto step = [&p](optim::Optimizer& optimizer) {
    p.set_grad(ones({3}, {.dtype = p.dtype()}));
    optimizer.step();
  };
  optim::SGD sgd{{p}, {.lr = 0.25}};
  step(sgd);
  p.reset_array(full({3}, 8, {.dtype = f64}).array());  // it has no moments that would not fit
  step(sgd);
  CHECK(values<double>(p) == std::vector<double>(3, 7.75));

  optim::Adam adam{{p}, {.lr = 0.25}};
  step(adam);
  const Array before = p.array();
  const std::vector<double> first = values<double>(p);
  p.reset_array(full({3}, 2, {.dtype = f64}).array());
  step(adam);
  CHECK(values<double>(p)[2] == doctest::Approx(1.75));
  CHECK(before.data<double>()[2] == first[2]);
}

TEST_CASE("a state that does not fit is refused with everything that is wrong, and changes nothing") {
  std::vector<Tensor> p = optimizer_table::parameters();
  optim::Adam optimizer{p, {.lr = .5}};
  train(optimizer, p, 0, 3);
  const StateDict good = optimizer.state_dict();
  StateDict bad;
  for (const auto& [name, t] : good) {
    if (name == "group.0.lr") {
      bad.set(name, tensor(.25, {.dtype = f64}));
    } else if (name == "group.0.eps") {
      bad.set(name, tensor(-1., {.dtype = f64}));
    } else if (name == "parameter.0.mean") {
      bad.set(name, zeros({4, 3}, {.dtype = f64}));
    } else if (name == "parameter.0.mean_square") {
      bad.set(name, zeros({3, 4}));
    } else if (name != "parameter.1.mean") {
      bad.set(name, t);
    }
  }
  bad.set("parameter.2.steps", full({}, 1, {.dtype = i64}));
  const auto load = [&] { optimizer.load_state_dict(bad, Place{"my_program.cpp", 7}); };
  CHECK_THROWS_WITH_AS(load(),
                       "my_program.cpp:7: load_state_dict: the state does not fit this Adam, which stays as it was:\n"
                       "  group.0.eps is -1, expected a finite number of at least 0\n"
                       "  parameter.0.mean is f64 (4, 3), expected f64 (3, 4)\n"
                       "  parameter.0.mean_square is f32 (3, 4), expected f64 (3, 4)\n"
                       "  parameter.1.mean is missing\n"
                       "  parameter.2.steps is unexpected",
                       ValueError);
  CHECK(optimizer.lr() == .5);
  CHECK(same_bits(optimizer.state_dict(), good));
}

TEST_CASE("a flag that a state lacks, saved before there was such a flag, is off") {
  std::vector<Tensor> p = optimizer_table::parameters();
  optim::Adam before{p, {.lr = .5}}, after{p, {.lr = .25, .maximize = true}};
  train(before, p, 0, 3);
  StateDict older;
  for (const auto& [name, t] : before.state_dict())
    if (name != "group.0.maximize") older.set(name, t);
  after.load_state_dict(older);
  CHECK(same_bits(after.state_dict(), before.state_dict()));
}

TEST_CASE("f32 parameters of any shape, empty ones included, are optimised") {
  Tensor empty = zeros({0, 3}, {.requires_grad = true}), scalar = tensor(1., {.requires_grad = true});
  optim::Adam optimizer{{empty, scalar}, {.lr = .1}};
  empty.set_grad(zeros({0, 3}));
  scalar.set_grad(tensor(2.));
  optimizer.step();
  CHECK(scalar.item<float>() == doctest::Approx(.9f));
}
