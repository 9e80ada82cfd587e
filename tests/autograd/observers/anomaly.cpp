#include <doctest/doctest.h>
#include <autograd/anomaly.hpp>
#include <autograd/autograd.hpp>
#include <cmath>
#include <limits>
#include <nn/nn.hpp>

#include "support.hpp"

using namespace xgrad;

namespace {

const double infinity = std::numeric_limits<double>::infinity(), not_a_number = std::nan("");

/// What is said after the place, which must be a line near the call.
template <class F>
std::string said(F f, int line = __builtin_LINE()) {
  return message_of<AnomalyError>(f, __FILE__, line);
}

}  // namespace

TEST_CASE("the first op whose result is not finite is named, with what went in") {
  const Tensor x = tensor({1., 0., -2.}), y = tensor({5., 2., 4.});
  const DetectAnomaly guard;
  CHECK(said([&] { (void)(exp(log(x)) * y); }) ==
        "log: gave f32 (3,) in [0, 0] but for 1 NaN and 1 inf from input 0: f32 (3,) in [-2, 1]; this is the first "
        "value that is not finite");
  CHECK(said([&] { (void)(y / 0); }) ==
        "divide: gave f32 (3,) of 3 inf from input 0: f32 (3,) in [2, 5]; input 1: the number 0; this is the first "
        "value that is not finite");
}

TEST_CASE("a value that was not finite before any op met it is the program's own") {
  const Tensor x = tensor({1., not_a_number}, {.dtype = f64});
  const DetectAnomaly guard;
  CHECK(
      said([&] { (void)(2 * x); }) ==
      "multiply: gave f64 (2,) in [2, 2] but for 1 NaN from input 0: the number 2; input 1: f64 (2,) in [1, 1] but for "
      "1 NaN; input 1 held it already, and no op that was watched made it: it is the program's own data, or older "
      "than this DetectAnomaly");
}

TEST_CASE("the message names the module") {
  nn::Sequential model{nn::Dense{2, 3}, nn::ReLU{}, nn::Dense{3, 1}};
  model[2].as<nn::Dense>().bias = full({1}, infinity);
  const DetectAnomaly guard;
  CHECK(said([&] {
          (void)model(ones({4, 2}));
        }).starts_with("in model[2] (Dense 3 -> 1): dense: gave f32 (4, 1) of 4 inf from input 0: f32 (4, 3) in ["));
}

TEST_CASE("the first rule whose result is not finite is named, with the input and the line of the op") {
  const Tensor x = tensor({4., 0.}, {.requires_grad = true});
  const DetectAnomaly guard;
  const Tensor r = sqrt(x * 1);
  const int line = __LINE__ - 1;
  const Tensor loss = sum(r * 3);
  CHECK(
      said([&] { loss.backward(); }, line) ==
      "sqrt: in the backward pass the rule for input 0 gave f32 (2,) in [0.75, 0.75] but for 1 inf from g, f32 (2,) "
      "in [3, 3]; this is the first value that is not finite; within it divide was the first to give such a value; in "
      "the forward pass input 0 was f32 (2,) in [0, 4]");
  CHECK(!x.has_grad());
}

TEST_CASE("the backward pass names the module, and the input that the rule is for") {
  nn::Sequential model{nn::Dense{2, 2}, [](const Tensor& x) { return pow(x - 2, x + 2); }};
  model[0].as<nn::Dense>().weight = zeros({2, 2});
  const DetectAnomaly guard;
  const std::string message = said([&] { sum(model(ones({1, 2}))).backward(); });
  CHECK(message.starts_with("in model[1] (function): pow: in the backward pass the rule for input 1 gave f32 (1, 2)"));
}

TEST_CASE("a cotangent that is not finite when it arrives was nobody's rule") {
  const Tensor x = tensor({1., 2.}, {.requires_grad = true}), y = x * 2;
  const DetectAnomaly guard;
  CHECK(said(
            [&] {
              y.backward(tensor({1., infinity}));
            },
            __LINE__ - 2) ==
        "multiply: in the backward pass the gradient of its result arrived as f32 (2,) in [1, 1] but for 1 inf, and no "
        "rule gave that: it is the cotangent that was passed in, what a hook returned, or a sum of several that "
        "overflowed");
}

TEST_CASE("what is made and masked again within one rule is no anomaly") {
  const Tensor x = tensor({0., 3.}, {.dtype = f64, .requires_grad = true});
  const DetectAnomaly guard;
  sum(where(x > 0, exp(x), x * 0)).backward();
  norm(x, {0}).backward();
  prod(x).backward();
  stddev(zeros({3}, {.requires_grad = true}), {0}).backward();
  CHECK(sum(isfinite(x.grad()).to(i64)).item<int>() == 2);
}

TEST_CASE("masking by -infinity asks for allow_infinity, and NaN is found even so") {
  const Tensor scores = tensor({1., 2., 3.}, {.requires_grad = true}), mask = tensor({1., 1., 0.}) > 0;
  {
    const DetectAnomaly guard;
    CHECK(said([&] {
            (void)where(mask, scores, -infinity);
          }).starts_with("where: gave f32 (3,) in [1, 2] but for 1 inf from input 0: boolean (3,) in [0, 1]"));
  }
  const DetectAnomaly guard({.allow_infinity = true});
  const Tensor p = softmax(where(mask, scores, -infinity), 0);
  sum(p * p).backward();
  CHECK(said([&] { (void)(tensor(infinity) - infinity); }).find("of 1 NaN") != std::string::npos);
}

TEST_CASE("without a guard nothing throws, guards nest, and end when an exception passes") {
  const Tensor x = tensor(0.);
  {
    const DetectAnomaly outer({.allow_infinity = true});
    {
      const DetectAnomaly inner;
      CHECK_THROWS_AS((void)log(x), AnomalyError);
    }
    (void)log(x);
    CHECK_THROWS_AS((void)(x / x), AnomalyError);
  }
  (void)(x / x);
  try {
    const DetectAnomaly guard;
    (void)log(x);
  } catch (const GraphError&) {
  }
  CHECK(log(x).item<double>() == -infinity);
}

TEST_CASE("a captured step is simply run, and so looked at") {
  const Tensor w = tensor(1., {.requires_grad = true});
  auto step = capture([&](const Tensor& x) {
    Tensor(w).zero_grad();
    log(x * w).backward();
    return w.grad();
  });
  CHECK(step(tensor(2.)).item<double>() == 1);
  const int line = __LINE__ - 4;
  CHECK(step(tensor(4.)).item<double>() == 1);
  {
    const DetectAnomaly guard;
    CHECK(said([&] { (void)step(tensor(-1.)); }, line).starts_with("log: gave f32 () of 1 NaN"));
  }
  CHECK(step(tensor(8.)).item<double>() == 1);
}
