#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/primitive.hpp>
#include <cmath>
#include <limits>
#include <support.hpp>

using namespace xgrad;

/// Where a difference can tell little: derivatives of any scale, and functions that round.
namespace {

Tensor at(double v) { return tensor({v}, {.dtype = f64}); }

/// x^3 with `factor` of its derivative.
Tensor cube(const Tensor& x, double factor) {
  return primitive(
      "cube", {x},
      [&] {
        const Tensor d = x.detach();
        return (d * d * d).array();
      },
      [x, factor](const Tensor& g) { return g * (3 * factor) * square(x); });
}

/// Nothing is called wrong, whatever is looked at.
void check_unblamed(const GradcheckReport& r) {
  CHECK_MESSAGE(r.count(Verdict::fail) == 0, r.str());
  CHECK_MESSAGE(r.count(Verdict::kink) == 0, r.str());
  CHECK_MESSAGE(r.problems().empty(), r.str());
  CHECK_MESSAGE(r.culprits().empty(), r.str());
}
template <class F>
void check_unblamed(F f, const std::vector<Tensor>& inputs) {
  for (const int order : {1, 2}) check_unblamed(gradcheck(f, inputs, {.order = order, .locate = Locate::always}));
}
template <class F>
void check_passes(F f, const std::vector<Tensor>& inputs) {
  check_unblamed(f, inputs);
  const auto r = gradcheck(f, inputs);
  CHECK_MESSAGE(r.ok(), r.str());
}

}  // namespace

TEST_CASE("a wrong derivative is caught at any scale of the function") {
  for (const double scale : {1e-100, 1e-30, 1e-12, 1e-8, 1e-7, 1e-4, 1., 1e4, 1e8, 1e30}) {
    for (const double factor : {1 / 3., -1., 2., 1.0005}) {
      const auto f = [=](const Tensor& x) { return cube(x, factor) * scale; };
      const auto r = gradcheck(f, {uniform({3}, 1, 2, f64)});
      INFO("scale ", scale, ", factor ", factor);
      CHECK_MESSAGE(r.count(Verdict::fail) == 3, r.str());
      REQUIRE(!r.culprits().empty());
      CHECK(r.culprits()[0].op == "cube");
    }
    const auto right = [=](const Tensor& x) { return cube(x, 1) * scale; };
    check_passes(right, {uniform({3}, 1, 2, f64)});
  }
}

TEST_CASE("and at any scale of the input") {
  for (const double scale : {1e-30, 1e-12, 1e-8, 1e-3, 1., 1e8, 1e30}) {
    for (const double factor : {1 / 3., -1., 1.0005}) {
      const auto r = gradcheck([=](const Tensor& x) { return cube(x, factor); }, {uniform({3}, 1, 2, f64) * scale});
      INFO("scale ", scale, ", factor ", factor);
      CHECK_MESSAGE(r.count(Verdict::fail) == 3, r.str());
      REQUIRE(r.culprits().size() == 1);
      CHECK(r.culprits()[0].op == "cube");
    }
    check_passes([](const Tensor& x) { return cube(x, 1); }, {uniform({3}, 1, 2, f64) * scale});
  }
}

TEST_CASE("a small derivative beside a large one is compared by its own scale") {
  const auto f = [](double factor) {
    return [factor](const Tensor& x, const Tensor& w) { return mean(square(x)) + 1e-2 * mean(cube(w, factor)); };
  };
  for (const std::int64_t n : {3, 200}) {  // all elements, and random directions
    const std::vector<Tensor> inputs{uniform({n, n}, 1, 2, f64), uniform({3}, 0.1, 0.2, f64)};
    const auto right = gradcheck(f(1), inputs), wrong = gradcheck(f(0.5), inputs);
    CHECK_MESSAGE(right.ok(), right.str());
    CHECK_MESSAGE(wrong.count(Verdict::fail) > 0, wrong.str());
    REQUIRE(!wrong.culprits().empty());
    CHECK(wrong.culprits()[0].op == "cube");
    CHECK(wrong.entries()[0].input == 1);
  }
}

TEST_CASE("right derivatives of tiny arguments pass") {
  check_passes([](const Tensor& v) { return 1 / v; }, {at(1e-8)});
  check_passes([](const Tensor& v) { return pow(v, -2); }, {at(1e-8)});
  check_passes([](const Tensor& v) { return pow(v, -2); }, {at(1e-30)});
  check_passes([](const Tensor& v) { return log(v); }, {at(1e-20)});
  check_passes([](const Tensor& v) { return v / norm(v); }, {tensor({1e-8, -2e-8, 3e-8}, {.dtype = f64})});
  check_passes([](const Tensor& v) { return sqrt(v * v + 1e-20); }, {at(1e-8)});
  check_passes([](const Tensor& v) { return exp(v) * sin(v); }, {at(1e-12)});
}

TEST_CASE("nothing is called wrong where large numbers round what moves") {
  for (const double b : {1e4, 1e6, 1e8, 1e10, 1e12, 1e15, 1e16, 1e17, 1e20, -1e8, -1e17}) {
    INFO("b = ", b);
    const Tensor v = tensor({0.3, 0.7, -1.1}, {.dtype = f64});
    check_unblamed([b](const Tensor& x) { return sin(x + b); }, {v});
    check_unblamed([b](const Tensor& x) { return (x + b) - b; }, {v});
    if (std::fabs(b) < 1e14) {  // above, `centre` itself loses all digits of the mean
      check_unblamed([b](const Tensor& x) { return variance(x + b); }, {v});
      check_unblamed([b](const Tensor& x) { return stddev(x + b); }, {v});
    }
    CHECK(gradcheck([b](const Tensor& x) { return variance(x + b); }, {v}).count(Verdict::fail) == 0);
    check_unblamed([b](const Tensor& x) { return softmax(x + b); }, {v});
    check_unblamed([b](const Tensor& x) { return logsumexp(x + b) - b; }, {v});
    check_unblamed([b](const Tensor& x) { return square(x + b) - b * b; }, {v});
    check_unblamed([b](const Tensor& x) { return sin(x * b); }, {v});
    check_unblamed([](const Tensor& x) { return sin(x); }, {v + b});
  }
  check_passes([](const Tensor& x) { return (x + 1e8) - 1e8; }, {at(0.3)});
}

TEST_CASE("nor where f goes through f32") {
  const Tensor v = uniform({2, 3}, 0.5, 1.5, f64);
  check_unblamed([](const Tensor& x) { return exp(x.to(f32)).to(f64); }, {v});
  check_unblamed([](const Tensor& x) { return sum(tanh(x.to(f32)) * 3, {1}); }, {v});
  check_unblamed([](const Tensor& x) { return softmax((x * x).to(f32)).to(f64) * x; }, {v});
  const auto within = [](double factor) {
    return [factor](const Tensor& x) {
      return primitive(
          "within", {x}, [&] { return exp(x.detach().to(f32)).to(f64).array(); },
          [x, factor](const Tensor& g) { return g * factor * exp(x); });
    };
  };
  check_unblamed(within(1), {v});
  const auto wrong = gradcheck(within(2), {v});
  CHECK_MESSAGE(wrong.count(Verdict::fail) == v.size(), wrong.str());
  REQUIRE(wrong.culprits().size() == 1);
  CHECK(wrong.culprits()[0].op == "within");
}

TEST_CASE("a derivative that is zero but for rounding passes") {
  const Tensor v = uniform({2, 3}, -1, 1, f64), w = uniform({3}, -1, 1, f64);
  check_passes([](const Tensor& x) { return sum(softmax(x), {1}); }, {v});
  check_passes([](const Tensor& x, const Tensor& b) { return centre(x + sum(b), {0, 1}); }, {v, w});
  check_passes([](const Tensor& x) { return sin(x); }, {at(std::acos(0.))});
  check_passes([](const Tensor& x) { return x * 1e6 - 1e6 * x; }, {v});
}

TEST_CASE("UNRELIABLE says that nothing was shown wrong, and what to do") {
  const auto r = gradcheck([](const Tensor& x) { return sin(x + 1e12); }, {at(0.3)});
  CHECK(!r.ok());
  CHECK(r.count(Verdict::unreliable) == 1);
  CHECK_MESSAGE(r.str().find("UNRELIABLE: nothing was shown wrong there") != std::string::npos, r.str());
  CHECK(r.str().find("f computes in f32") == std::string::npos);
  const auto narrow = gradcheck([](const Tensor& x) { return exp(x.to(f32)).to(f64); }, {at(0.3)});
  CHECK_MESSAGE(narrow.str().find("f computes in f32 inside") != std::string::npos, narrow.str());
}

TEST_CASE("inputs that are data are left out") {
  // Wrong by the target, which nobody differentiates by.
  const auto loss = [](const Tensor& x, const Tensor& t) {
    return primitive(
        "loss", {x, t}, [&] { return square(x.detach() - t.detach()).array(); },
        [x, t](const Tensor& g) { return g * 2 * (x - t); }, [](const Tensor& g) { return g; });
  };
  const std::vector<Tensor> inputs{uniform({3}, 1, 2, f64), uniform({3}, 1, 2, f64)};
  CHECK(!gradcheck(loss, inputs).ok());
  const auto r = gradcheck(loss, inputs, {.order = 2, .locate = Locate::always, .inputs = {0}});
  CHECK_MESSAGE(r.ok(), r.str());
  CHECK(r.culprits().empty());
  for (const GradcheckEntry& e : r.entries()) CHECK(e.input != 1);
  const auto other = gradcheck(loss, inputs, {.inputs = {1}});
  CHECK(other.count(Verdict::fail) == 3);
  CHECK(other.label(other.entries()[0]).find("x1[") == 0);
  const std::vector<Tensor> narrow{inputs[0].to(f32), inputs[1].to(f32)};
  CHECK(gradcheck(loss, narrow, {.inputs = {0}}).ok());
}

TEST_CASE("tolerances and inputs that make no sense are refused") {
  const auto says = [](const GradcheckOptions& options, const char* words) {
    const std::string said = thrown<ValueError>([&] {
      (void)gradcheck([](const Tensor& x, const Tensor&) { return x * 2; },
                      {ones({2}, {.dtype = f64}), zeros({2}, {.dtype = i64})}, options);
    });
    CHECK_MESSAGE(said.find(words) != std::string::npos, said);
    CHECK_MESSAGE(said.find("noise.cpp:") != std::string::npos, said);
  };
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  says({.rtol = nan}, "gradcheck: rtol is nan; expected a finite number of 0 or more");
  says({.rtol = -1e-5}, "gradcheck: rtol is -1e-05; expected a finite number of 0 or more");
  says({.atol = nan}, "gradcheck: atol is nan; expected a finite number of 0 or more");
  says({.atol = -1}, "gradcheck: atol is -1; expected a finite number of 0 or more");
  says({.rtol = inf}, "gradcheck: rtol is inf; expected a finite number of 0 or more");
  says({.inputs = {2}}, "gradcheck: inputs names input 2, but f is given 2; expected indices from 0 to 1");
  says({.inputs = {0, -1}}, "gradcheck: inputs names input -1");
  says({.inputs = {1}}, "gradcheck: inputs names input 1, which is of type i64; only f32 and f64 have derivatives");
}
