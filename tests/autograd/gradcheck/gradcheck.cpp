#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/primitive.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <support.hpp>

using namespace xgrad;

namespace {

/// x^2 with a rule of one's own.
template <class Rule>
Tensor squared(const Tensor& x, Rule rule) {
  return primitive(
      "squared", {x}, [&] { return square(x.detach()).array(); }, rule);
}

bool mentions(const GradcheckReport& r, const char* words) { return r.str().find(words) != std::string::npos; }

}  // namespace

// ---- wrong gradients ----

TEST_CASE("a right rule of a user's op passes to order 3") {
  const auto r = gradcheck([](const Tensor& x) { return squared(x, [x](const Tensor& g) { return g * 2 * x; }); },
                           {uniform({3, 4}, -2, 2, f64)}, {.order = 3});
  CHECK_MESSAGE(r.ok(), r.str());
}

TEST_CASE("a gradient of the wrong sign is caught") {
  const auto r = gradcheck([](const Tensor& x) { return squared(x, [x](const Tensor& g) { return g * -2 * x; }); },
                           {uniform({3}, 1, 2, f64)});
  CHECK(!r.ok());
  CHECK(r.count(Verdict::fail) == 3);
}

TEST_CASE("a gradient wrong by a factor of 1.0005 is caught") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    manual_seed(seed);
    const auto wrong = [](const Tensor& x) {
      return squared(x, [x](const Tensor& g) { return g * (2 * 1.0005) * x; });
    };
    CHECK(!gradcheck(wrong, {uniform({3, 4}, 0.5, 3, f64)}).ok());
    // In random directions: the Jacobian has 28561 entries.
    CHECK(!gradcheck(wrong, {uniform({13, 13}, 0.5, 3, f64)}).ok());
  }
}

TEST_CASE("a second derivative wrong by a factor of 1.0005 is caught at order 2 only") {
  const auto wrong = [](const Tensor& x) {
    return squared(x, [x](const Tensor& g) {
      const Tensor slope = primitive(
          "slope", {x}, [&] { return (2 * x.detach()).array(); }, [](const Tensor& h) { return h * 2.001; });
      return g * slope;
    });
  };
  const Tensor x = uniform({3}, 1, 2, f64);
  CHECK(gradcheck(wrong, {x}).ok());
  const auto r = gradcheck(wrong, {x}, {.order = 2});
  CHECK(!r.ok());
  CHECK(r.entries()[0].order == 2);
}

TEST_CASE("a missing broadcast sum is caught by the engine") {
  const auto wrong = [](const Tensor& x, const Tensor& b) {
    return primitive(
        "add_row", {x, b}, [&] { return (x.detach() + b.detach()).array(); }, [](const Tensor& g) { return g; },
        [](const Tensor& g) { return g; });
  };
  CHECK_THROWS_AS(gradcheck(wrong, {uniform({3, 4}, 0, 1, f64), uniform({4}, 0, 1, f64)}), GraphError);
}

TEST_CASE("a transposed gradient is caught") {
  const auto wrong = [](const Tensor& x) {
    return primitive(
        "transposed", {x}, [&] { return (x.detach() * 1).array(); }, [](const Tensor& g) { return transpose(g); });
  };
  CHECK(!gradcheck(wrong, {uniform({3, 3}, 0, 1, f64)}).ok());
  CHECK(!gradcheck(wrong, {uniform({150, 150}, 0, 1, f64)}).ok());
}

TEST_CASE("one wrong element of 10^4 is caught, found and shown first") {
  const Tensor x = uniform({100, 100}, 1, 2, f64);
  const auto wrong = [](const Tensor& t) {
    return squared(t, [t](const Tensor& g) {
      const Tensor factor = full({100, 100}, 2, {.dtype = f64});
      factor.data<double>()[1234] = 3;
      return g * factor * t;
    });
  };
  const auto r = gradcheck(wrong, {x});
  CHECK(!r.ok());
  REQUIRE(!r.entries().empty());
  CHECK(r.entries()[0].element == 1234);
  CHECK(r.entries()[0].verdict == Verdict::fail);
  CHECK(mentions(r, "x0[12, 34]"));
  CHECK(mentions(r, "seed 1"));
}

TEST_CASE("a second order that is detached is caught, and said") {
  const auto wrong = [](const Tensor& x) {
    return squared(x, [d = x.detach()](const Tensor& g) { return g * 2 * d; });
  };
  const Tensor x = uniform({3}, 1, 2, f64);
  CHECK(gradcheck(wrong, {x}).ok());
  CHECK(!gradcheck(wrong, {x}, {.order = 2}).ok());
  const auto constant = [](const Tensor& t) {
    return squared(t, [t](const Tensor& g) { return (g * 2 * t).detach(); });
  };
  const auto r = gradcheck(constant, {x}, {.order = 2});
  CHECK(!r.ok());
  CHECK_MESSAGE(mentions(r, "has no graph"), r.str());
}

TEST_CASE("jitter of 1e-9 in the values or the gradient is caught, since equal calls give other bits") {
  const auto noisy = [](const Tensor& x) { return square(x) + randn({}, {.dtype = f64}) * 1e-9; };
  const auto r = gradcheck(noisy, {uniform({3}, 1, 2, f64)});
  CHECK(!r.ok());
  CHECK(mentions(r, "other bits when it runs again"));
  const auto noisy_rule = [](const Tensor& x) {
    return squared(x, [x](const Tensor& g) { return g * 2 * x * (1 + 1e-9 * randn({}, {.dtype = f64})); });
  };
  CHECK(!gradcheck(noisy_rule, {uniform({3}, 1, 2, f64)}).ok());
}

TEST_CASE("a stale saved value is caught, be it left by an earlier call or overwritten by a later one") {
  Tensor saved = ones({3}, {.dtype = f64});
  const auto earlier = [&saved](const Tensor& x) {
    const Tensor before = std::exchange(saved, x.detach().clone());
    return squared(x, [before](const Tensor& g) { return g * 2 * before; });
  };
  CHECK(!gradcheck(earlier, {uniform({3}, 1, 2, f64)}).ok());
  const auto later = [&saved](const Tensor& x) {
    saved = x.detach().clone();
    return squared(x, [&saved](const Tensor& g) { return g * 2 * saved; });
  };
  CHECK(!gradcheck(later, {uniform({3}, 1, 2, f64)}).ok());
}

TEST_CASE("a vjp that is not linear in the cotangent, or not zero for zero, is caught") {
  const auto crooked = [](const Tensor& x) { return squared(x, [x](const Tensor& g) { return square(g) * 2 * x; }); };
  CHECK(mentions(gradcheck(crooked, {uniform({3}, 1, 2, f64)}), "not linear"));
  const auto biased = [](const Tensor& x) { return squared(x, [x](const Tensor& g) { return g * 2 * x + 1e-9; }); };
  const auto r = gradcheck(biased, {uniform({3}, 1, 2, f64)});
  CHECK(!r.ok());
  CHECK(mentions(r, "zero cotangent"));
}

TEST_CASE("a function that writes into its input is caught") {
  const auto writes = [](const Tensor& x) {
    x.data<double>()[0] += 1e-12;
    return x * 2;
  };
  CHECK(mentions(gradcheck(writes, {uniform({3}, 1, 2, f64)}), "f changes input 0"));
}

TEST_CASE("a gradient that is NaN or infinite where the function is smooth fails") {
  const double inf = std::numeric_limits<double>::infinity();
  for (const double bad : {std::nan(""), inf}) {
    const auto wrong = [bad](const Tensor& x) { return squared(x, [bad](const Tensor& g) { return g * bad; }); };
    CHECK(gradcheck(wrong, {uniform({2}, 1, 2, f64)}).count(Verdict::fail) > 0);
  }
}

// ---- right gradients ----

TEST_CASE("right gradients raise no alarm over 50 seeds") {
  struct Case {
    const char* name;
    Tensor (*f)(const Tensor&, const Tensor&);
    double low, high;
  };
  const Case cases[] = {
      {"add", [](const Tensor& x, const Tensor& w) { return x + w; }, -3, 3},
      {"subtract", [](const Tensor& x, const Tensor& w) { return x - w; }, -3, 3},
      {"multiply", [](const Tensor& x, const Tensor& w) { return x * w; }, -3, 3},
      {"divide", [](const Tensor& x, const Tensor& w) { return x / w; }, 0.3, 3},
      {"pow", [](const Tensor& x, const Tensor& w) { return pow(x, w); }, 0.3, 2},
      {"cube", [](const Tensor& x, const Tensor& w) { return pow(x, 3) + w; }, -2, 2},
      {"square", [](const Tensor& x, const Tensor& w) { return square(x * w); }, -2, 2},
      {"abs", [](const Tensor& x, const Tensor& w) { return abs(x) * w; }, 0.1, 2},
      {"sqrt", [](const Tensor& x, const Tensor& w) { return sqrt(x) * w; }, 0.05, 4},
      {"rsqrt", [](const Tensor& x, const Tensor& w) { return rsqrt(x) * w; }, 0.05, 4},
      {"exp", [](const Tensor& x, const Tensor& w) { return exp(x * w); }, -2, 2},
      {"expm1", [](const Tensor& x, const Tensor& w) { return expm1(x) * w; }, -2, 2},
      {"log", [](const Tensor& x, const Tensor& w) { return log(x) * w; }, 0.05, 4},
      {"log1p", [](const Tensor& x, const Tensor& w) { return log1p(x) * w; }, -0.9, 4},
      {"sin", [](const Tensor& x, const Tensor& w) { return sin(x * w); }, -3, 3},
      {"cos", [](const Tensor& x, const Tensor& w) { return cos(x) - w; }, -3, 3},
      {"tan", [](const Tensor& x, const Tensor& w) { return tan(x) * w; }, -1.4, 1.4},
      {"asin", [](const Tensor& x, const Tensor& w) { return asin(x) * w; }, -0.95, 0.95},
      {"atan2", [](const Tensor& x, const Tensor& w) { return atan2(x, w); }, 0.1, 3},
      {"tanh", [](const Tensor& x, const Tensor& w) { return tanh(x * w); }, -3, 3},
      {"erf", [](const Tensor& x, const Tensor& w) { return erf(x) * w; }, -3, 3},
      {"sum", [](const Tensor& x, const Tensor& w) { return sum(x * x * w, {0}); }, -3, 3},
      {"logistic loss", [](const Tensor& x, const Tensor& w) { return sum(log1p(exp(-(x * w)))); }, -3, 3},
      {"softmax by hand", [](const Tensor& x, const Tensor& w) { return exp(x) / sum(exp(x), {1}, true) * w; }, -3, 3},
      {"norm by hand", [](const Tensor& x, const Tensor& w) { return sqrt(sum(square(x * w)) + 1e-2); }, -3, 3},
      {"choice", [](const Tensor& x, const Tensor& w) { return where(x > 1.5, x * w, square(x)); }, 2, 3},
      {"large values", [](const Tensor& x, const Tensor& w) { return x * w * 1e6; }, -3, 3},
  };
  for (const Case& c : cases) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      manual_seed(seed);
      const Tensor x = uniform({2, 3}, c.low, c.high, f64), w = uniform({3}, c.low, c.high, f64);
      const auto r = gradcheck(c.f, {x, w}, {.order = 2, .seed = seed});
      if (!r.ok()) FAIL_CHECK(c.name, ", seed ", seed, ": ", r.str());
    }
  }
}

TEST_CASE("large inputs are checked along random directions, and raise no alarm over 50 seeds") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    manual_seed(seed);
    const Tensor x = uniform({60, 60}, -2, 2, f64), w = uniform({60}, -2, 2, f64);
    const auto r =
        gradcheck([](const Tensor& a, const Tensor& b) { return exp(a * b) * sin(a); }, {x, w}, {.seed = seed});
    CHECK_MESSAGE(r.ok(), r.str());
    CHECK(mentions(r, "three random directions"));
  }
}

TEST_CASE("sizes of 0, 0-d tensors and functions of nothing pass") {
  const auto f = [](const Tensor& x) { return exp(x) * 2; };
  CHECK(gradcheck(f, {zeros({0, 3}, {.dtype = f64})}, {.order = 2}).ok());
  CHECK(gradcheck(f, {tensor(0.3, {.dtype = f64})}, {.order = 4}).ok());
  const auto r = gradcheck([](const Tensor&, const Tensor& w) { return w * 2; },
                           {uniform({2}, 0, 1, f64), uniform({2}, 0, 1, f64)}, {.order = 3});
  CHECK_MESSAGE(r.ok(), r.str());
  CHECK(gradcheck([](const Tensor& x) { return ones(x.shape(), {.dtype = f64}); }, {uniform({2}, 0, 1, f64)}).ok());
  CHECK(gradcheck([](const Tensor& x) { return x; }, {uniform({2}, 0, 1, f64)}, {.order = 2}).ok());
}

TEST_CASE("an output that is detached from an input that it depends on fails") {
  const auto detached = [](const Tensor& x, const Tensor& w) { return x.detach() * w; };
  const auto r = gradcheck(detached, {uniform({2}, 1, 2, f64), uniform({2}, 1, 2, f64)});
  CHECK(!r.ok());
  CHECK(r.entries()[0].input == 0);
}

TEST_CASE("f32 inputs are compared with differences in f64, and in f32 where f knows f32 only") {
  const Tensor x = rand({3}) + 1;
  const auto r = gradcheck([](const Tensor& t) { return exp(t) * t; }, {x}, {.order = 2});
  CHECK_MESSAGE(r.ok(), r.str());
  CHECK(mentions(r, "differences are taken in f64"));
  const Tensor constant = ones({3});
  const auto narrow = gradcheck([&](const Tensor& t) { return exp(t) * constant; }, {x});
  CHECK_MESSAGE(narrow.ok(), narrow.str());
  CHECK(mentions(narrow, "differences are taken in f32"));
  CHECK(!gradcheck([&](const Tensor& t) { return squared(t, [t](const Tensor& g) { return g * 2.2 * t * ones({}); }); },
                   {x})
             .ok());
}

TEST_CASE("integer inputs are passed through, and f may take a vector of tensors") {
  const Tensor labels = tensor({1, 0, 1}, {.dtype = i64});
  const auto f = [](const std::vector<Tensor>& in) { return sum(where(in[1] == 1, sin(in[0]), square(in[0]))); };
  CHECK(gradcheck(f, {uniform({3}, 1, 2, f64), labels}, {.order = 2}).ok());
}

TEST_CASE("ops can be passed by their qualified name") {
  CHECK(gradcheck(xgrad::exp, {uniform({3}, 0, 1, f64)}).ok());
  CHECK(gradcheck(xgrad::atan2, {uniform({3}, 1, 2, f64), uniform({3}, 1, 2, f64)}).ok());
}

// ---- places without a derivative ----

TEST_CASE("kinks are seen at abs(0), maximum(0, 0) and beside, and are no failure where allowed") {
  const Tensor x = tensor({0., 1., -2.}, {.dtype = f64});
  const auto kinked = gradcheck([](const Tensor& t) { return abs(t); }, {x});
  CHECK(!kinked.ok());
  CHECK(kinked.count(Verdict::kink) == 1);
  CHECK(kinked.entries()[0].element == 0);
  CHECK(gradcheck([](const Tensor& t) { return abs(t); }, {x}, {.allow_kinks = true}).ok());
  CHECK(gradcheck([](const Tensor& t) { return maximum(t, 0); }, {x}).count(Verdict::kink) == 1);
  CHECK(gradcheck([](const Tensor& t) { return clamp(t, 1, 5); }, {x}).count(Verdict::kink) == 1);
}

TEST_CASE("a gradient outside the two slopes of a kink fails although kinks are allowed") {
  const auto wrong = [](const Tensor& x) {
    return primitive(
        "abs", {x}, [&] { return abs(x.detach()).array(); }, [](const Tensor& g) { return g * 1.5; });
  };
  CHECK(!gradcheck(wrong, {tensor({0.}, {.dtype = f64})}, {.allow_kinks = true}).ok());
}

TEST_CASE("a kink nearby, but not at the point, is no kink") {
  for (const double at : {1e-5, 4e-6, 2e-6, 1e-6, -3e-6}) {
    const auto r = gradcheck([](const Tensor& t) { return abs(t); }, {tensor({at}, {.dtype = f64})});
    CHECK_MESSAGE(r.ok(), r.str());
  }
}

TEST_CASE("the edge of a domain is named DOMAIN, whether f is not finite or throws there") {
  const auto at = [](double v) { return tensor({v}, {.dtype = f64}); };
  CHECK(gradcheck(xgrad::sqrt, {at(0)}).count(Verdict::domain) == 1);
  CHECK(gradcheck(xgrad::log, {at(0)}).count(Verdict::domain) == 1);
  CHECK(gradcheck(xgrad::log, {at(-1)}).count(Verdict::domain) == 1);
  CHECK(gradcheck(xgrad::asin, {at(1)}).count(Verdict::domain) == 1);
  CHECK(!gradcheck(xgrad::sqrt, {at(0)}).ok());
  CHECK(gradcheck(xgrad::sqrt, {at(0)}, {.allow_domain = true}).ok());
  const auto strict = [](const Tensor& x) {
    if (x.data<double>()[0] > 1) throw ValueError("the argument is no probability");
    return square(x);
  };
  const auto r = gradcheck(strict, {at(1)});
  CHECK(r.count(Verdict::domain) == 1);
  CHECK(mentions(r, "f threw beside the point: the argument is no probability"));
  CHECK(gradcheck(xgrad::log, {at(1e-6)}).ok());  // a smaller step stays inside
}

TEST_CASE("a slope that drowns in rounding is UNRELIABLE, not wrong") {
  const auto f = [](const Tensor& x, const Tensor& w) { return x * 1e6 + w * 1e-6; };
  const auto r = gradcheck(f, {uniform({2}, 1, 2, f64), uniform({2}, 1, 2, f64)});
  CHECK(r.count(Verdict::unreliable) == 2);
  CHECK(r.count(Verdict::fail) == 0);
}

TEST_CASE("a function too rough for a difference is UNRELIABLE, which is no pass") {
  const auto rough = [](const Tensor& x) { return sin(x * 1e9); };
  const auto r = gradcheck(rough, {tensor({0.3}, {.dtype = f64})});
  CHECK(!r.ok());
  CHECK(r.count(Verdict::pass) == 0);
}

// ---- the caller's side ----

TEST_CASE("the caller's tensors, their gradients and the random numbers stay as they are") {
  Tensor x = ones({3}, {.dtype = f64, .requires_grad = true});
  sum(x * 7).backward();
  const Tensor constant = ones({3}, {.dtype = f64}), w = ones({3}, {.dtype = f64, .requires_grad = true});
  const RandomState before = random_state();
  const std::int64_t nodes = memory::statistics().live_nodes, bytes = memory::statistics().live_bytes;
  CHECK(gradcheck([&w](const Tensor& a, const Tensor& b) { return exp(a * b) * w; }, {x, constant}, {.order = 3}).ok());
  CHECK(x.grad().data<double>()[0] == 7);
  CHECK(!constant.requires_grad());
  CHECK(!w.has_grad());
  CHECK(random_state().stream == before.stream);
  CHECK(memory::statistics().live_nodes == nodes);
  CHECK(memory::statistics().live_bytes == bytes);
  const NoGrad guard;
  CHECK(gradcheck(xgrad::exp, {x}).ok());
}

TEST_CASE("the report is the same on every run, and prints through a stream") {
  const auto f = [](const Tensor& x) { return squared(x, [x](const Tensor& g) { return g * 2.01 * x; }); };
  const Tensor x = tensor({1., 2.}, {.dtype = f64});
  const auto r = gradcheck(f, {x});
  std::ostringstream printed;
  printed << r;
  CHECK(printed.str() == gradcheck(f, {x}).str());
  CHECK(mentions(r, "gradcheck: NOT OK: 4 derivatives: 2 PASS, 2 FAIL"));
  CHECK(r.entries()[0].badness >= r.entries()[1].badness);
}

TEST_CASE("what cannot be checked throws, and says which input") {
  const auto f = [](const Tensor& x) { return x * 2; };
  const auto says = [](const auto& action, const char* words) {
    const std::string said = thrown(action);
    CHECK_MESSAGE(said.find(words) != std::string::npos, said);
  };
  CHECK_THROWS_AS(gradcheck(f, {zeros({2}, {.dtype = i64})}), ValueError);
  says([&] { return gradcheck(f, {zeros({2}, {.dtype = i64})}); }, "none of the 1 inputs is of type f32 or f64");
  says([&] { return gradcheck(f, {}); }, "none of the 0 inputs");
  says([&] { return gradcheck(xgrad::atan2, {ones({2}, {.dtype = f64}), Tensor()}); }, "input 1 is undefined");
  says([&] { return gradcheck(f, {ones({2}, {.dtype = f64})}, {.order = 0}); }, "the order is 0");
  says(
      [&] {
        return gradcheck(f, {ones({2}, {.dtype = f64}), ones({2}, {.dtype = f64})});
      },
      "f does not take 2 tensors");
  const Tensor x = ones({2}, {.dtype = f64});
  says([&] { return gradcheck([](const Tensor&) { return Tensor(); }, {x}); }, "f returned an undefined");
  says([&] { return gradcheck([](const Tensor& t) { return t > 0; }, {x}); }, "f returned a tensor of type boolean");
  says([&] { return gradcheck([](const Tensor& t) { return t + ones({3}, {.dtype = f64}); }, {x}); },
       "add: shapes do not broadcast: a is (2,), b is (3,)");
  says([&] { return gradcheck([](const Tensor&) -> Tensor { throw std::runtime_error("mine"); }, {x}); }, "mine");
  says([&] { return gradcheck(f, {Tensor()}); }, "gradcheck.cpp:");
}
