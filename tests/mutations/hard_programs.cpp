#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/primitive.hpp>
#include <cmath>
#include <mutations/harness/program.hpp>
#include <nn/nn.hpp>

using namespace xgrad;
using namespace xgrad::mutations;

namespace {

/// How a right program is made hard to check.
enum class Hardship { offset, tiny, narrow, far };
constexpr int hardships = 4;

struct Hard {
  Program program;
  Hardship hardship;
  double by;

  Tensor operator()(const Tensors& x) const {
    Tensors in;
    for (const Tensor& t : x)
      in.push_back(hardship == Hardship::offset   ? (t + by) - by
                   : hardship == Hardship::tiny   ? t / by
                   : hardship == Hardship::narrow ? t.to(f32).to(f64)
                                                  : t);
    const Tensor y = program(in);
    return hardship == Hardship::far ? y + by : y;
  }
  Tensors inputs() const {
    Tensors in;
    for (const Tensor& t : program.inputs) in.push_back(hardship == Hardship::tiny ? t * by : t);
    return in;
  }
};

/// An op on every element whose rule gives `factor` of its derivative.
struct Wrong : nn::Module {
  const char* name;
  Tensor (*f)(const Tensor&);
  Tensor (*derivative)(const Tensor&);
  double factor;
  Wrong(const char* of, Tensor (*value)(const Tensor&), Tensor (*slope)(const Tensor&), double by)
      : name(of), f(value), derivative(slope), factor(by) {}

  Tensor operator()(const Operand& x) {
    const Tensor in = x.tensor();
    return primitive(
        name, {in}, [&] { return f(in.detach()).array(); },
        [in, slope = derivative, by = factor](const Tensor& g) { return g * slope(in) * by; });
  }
  void members(nn::Visitor&) override {}
};

Wrong wrong_op(int kind, bool right) {
  switch (kind) {
    case 0:
      return {"cube", [](const Tensor& x) { return x * x * x; }, [](const Tensor& x) { return 3 * square(x); },
              right ? 1 : 1 / 3.};
    case 1:
      return {"wave", [](const Tensor& x) { return sin(x); }, [](const Tensor& x) { return cos(x); }, right ? 1. : -1.};
    case 2:
      return {"twice", [](const Tensor& x) { return exp(x); }, [](const Tensor& x) { return exp(x); }, right ? 1. : 2.};
    default:
      return {"half", [](const Tensor& x) { return softplus(x); }, [](const Tensor& x) { return sigmoid(x); },
              right ? 1 : 0.5};
  }
}

GradcheckReport check_with_captured_data(int kind, double scale, bool right) {
  manual_seed(static_cast<std::uint64_t>(kind) + 1);
  nn::Sequential model{nn::Dense{3, 6}, wrong_op(kind, right), nn::Dense{6, 4}};
  const Tensor x = randn({5, 3}), t = randn({5, 4});
  return nn::gradcheck(model, [&](nn::Sequential& m) { return mean(square(m(x) - t)) * scale; });
}

}  // namespace

TEST_CASE("no alarm over two hundred right programs with large offsets, tiny inputs and f32 inside") {
  int passed[hardships] = {};
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto kind = static_cast<int>(seed % hardships);
    const double power = static_cast<double>(seed / hardships % 10);
    const double by[] = {std::pow(10, 2 + power), std::pow(10, -3 - 2 * power), 0, -std::pow(10, 2 + power)};
    const Hard hard{random_program(seed), static_cast<Hardship>(kind), by[kind]};
    const int order = seed % 3 == 0 ? 2 : 1;
    const GradcheckReport r = gradcheck(hard, hard.inputs(), {.order = order, .locate = Locate::always});
    INFO("program ", seed, ", by ", by[kind], ", order ", order);
    CHECK_MESSAGE(r.count(Verdict::fail) + r.count(Verdict::kink) + r.count(Verdict::domain) == 0, r.str());
    CHECK_MESSAGE(r.problems().empty(), r.str());
    CHECK_MESSAGE(r.culprits().empty(), r.str());
    passed[kind] += r.ok();
  }
  // Unreliable entries are no alarm; most tiny inputs can be told.
  CHECK(passed[static_cast<int>(Hardship::tiny)] >= 35);
}

TEST_CASE("twenty faults in f32 models with captured data are found, at scales from 1e-8 to 1e8") {
  for (const double scale : {1e-8, 1e-4, 1., 1e4, 1e8}) {
    for (int kind = 0; kind < 4; ++kind) {
      INFO("scale ", scale);
      const GradcheckReport r = check_with_captured_data(kind, scale, false);
      CHECK_MESSAGE(r.count(Verdict::fail) > 0, r.str());
      REQUIRE_MESSAGE(r.culprits().size() == 1, r.str());
      CHECK(r.culprits()[0].op == wrong_op(kind, false).name);
      const GradcheckReport right = check_with_captured_data(kind, scale, true);
      CHECK_MESSAGE(right.count(Verdict::fail) == 0, right.str());
      CHECK_MESSAGE(right.culprits().empty(), right.str());
      CHECK_MESSAGE(right.problems().empty(), right.str());
    }
  }
}
