#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/capture.hpp>
#include <autograd/xtensor.hpp>
#include <limits>

#include "support.hpp"

using namespace xgrad;

TEST_CASE("a captured function runs twice and is then replayed on what it is given") {
  Tensor w = tensor({1., 2.}, {.requires_grad = true});
  int runs = 0;
  auto step = capture([&](const Tensor& x) {
    ++runs;
    const Tensor y = sum(w * x);
    w.zero_grad();
    y.backward();
    return y;
  });
  std::vector<Tensor> results;
  for (const Tensor& x : {tensor({3., 4.}), tensor({5., 6.}), tensor({7., 8.}), tensor({1., 0.})}) {
    results.push_back(step(x));
    CHECK(same_bits(w.grad(), x));
  }
  CHECK(runs == 2);
  // Results are independent of each other.
  CHECK(results[0].item<double>() == 11);
  CHECK(results[1].item<double>() == 17);
  CHECK(results[2].item<double>() == 23);
  CHECK(results[3].item<double>() == 1);
  CHECK(!results[2].requires_grad());
}

TEST_CASE("a function without arguments reads what is assigned") {
  Tensor x = tensor({1., 2.});
  auto square_of = capture([&] { return square(x); });
  CHECK(same_bits(square_of(), tensor({1., 4.})));
  x.assign(tensor({3., 4.}));
  CHECK(same_bits(square_of(), tensor({9., 16.})));
  CHECK(square_of.recordings() == 1);
}

TEST_CASE("a tensor that took the place of the one that was read is noticed") {
  Tensor x = tensor({1., 2.}), y = tensor({1., 1.});
  auto product = capture([&] { return x * y.detach(); });
  CHECK(same_bits(product(), tensor({1., 2.})));
  x = tensor({3., 4.});
  CHECK(same_bits(product(), tensor({3., 4.})));
  y = tensor({2., 2.});
  CHECK(same_bits(product(), tensor({6., 8.})));
  CHECK(product.recordings() == 1);
}

TEST_CASE("functions return nothing, a tensor or several") {
  Tensor seen = zeros({2});
  auto none = capture([&](const Tensor& x) { seen.assign(x * 2); });
  auto several = capture([](const Tensor& x, const Tensor& y) {
    return std::vector<Tensor>{x + y, x, Tensor(), x * y};
  });
  for (const double scale : {1., 2., 3.}) {
    const Tensor x = tensor({1., 2.}) * scale, y = tensor({3., 5.}) * scale;
    none(x);
    CHECK(same_bits(seen, x * 2));
    const std::vector<Tensor> results = several(x, y);
    REQUIRE(results.size() == 4);
    CHECK(same_bits(results[0], x + y));
    CHECK(same_bits(results[1], x));
    CHECK(!results[2].defined());
    CHECK(same_bits(results[3], x * y));
  }
  auto overwrites = capture([](Tensor x) { x.assign(x * 2); });
  CHECK(error_of([&] { overwrites(seen); }).find("an argument of the captured function is overwritten") !=
        std::string::npos);
  // Two arguments that were one tensor when recorded need not be later, and a part of one serves, too.
  several.reset();
  const Tensor rows = rand({5, 3}), a = slice(rows, 0, 1, 2), b = slice(rows, 0, 3, 4);
  several(a, a);
  CHECK(same_bits(several(a, b)[3], a * b));
  CHECK(same_bits(several(b, b)[0], b + b));
  CHECK(several.recordings() == 1);
}

TEST_CASE("shapes, dtypes, gradients on or off and arguments that require one have recordings of their own") {
  Tensor w = tensor({2., 3.}, {.requires_grad = true});
  auto f = capture([&](const Tensor& x) { return x * w.to(x.dtype()); });
  const Tensor x = rand({4, 2});
  for (int round = 0; round < 2; ++round) {
    CHECK(same_bits(f(x), (x * w).detach()));
    CHECK(same_bits(f(slice(x, 0, 0, 2)), (slice(x, 0, 0, 2) * w).detach()));
    CHECK(same_bits(f(x.to(f64)), (x.to(f64) * w.to(f64)).detach()));
    const NoGrad guard;
    CHECK(same_bits(f(x), x * w));
  }
  CHECK(f.recordings() == 4);

  Tensor p = leaf(x), q = leaf(x * 2);
  auto g = capture([&](const Tensor& v) { sum(v * v).backward(); });
  for (Tensor* t : {&p, &q, &p}) {
    t->zero_grad();
    g(*t);
    CHECK(same_bits(t->grad(), 2 * t->detach()));
  }
}

TEST_CASE("a leaf that was switched off, converted or replaced is recorded anew") {
  Tensor w = tensor({2., 3.}, {.requires_grad = true});
  const Tensor x = tensor({1., 4.}, {.requires_grad = true});
  auto f = capture([&] { return grad(sum(w * x.to(w.dtype())), {x})[0]; });
  const auto eager = [&] { return grad(sum(w * x.to(w.dtype())), {x})[0].detach(); };
  CHECK(same_bits(f(), eager()));
  w.set_requires_grad(false);
  CHECK(same_bits(f(), eager()));
  w.reset_array(tensor({5., 7.}, {.dtype = f64}).array());
  CHECK(same_bits(f(), eager()));
  w.set_requires_grad(true);
  CHECK(same_bits(f(), eager()));
}

TEST_CASE("random numbers go on as in eager runs") {
  const auto draw = [](const Tensor& x) {
    return std::vector<Tensor>{rand({70}), x * randn({3}), bernoulli({9}, 0.3), randperm(11)};
  };
  auto captured = capture(draw);
  const Tensor x = ones({3});
  manual_seed(8);
  std::vector<std::vector<Tensor>> want;
  for (int i = 0; i < 5; ++i) want.push_back(draw(x));
  const RandomState end = random_state();
  manual_seed(8);
  for (int i = 0; i < 5; ++i) {
    const std::vector<Tensor> got = captured(x);
    for (std::size_t k = 0; k < got.size(); ++k) CHECK(same_bits(got[k], want[static_cast<std::size_t>(i)][k]));
  }
  CHECK(random_state().stream == end.stream);
  manual_seed(9);
  const Tensor other = captured(x)[0];
  manual_seed(9);
  CHECK(same_bits(other, rand({70})));

  // A seed set inside is the same in each run, and where it ends is where the next numbers begin.
  auto seeded = capture([] {
    manual_seed(4);
    return rand({3});
  });
  const Tensor first = seeded();
  manual_seed(1);
  CHECK(same_bits(seeded(), first));
  CHECK(random_state().seed == 4);
  CHECK(random_state().stream == 1);
}

TEST_CASE("numbers that a function makes are made again, constants are kept") {
  auto f = capture([](const Tensor& x) {
    Tensor total = zeros({3});
    for (int i = 0; i < 3; ++i) {
      total = total + x * tensor({1., 2., 3.}) + arange(0, 3) + full({3}, i) + from_values<float>({4, 5, 6}, {3});
      total = total * eye(3) + linspace(0, 1, 3);
    }
    return sum(total, {0});
  });
  const Tensor x = rand({3}), y = rand({3}), want_x = f(x), want_y = f(y);
  f.reset();
  CHECK(same_bits(f(y), want_y));
  for (int i = 0; i < 3; ++i) CHECK(same_bits(f(x), want_x));
}

TEST_CASE("gradients add up over calls as in eager runs, whoever removes them and whenever") {
  const Tensor numbers = rand({5});
  Tensor eager = leaf(numbers), replayed = leaf(numbers);
  const auto add = [](Tensor& w, const Tensor& x) { sum(square(w) * x).backward(); };
  auto step = capture([&](const Tensor& x) { add(replayed, x); });
  for (int i = 0; i < 24; ++i) {
    if (i % 4 == 0) {
      eager.zero_grad();
      replayed.zero_grad();
    }
    if (i % 7 == 6) {  // one that no recording made
      eager.set_grad(ones({5}));
      replayed.set_grad(ones({5}));
    }
    const Tensor x = rand({5});
    add(eager, x);
    step(x);
    CHECK(same_bits(replayed.grad(), eager.grad()));
    if (i % 5 == 4) {  // eager runs go on from what replays left
      add(eager, x);
      add(replayed, x);
      CHECK(same_bits(replayed.grad(), eager.grad()));
    }
  }
}

TEST_CASE("gradients are read, changed and differentiated inside") {
  const Tensor numbers = rand({5});
  Tensor eager = leaf(numbers), replayed = leaf(numbers);
  const auto penalised = [](Tensor& w, const Tensor& x) {
    const Tensor y = sum(exp(w * x));
    const Tensor g = grad(y, {w}, {.create_graph = true})[0];
    w.zero_grad();
    (y + sum(square(g))).backward();
    w.set_grad(w.grad() / norm(w.grad()));
    const NoGrad guard;
    w.assign(w - 0.01 * w.grad());
  };
  auto step = capture([&](const Tensor& x) { penalised(replayed, x); });
  for (int i = 0; i < 20; ++i) {
    const Tensor x = rand({5});
    penalised(eager, x);
    step(x);
    CHECK(same_bits(replayed.grad(), eager.grad()));
    CHECK(same_bits(replayed, eager));
  }
  CHECK(step.recordings() == 1);
}

TEST_CASE("data may take the other branch of an op in a replay") {
  const double inf = std::numeric_limits<double>::infinity();
  Tensor w = rand({4, 3}).set_requires_grad(true);
  auto pick = capture([&](const Tensor& index) { return grad(sum(take(w, index)), {w})[0]; });
  pick(tensor({0, 1}, {.dtype = i64}));
  const Tensor negative = tensor({-1, -4}, {.dtype = i64});
  CHECK(same_bits(pick(negative), grad(sum(take(w, negative)), {w})[0]));

  Tensor x = tensor({1., 2., 3.}, {.requires_grad = true});
  auto slope = capture([&] { return grad(logsumexp(x), {x})[0]; });
  slope();
  for (const Tensor& other : {tensor({1., inf, inf}), tensor({-inf, -inf, -inf}), tensor({1., 3., 2.})}) {
    const NoGrad guard;
    x.assign(other);
    const EnableGrad enable;
    CHECK(same_bits(slope(), grad(logsumexp(x), {x})[0]));
  }
}

TEST_CASE("indices are checked in each replay") {
  const Tensor w = rand({4, 3});
  const int line = __LINE__ + 1;
  auto pick = capture([&](const Tensor& index) { return take(w, index); });
  auto hot = capture([&](const Tensor& classes) { return one_hot(classes, 3); });
  const Tensor good = tensor({3, 1}, {.dtype = i64}), bad = tensor({1, 4}, {.dtype = i64});
  pick(good);
  CHECK(error_of([&] { pick(bad); }) ==
        text("capture.cpp:", line, ": take: index 4 at position 1 is out of range for axis 0 of size 4"));
  CHECK(same_bits(pick(good), take(w, good)));
  const Tensor two = tensor({2, 1}, {.dtype = i64});
  hot(two);
  CHECK(
      error_of([&] { hot(bad); }) ==
      text("capture.cpp:", line + 1, ": one_hot: class 4 at position 1 of 2 is out of range; expected one in [0, 3)"));
  CHECK(same_bits(hot(two), one_hot(two, 3)));
}

TEST_CASE("an op that computes outside of the kernels is refused by name, and nothing is left behind") {
  const int line = __LINE__ + 3;
  const auto cube = [](const Tensor& x) {
    return primitive(
        "cube", {x}, [](const auto& v) { return v * v * v; }, [x](const Tensor& g) { return g * 3 * square(x); });
  };
  Tensor w = rand({3}).set_requires_grad(true);
  auto step = capture([&] { return sum(cube(w)); });
  CHECK(error_of([&] { step(); }) ==
        text("capture.cpp:", line,
             ": cube: capture: these numbers were not written by one of xgrad's kernels, so a replay cannot write them "
             "again; write the op in terms of others, or do this before the captured function and hand it the result"));
  CHECK(step.recordings() == 0);
  auto result_only = capture([&] { return cube(w); });
  CHECK(error_of([&] { result_only(); }).find("cube: capture:") != std::string::npos);

  const std::int64_t bytes = memory::statistics().live_bytes;
  bool fail = true;
  auto throws = capture([&](const Tensor& x) {
    const Tensor y = exp(x);
    if (fail) throw ValueError("not now");
    return y;
  });
  CHECK(error_of([&] { throws(w.detach()); }) == "not now");
  CHECK(memory::statistics().live_bytes == bytes);
  fail = false;
  CHECK(same_bits(throws(w.detach()), exp(w.detach())));
}

TEST_CASE("what is kept from inside lives on, and changes with each replay") {
  Tensor kept, w = tensor({2., 3.}, {.requires_grad = true});
  {
    auto step = capture([&](const Tensor& x) { kept = w * x; });
    step(tensor({1., 1.}));
    CHECK(same_bits(kept.detach(), tensor({2., 3.})));
    step(tensor({2., 2.}));
    CHECK(same_bits(kept.detach(), tensor({4., 6.})));
    // Its history is that of the first run, whose numbers are gone.
    const Tensor later = sum(kept * kept);
    step(tensor({5., 5.}));
    CHECK(error_of([&] { later.backward(); }).find("was overwritten after it was recorded") != std::string::npos);
  }
  std::vector<Tensor> others;
  for (int i = 0; i < 100; ++i) others.push_back(zeros({2}));  // none of them gets the memory of `kept`
  CHECK(same_bits(kept.detach(), tensor({10., 15.})));
}

TEST_CASE("captured functions call each other and take turns") {
  const Tensor w = rand({3});
  int runs = 0;
  auto inner = capture([&](const Tensor& x) {
    ++runs;
    return exp(x) * w;
  });
  auto outer = capture([&](const Tensor& x) { return sum(inner(x)) + inner(x * 2); });
  for (int i = 0; i < 3; ++i) {
    const Tensor x = rand({3});
    CHECK(same_bits(outer(x), sum(exp(x) * w) + exp(x * 2) * w));
    CHECK(same_bits(inner(x), exp(x) * w));
  }
  CHECK(runs == 6);  // two in each of the first two calls of either
  CHECK(outer.recordings() == 1);
}

TEST_CASE("a replayed chain of small ops makes no nodes and takes nothing from the system") {
  Tensor x = rand({4}).set_requires_grad(true);
  const Tensor c = rand({4});
  const auto chain = [&] {
    Tensor y = x;
    for (int i = 0; i < 500; ++i) y = tanh(y * c + 0.1);
    x.zero_grad();
    sum(y).backward();
  };
  chain();
  const Tensor want = x.grad();
  auto step = capture(chain);
  for (int i = 0; i < 3; ++i) {
    step();
    CHECK(same_bits(x.grad(), want));
  }
  const auto before = memory::statistics();
  const std::uint64_t clock = tick();
  for (int i = 0; i < 50; ++i) step();
  CHECK(tick() - clock == 51);  // the gradient is overwritten once in each; a node would take a number, too
  const auto after = memory::statistics();
  CHECK(after.system_allocations == before.system_allocations);  // under a sanitizer: all allocations
  CHECK(after.live_nodes == before.live_nodes);
}

TEST_CASE("an xtensor expression's numbers are refused") {
  const Tensor w = rand({3});
  auto shifted = capture([&](const Tensor& x) { return w + tensor(x.array<float>() * 2); });
  CHECK(error_of([&] { shifted(w); }).find("tensor: capture: these numbers were not written") != std::string::npos);
}

TEST_CASE("threads capture and replay each for themselves") {
  const auto train = [](std::uint64_t seed, bool captured) {
    manual_seed(seed);
    Tensor w = rand({20}).set_requires_grad(true);
    const auto eager = [&](const Tensor& x) {
      w.zero_grad();
      mean(square(tanh(w * x) - rand({20}))).backward();
      const NoGrad guard;
      w.assign(w - 0.1 * w.grad());
    };
    auto replayed = capture(eager);
    for (int i = 0; i < 50; ++i) {
      const Tensor x = rand({20});
      captured ? replayed(x) : eager(x);
    }
    return w.detach();
  };
  std::vector<Tensor> results(4);
  on_threads(int(results.size()), [&](int i) { results[std::size_t(i)] = train(std::size_t(i), true); });
  for (std::size_t i = 0; i < results.size(); ++i) CHECK(same_bits(results[i], train(i, false)));
}
