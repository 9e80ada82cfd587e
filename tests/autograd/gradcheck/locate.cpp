#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/primitive.hpp>
#include <cmath>
#include <cstring>
#include <optional>
#include <support.hpp>

using namespace xgrad;

namespace {

using Rule = Tensor (*)(const Tensor& g, const Tensor& x);

/// x^2 with a rule of one's own.
template <class F>
Tensor squared(const Tensor& x, F rule) {
  return primitive(
      "squared", {x}, [&] { return square(x.detach()).array(); }, rule);
}

/// A program of some ops around one that is planted in its middle.
template <class Op>
GradcheckReport check(Op op, const Shape& shape, const GradcheckOptions& options = {}) {
  const auto f = [&](const Tensor& x, const Tensor& w) {
    const Tensor h = tanh(x * w) + 1.5;
    const Tensor z = op(h) * 0.5;
    return sum(sin(z) * exp(-z) + z, {0});
  };
  return gradcheck(f, {uniform(shape, 0.5, 1.5, f64), uniform(shape, 0.5, 1.5, f64)}, options);
}

const GradcheckCulprit& only(const GradcheckReport& r) {
  static const GradcheckCulprit none{};
  CHECK(!r.ok());
  CHECK_MESSAGE(r.culprits().size() == 1, r.str());
  return r.culprits().empty() ? none : r.culprits()[0];
}

template <class F>
GradcheckReport with_rule(F rule, const Shape& shape, const GradcheckOptions& options = {}) {
  return check([&](const Tensor& h) { return squared(h, [&rule, h](const Tensor& g) { return rule(g, h); }); }, shape,
               options);
}

}  // namespace

TEST_CASE("a factor is named, with the op, its line and what it should be") {
  struct Case {
    double factor;
    const char* pattern;
  };
  for (const Case& c : {Case{-1, "factor -1"},
                        {2, "factor 2"},
                        {0.5, "factor 0.5"},
                        {1.0005, "factor 1.0005"},
                        {5, "factor n"},
                        {1 / 15., "factor 1/n"},
                        {0, "detached"},
                        {1.25, "factor 1.25"}}) {
    const auto r = with_rule([&](const Tensor& g, const Tensor& x) { return g * 2 * c.factor * x; }, {3, 5});
    const GradcheckCulprit& found = only(r);
    CHECK(found.op == "squared");
    CHECK(found.pattern == c.pattern);
    CHECK(std::strstr(found.place.file, "locate.cpp"));
    CHECK(found.input == 0);
    CHECK(found.order == 1);
    CHECK(found.op_index == 3);
    CHECK(found.output == found.element);
    CHECK(found.analytic == doctest::Approx(c.factor * found.numeric));
    CHECK(found.left == doctest::Approx(found.right).epsilon(1e-3));
    CHECK(found.error < 1e-6);
  }
}

TEST_CASE("one wrong element is found, in a small tensor and among 3600") {
  const auto planted = [](std::int64_t n) {
    return [n](const Tensor& g, const Tensor& x) {
      const Tensor factor = full(x.shape(), 2, {.dtype = f64});
      factor.data<double>()[n] = 3;
      return g * factor * x;
    };
  };
  const auto small = with_rule(planted(7), {3, 5});
  CHECK(only(small).element == 7);
  CHECK(only(small).pattern == "one element");
  const auto large = with_rule(planted(2321), {60, 60});
  CHECK(only(large).op == "squared");
  CHECK(only(large).element == 2321);
  CHECK(only(large).output == 2321);
  CHECK(only(large).pattern == "one element");
}

TEST_CASE("factors are named in large tensors too") {
  CHECK(only(with_rule([](const Tensor& g, const Tensor& x) { return g * -2 * x; }, {30, 30})).pattern == "factor -1");
  CHECK(only(with_rule([](const Tensor& g, const Tensor& x) { return g * 2.001 * x; }, {30, 30})).pattern ==
        "factor 1.0005");
}

TEST_CASE("a transposed or shifted array is named") {
  CHECK(only(with_rule([](const Tensor& g, const Tensor& x) { return transpose(g * 2 * x); }, {4, 4})).pattern ==
        "transposed");
  CHECK(only(with_rule([](const Tensor& g, const Tensor& x) { return transpose(g) * 2 * x; }, {4, 4})).pattern ==
        "transposed");
  CHECK(only(with_rule([](const Tensor& g, const Tensor& x) { return transpose(g * 2 * x); }, {30, 30})).pattern ==
        "transposed");
  CHECK(only(with_rule(
                 [](const Tensor& g, const Tensor& x) {
                   return reshape(transpose(g * 2 * x), {3, 5});
                 },
                 {3, 5}))
            .pattern == "transposed");
  const auto shifted = with_rule(
      [](const Tensor& g, const Tensor& x) {
        const Tensor h = g * 2 * x;
        return concatenate({slice(h, 1, 1, 5), slice(h, 1, 0, 1)}, 1);
      },
      {3, 5});
  CHECK(only(shifted).pattern == "shifted");
  const auto wrong = [](const Tensor& a, const Tensor& b) {
    return primitive(
        "product", {a, b}, [&] { return matmul(a.detach(), b.detach()).array(); },
        [b](const Tensor& g) { return matmul(g, b); }, [a](const Tensor& g) { return matmul(transpose(a), g); });
  };
  const auto r = gradcheck([&](const Tensor& a, const Tensor& b) { return tanh(wrong(a, exp(b))); },
                           {uniform({4, 4}, 0, 1, f64), uniform({4, 4}, 0, 1, f64)});
  CHECK(only(r).op == "product");
  CHECK(only(r).input == 0);
  CHECK(only(r).pattern == "transposed");
}

TEST_CASE("an axis that is not summed, or summed too often, is named") {
  const auto biased = [](auto rule) {
    return [rule](const Tensor& x, const Tensor& b) {
      const Tensor y = primitive(
          "add_row", {x, b}, [&] { return (x.detach() + b.detach()).array(); }, [](const Tensor& g) { return g; },
          rule);
      return square(y);
    };
  };
  const std::vector<Tensor> inputs{uniform({3, 4}, 0, 1, f64), uniform({4}, 0, 1, f64)};
  const auto last_row = gradcheck(biased([](const Tensor& g) { return squeeze(slice(g, 0, 2, 3), 0); }), inputs);
  CHECK(only(last_row).pattern == "axis 0 not summed");
  CHECK(only(last_row).input == 1);
  const auto averaged = gradcheck(biased([](const Tensor& g) { return mean(g, {0}); }), inputs);
  CHECK(only(averaged).pattern == "factor 1/n");
  const auto everything = gradcheck(biased([](const Tensor& g) { return broadcast_to(sum(g), {4}); }), inputs);
  CHECK(only(everything).pattern == "axis 0 summed too often");
  const auto r = with_rule(
      [](const Tensor& g, const Tensor& x) {
        return broadcast_to(sum(g * 2 * x, {1}, true), {3, 5});
      },
      {3, 5});
  CHECK(only(r).pattern == "axis 1 summed too often");
  const auto cotangent = with_rule(
      [](const Tensor& g, const Tensor& x) {
        return broadcast_to(sum(g, {1}, true), {3, 5}) * 2 * x;
      },
      {3, 5});
  CHECK(only(cotangent).pattern == "axis 1 summed too often");
}

TEST_CASE("a rule that is no function, or not a linear one, is named") {
  const auto noisy = with_rule(
      [](const Tensor& g, const Tensor& x) { return g * 2 * x * (1 + 1e-9 * randn({}, {.dtype = f64})); }, {3});
  CHECK(only(noisy).op == "squared");
  CHECK(only(noisy).pattern == "jitter");
  CHECK(only(with_rule([](const Tensor& g, const Tensor& x) { return g * g * 2 * x; }, {3})).pattern == "not linear");
  CHECK(only(with_rule([](const Tensor& g, const Tensor& x) { return g * 2 * x + 1e-9; }, {3})).pattern ==
        "not linear");
}

TEST_CASE("a saved value that later calls overwrite is named, and one that earlier calls left") {
  Tensor saved = full({3}, 2, {.dtype = f64});
  const auto later = check(
      [&](const Tensor& h) {
        saved = h.detach().clone();
        return squared(h, [&saved](const Tensor& g) { return g * 2 * saved; });
      },
      {3});
  CHECK(only(later).op == "squared");
  CHECK(only(later).pattern == "stale");
  const auto earlier = check(
      [&](const Tensor& h) {
        const Tensor before = std::exchange(saved, h.detach().clone());
        return squared(h, [before](const Tensor& g) { return g * 2 * before; });
      },
      {3});
  CHECK(earlier.culprits().size() >= 1);
  CHECK(earlier.culprits()[0].op == "squared");
}

TEST_CASE("a part that is detached is found, though every op is right") {
  const auto r = check([](const Tensor& h) { return h * exp(h.detach()); }, {3});
  CHECK(only(r).op == "exp");
  CHECK(only(r).pattern == "detached");
  CHECK(only(r).analytic == 0);
  CHECK(only(r).numeric != 0);
  const auto half = check([](const Tensor& h) { return h * h.detach(); }, {3});
  CHECK(only(half).op == "multiply");
  CHECK(half.culprits()[0].input == 1);
  const auto number = check([](const Tensor& h) { return h * h.data<double>()[0]; }, {3});
  CHECK(only(number).op == "multiply");
  CHECK(only(number).pattern == "detached");
  CHECK(only(number).input == 1);
}

TEST_CASE("at order 2 the op is found whose rule is wrong, or detached") {
  const auto slope = [](const Tensor& g, const Tensor& x) {
    const Tensor s = primitive(
        "slope", {x}, [&] { return (2 * x.detach()).array(); }, [](const Tensor& h) { return h * 2.001; });
    return g * s;
  };
  const auto wrong = with_rule(slope, {3}, {.order = 2});
  CHECK(only(wrong).op == "slope");
  CHECK(only(wrong).rule_of == "squared");
  CHECK(only(wrong).order == 2);
  CHECK(only(wrong).pattern == "factor 1.0005");
  const auto detached =
      with_rule([](const Tensor& g, const Tensor& x) { return g * 2 * x.detach(); }, {3}, {.order = 2});
  CHECK(only(detached).op == "squared");
  CHECK(only(detached).order == 2);
  CHECK(only(detached).pattern == "detached");
  CHECK(only(detached).op_index == 3);
  const auto returned =
      with_rule([](const Tensor& g, const Tensor& x) { return (g * 2 * x).detach(); }, {3}, {.order = 2});
  CHECK(only(returned).op == "squared");
  CHECK(only(returned).pattern == "detached");
  const auto copied = with_rule(
      [](const Tensor& g, const Tensor& x) {
        const Tensor twice = zeros(x.shape(), {.dtype = f64});
        for (int i = 0; i < 3; ++i) twice.data<double>()[i] = 2 * x.data<double>()[i];
        return g * twice;
      },
      {3}, {.order = 2});
  CHECK(only(copied).op == "squared");
  CHECK(only(copied).pattern == "detached");
}

TEST_CASE("two wrong ops are both found, in forward order") {
  const auto r = check(
      [](const Tensor& h) {
        const Tensor a = squared(h, [h](const Tensor& g) { return g * 4 * h; });
        return primitive(
            "scaled", {a}, [&] { return (3 * a.detach()).array(); }, [](const Tensor& g) { return g * -3; });
      },
      {3});
  REQUIRE(r.culprits().size() == 2);
  CHECK(r.culprits()[0].op == "squared");
  CHECK(r.culprits()[1].op == "scaled");
}

TEST_CASE("right ops are not suspected, wherever they are looked at") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    manual_seed(seed);
    const auto f = [](const Tensor& x, const Tensor& w) {
      const Tensor h = relu(matmul(x, w)) + 0.1 * x;
      const Tensor p = sigmoid(h), q = h * h / (1 + exp(h)), top = max(h, {1}, true).detach();
      return sum(exp(h - top) / sum(exp(h - top), {1}, true) * p) + mean(where(q > 0.2, q, square(q))) +
             sum(stddev(h, {0}));
    };
    const auto r = gradcheck(f, {uniform({4, 4}, -1, 1, f64), uniform({4, 4}, -1, 1, f64)},
                             {.order = 2, .seed = seed, .locate = Locate::always});
    CHECK_MESSAGE(r.culprits().empty(), r.str());
  }
}

TEST_CASE("an op that gets one tensor twice is blamed for the input that is wrong") {
  const auto product = [](double first, double second) {
    return [=](const Tensor& h) {
      return primitive(
          "quotient", {h, h}, [&] { return (exp(h.detach()) * sin(h.detach())).array(); },
          [=](const Tensor& g) { return g * (first * exp(h) * sin(h)); },
          [=](const Tensor& g) { return g * (second * exp(h) * cos(h)); });
    };
  };
  CHECK(check(product(1, 1), {3}).ok());
  const auto r = check(product(1, -1), {3});
  CHECK(only(r).input == 1);
  CHECK(only(r).pattern == "factor -1");
  CHECK(only(check(product(2, 1), {3})).input == 0);
  CHECK(only(check(product(2, 1), {100})).pattern == "factor 2");
}

TEST_CASE("ops of higher orders are right where nothing is planted") {
  const auto linear = [](const Tensor& x, const Tensor& w) { return 3 * x - w + sum(x, {0}); };
  const auto r =
      gradcheck(linear, {uniform({3}, 0, 1, f64), uniform({3}, 0, 1, f64)}, {.order = 3, .locate = Locate::always});
  CHECK_MESSAGE(r.culprits().empty(), r.str());
  const auto cubic = [](const Tensor& x) { return sum(x * x * tanh(x)); };
  const auto s = gradcheck(cubic, {uniform({2}, 0, 1, f64)}, {.order = 3, .locate = Locate::always});
  CHECK_MESSAGE(s.culprits().empty(), s.str());
}
