#include <doctest/doctest.h>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <numbers>
#include <optim/optim.hpp>
#include <regex>

#include "support.hpp"

using namespace xgrad;

namespace {

const double inf = std::numeric_limits<double>::infinity();

/// Two groups, of rates 0.1 and 0.02.
optim::SGD two_groups() {
  return optim::SGD{
      {{{ones({2}, {.requires_grad = true})}, {.lr = .1}}, {{ones({2}, {.requires_grad = true})}, {.lr = .02}}}};
}

using Made = std::unique_ptr<optim::Schedule>;

/// A schedule and its rate after t steps, by a formula that is written in another way than the library's.
struct Row {
  std::string name;
  std::function<Made(optim::Optimizer&)> make;
  std::function<double(int t, double base)> rate;
};

template <class S, class Options>
std::function<Made(optim::Optimizer&)> made(Options options) {
  return [options](optim::Optimizer& optimizer) { return std::make_unique<S>(optimizer, options); };
}

double half_cosine(double from, double to, double way) {
  const double c = std::cos(std::numbers::pi * way / 2);
  return to + (from - to) * c * c;
}

/// One row at least for each schedule that optim/schedules.hpp declares.
std::vector<Row> rows() {
  return {
      {"StepLR", made<optim::StepLR>(optim::StepLROptions{.step = 30, .gamma = .5}),
       [](int t, double base) { return base / std::exp2(t / 30); }},
      {"MultiStepLR", made<optim::MultiStepLR>(optim::MultiStepLROptions{.milestones = {80, 10, 80}, .gamma = .5}),
       [](int t, double base) { return t < 10   ? base
                                       : t < 80 ? base / 2
                                                : base / 8; }},
      {"ExponentialLR", made<optim::ExponentialLR>(optim::ExponentialLROptions{.gamma = .99}),
       [](int t, double base) { return base * std::exp(t * std::log(.99)); }},
      {"CosineLR", made<optim::CosineLR>(optim::CosineLROptions{.steps = 200, .min_lr = .001}),
       [](int t, double base) { return half_cosine(base, .001, t / 200.); }},
      {"CosineLR", made<optim::CosineLR>(optim::CosineLROptions{.steps = 50, .restarts = true}),
       [](int t, double base) { return half_cosine(base, 0, t % 50 / 50.); }},
      {"CosineLR", made<optim::CosineLR>(optim::CosineLROptions{.steps = 100, .restarts = true, .growth = 3}),
       [](int t, double base) {
         return t < 100 ? half_cosine(base, 0, t / 100.) : half_cosine(base, 0, (t - 100) / 300.);
       }},
      {"WarmupLR", made<optim::WarmupLR>(optim::WarmupLROptions{.steps = 8, .start_factor = .25}),
       [](int t, double base) { return t < 8 ? base / 4 + base * t * .75 / 8 : base; }},
      {"OneCycleLR", made<optim::OneCycleLR>(optim::OneCycleLROptions{.max_lr = 1, .steps = 300}),
       [](int t, double) {
         return t < 89    ? half_cosine(1. / 25, 1, t / 89.)
                : t < 299 ? half_cosine(1, 1. / 25e4, (t - 89) / 210.)
                          : 1. / 25e4;
       }},
      {"OneCycleLR", made<optim::OneCycleLR>(optim::OneCycleLROptions{.steps = 201, .warmup = .5, .linear = true}),
       [](int t, double base) {
         const double last = base / 25e4;
         return t < 99.5  ? base / 25 + base * 24 / 25 * t / 99.5
                : t < 200 ? base + (last - base) * (t - 99.5) / 100.5
                          : last;
       }},
      {"PolynomialLR", made<optim::PolynomialLR>(optim::PolynomialLROptions{.steps = 250, .power = 2}),
       [](int t, double base) { return t < 250 ? base * (250 - t) * (250 - t) / 62500 : 0; }},
      {"InverseTimeLR", made<optim::InverseTimeLR>(optim::InverseTimeLROptions{.decay = .5}),
       [](int t, double base) { return 2 * base / (2 + t); }},
      {"LambdaLR",
       [](optim::Optimizer& o) {
         return std::make_unique<optim::LambdaLR>(o, [](std::int64_t t) { return 1 / static_cast<double>(t + 1); });
       },
       [](int t, double base) { return base / (t + 1); }},
      {"ChainedLR",
       [](optim::Optimizer& o) {
         return std::make_unique<optim::ChainedLR>(
             o, std::vector<optim::LrCurve>{optim::WarmupLROptions{.steps = 10, .start_factor = 0},
                                            optim::StepLROptions{.step = 100, .gamma = .5},
                                            [](std::int64_t t) { return t == 7 ? 2 : 1; }});
       },
       [](int t, double base) { return base * std::min(t, 10) / 10 * (t == 7 ? 2 : 1) / std::exp2(t / 100); }},
      {"PlateauLR", made<optim::PlateauLR>(optim::PlateauLROptions{.factor = .5, .patience = 99}),
       [](int t, double base) { return base / std::exp2(t == 0 ? 0 : (t - 1) / 100); }},
  };
}

/// A step of any schedule; the metric does not improve.
void advance(optim::Schedule& schedule) {
  if (auto* const plateau = dynamic_cast<optim::PlateauLR*>(&schedule)) return plateau->step(1);
  schedule.step();
}

std::vector<std::string> declared_schedules() {
  std::ifstream file(XGRAD_SCHEDULES_HEADER);
  const std::string header{std::istreambuf_iterator<char>(file), {}};
  const std::regex declaration(R"((?:using (\w+LR) = ScheduleOf)|(?:class (\w+LR) final : public Schedule))");
  std::vector<std::string> names;
  for (std::sregex_iterator it(header.begin(), header.end(), declaration); it != std::sregex_iterator(); ++it)
    names.push_back((*it)[1].str() + (*it)[2].str());
  return names;
}

bool close(double a, double b, double size) { return std::abs(a - b) <= 1e-13 * size; }

}  // namespace

TEST_CASE("each schedule that schedules.hpp declares has a row, and each row is one of them") {
  const std::vector<std::string> declared = declared_schedules();
  CHECK(declared.size() == 11);
  const auto table = rows();
  for (const std::string& name : declared)
    CHECK_MESSAGE(std::any_of(table.begin(), table.end(), [&](const Row& row) { return row.name == name; }), name,
                  " has no row");
  for (const Row& row : table)
    CHECK_MESSAGE(std::count(declared.begin(), declared.end(), row.name) == 1, row.name, " is not declared");
}

TEST_CASE("each schedule gives its groups the rates of its formula, from each group's own base, over 400 steps") {
  for (const Row& row : rows()) {
    CAPTURE(row.name);
    optim::SGD optimizer = two_groups();
    const Made schedule = row.make(optimizer);
    for (int t = 0; t < 400; ++t) {
      CAPTURE(t);
      CHECK(schedule->steps() == t);
      REQUIRE(close(optimizer.lr(0), row.rate(t, .1), .1));
      REQUIRE(close(optimizer.lr(1), row.rate(t, .02), .1));
      CHECK(schedule->lr(1) == optimizer.lr(1));
      advance(*schedule);
    }
  }
}

TEST_CASE("a schedule that is saved and loaded continues to the same bits, whatever the rates were meanwhile") {
  for (const Row& row : rows()) {
    CAPTURE(row.name);
    optim::SGD first = two_groups(), second = two_groups();
    const Made schedule = row.make(first);
    for (int t = 0; t < 130; ++t) advance(*schedule);
    const Made resumed = row.make(second);
    advance(*resumed);
    second.load_state_dict(first.state_dict());
    resumed->load_state_dict(schedule->state_dict());
    for (int t = 0; t < 130; ++t) {
      for (const std::size_t group : {0u, 1u}) CHECK(first.lr(group) == second.lr(group));
      advance(*schedule), advance(*resumed);
    }
    CHECK(same_bits(schedule->state_dict(), resumed->state_dict()));
  }
}

TEST_CASE("a rate that the program sets holds until the next step") {
  optim::SGD optimizer = two_groups();
  optim::ExponentialLR schedule{optimizer, {.gamma = .5}};
  schedule.step();
  optimizer.set_lr(3);
  CHECK(schedule.lr() == 3);
  schedule.step();
  CHECK(schedule.lr() == .1 / 4);
  CHECK(schedule.lr(1) == .02 / 4);
}

TEST_CASE("a captured step trains at the rates that a schedule sets between its replays") {
  const Tensor w = ones({1}, {.requires_grad = true});
  optim::SGD optimizer{{w}, {.lr = 1}};
  optim::LambdaLR schedule{optimizer, [](std::int64_t t) { return t % 3; }};
  auto step = capture([&](const Tensor& x) {
    const Tensor loss = sum(w * x);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    return loss;
  });
  double expected = 1;
  for (int t = 0; t < 12; ++t) {
    step(ones({1}));
    expected -= t % 3;
    CHECK(w.item<double>() == expected);
    schedule.step();
  }
}

TEST_CASE("a schedule goes with an optimiser that is moved, and refuses one that was moved from") {
  optim::SGD first = two_groups();
  optim::ExponentialLR schedule{first, {.gamma = .5}};
  optim::SGD second = std::move(first);
  schedule.step();
  CHECK(second.lr() == .05);
  CHECK(schedule.lr(1) == .01);
  SAYS("moved from", ValueError, (optim::ExponentialLR{first}),
       "ExponentialLR: the optimizer was moved from; pass the one that it was moved to");
}

TEST_CASE("a group without a rate stays without one") {
  optim::SGD optimizer = two_groups();
  optimizer.set_lr(0, 1);
  optim::ChainedLR schedule{optimizer, {optim::WarmupLROptions{.steps = 3}, optim::ExponentialLROptions{}}};
  schedule.step();
  CHECK(schedule.lr(0) > 0);
  CHECK(schedule.lr(1) == 0);
}

namespace {

/// The rates after each of these metrics, with a base of 1.
std::vector<double> plateau(const optim::PlateauLROptions& options, const std::vector<double>& metrics) {
  optim::SGD optimizer{{ones({1}, {.requires_grad = true})}, {.lr = 1}};
  optim::PlateauLR schedule{optimizer, options};
  std::vector<double> rates;
  for (const double metric : metrics) {
    schedule.step(metric);
    rates.push_back(schedule.lr());
  }
  return rates;
}

}  // namespace

TEST_CASE("a plateau is more than `patience` steps in which the metric does not improve by the threshold") {
  using Rates = std::vector<double>;
  CHECK(plateau({.factor = .5, .patience = 0}, {3, 3, 2, 2, 1, 1}) == Rates{1, .5, .5, .25, .25, .125});
  CHECK(plateau({.factor = .5, .patience = 2}, {3, 3, 3, 3, 3, 3, 3}) == Rates{1, 1, 1, .5, .5, .5, .25});
  CHECK(plateau({.factor = .5, .patience = 2}, {3, 3, 3, 2, 2, 2, 2}) == Rates{1, 1, 1, 1, 1, 1, .5});
  CHECK(plateau({.factor = .5, .patience = 0, .threshold = .1}, {10, 9, 8.9, 8.02}) == Rates{1, .5, .5, .25});
  CHECK(plateau({.factor = .5, .patience = 0, .threshold = .5, .absolute = true}, {10, 9.5, 9.25}) == Rates{1, .5, .5});
  CHECK(plateau({.factor = .5, .patience = 0, .larger_is_better = true}, {1, 2, 2, 1}) == Rates{1, 1, .5, .25});
  CHECK(plateau({.factor = .5, .patience = 0, .threshold = .5, .absolute = true, .larger_is_better = true},
                {1, 1.5, 1.75}) == Rates{1, .5, .5});
}

TEST_CASE("after a reduction the cooldown's steps do not count") {
  using Rates = std::vector<double>;
  CHECK(plateau({.factor = .5, .patience = 0, .cooldown = 2}, {1, 1, 1, 1, 1, 1}) == Rates{1, .5, .5, .5, .25, .25});
}

TEST_CASE("rates on a plateau stop at min_lr, and reductions of no more than eps are left out") {
  using Rates = std::vector<double>;
  CHECK(plateau({.factor = .5, .patience = 0, .min_lr = .3}, {1, 1, 1, 1}) == Rates{1, .5, .3, .3});
  CHECK(plateau({.factor = .5, .patience = 0, .eps = .25}, {1, 1, 1, 1}) == Rates{1, .5, .5, .5});
}

TEST_CASE("a metric that is NaN is no improvement, nor is an infinite one the first best") {
  using Rates = std::vector<double>;
  CHECK(plateau({.factor = .5, .patience = 0}, {NAN, NAN, 1}) == Rates{.5, .25, .25});
  CHECK(plateau({.factor = .5, .patience = 0}, {inf, 1}) == Rates{.5, .5});
}

TEST_CASE("schedules with impossible options") {
  optim::SGD optimizer = two_groups();
  SAYS("no length of a step", ValueError, optim::StepLR{optimizer}, "StepLR: step is 0; expected at least 1");
  SAYS("a negative gamma", ValueError, (optim::StepLR{optimizer, {.step = 1, .gamma = -1}}),
       "StepLR: gamma is -1; expected a finite number of at least 0");
  SAYS("a milestone that has passed", ValueError, (optim::MultiStepLR{optimizer, {.milestones = {3, 0}}}),
       "MultiStepLR: a milestone is 0; expected at least 1");
  SAYS("a gamma that is no number", ValueError, (optim::ExponentialLR{optimizer, {.gamma = NAN}}),
       "ExponentialLR: gamma is nan; expected a finite number of at least 0");
  SAYS("no length", ValueError, optim::CosineLR{optimizer}, "CosineLR: steps is 0; expected at least 1");
  SAYS("growth of nothing", ValueError, (optim::CosineLR{optimizer, {.steps = 5, .growth = 2}}),
       "CosineLR: growth is 2, but there are no rounds that could grow; set restarts");
  SAYS("a negative start", ValueError, (optim::WarmupLR{optimizer, {.steps = 5, .start_factor = -1}}),
       "WarmupLR: start_factor is -1; expected a finite number of at least 0");
  SAYS("nothing but warm-up", ValueError, (optim::OneCycleLR{optimizer, {.steps = 5, .warmup = 1}}),
       "OneCycleLR: warmup is 1; expected a share in [0, 1)");
  SAYS("a division by 0", ValueError, (optim::OneCycleLR{optimizer, {.steps = 5, .div_factor = 0}}),
       "OneCycleLR: div_factor is 0; expected a finite number above 0");
  SAYS("a negative peak", ValueError, (optim::OneCycleLR{optimizer, {.max_lr = -1, .steps = 5}}),
       "OneCycleLR: max_lr is -1; expected a finite number of at least 0");
  SAYS("no power", ValueError, (optim::PolynomialLR{optimizer, {.steps = 5, .power = 0}}),
       "PolynomialLR: power is 0; expected a finite number above 0");
  SAYS("a negative decay", ValueError, (optim::InverseTimeLR{optimizer, {.decay = -1}}),
       "InverseTimeLR: decay is -1; expected a finite number of at least 0");
  SAYS("nothing to chain", ValueError, (optim::ChainedLR{optimizer, {}}),
       "ChainedLR: there is nothing to chain; give each schedule's options");
  SAYS("a link of a chain", ValueError, (optim::ChainedLR{optimizer, {optim::StepLROptions{}}}),
       "StepLR: step is 0; expected at least 1");
  SAYS("a factor of 1", ValueError, (optim::PlateauLR{optimizer, {.factor = 1}}),
       "PlateauLR: factor is 1; expected a number in [0, 1)");
  SAYS("no patience", ValueError, (optim::PlateauLR{optimizer, {.patience = -1}}),
       "PlateauLR: patience is -1; expected at least 0");
  SAYS("a negative threshold", ValueError, (optim::PlateauLR{optimizer, {.threshold = -1}}),
       "PlateauLR: threshold is -1; expected a finite number of at least 0");
  CHECK(optimizer.lr(0) == .1);
}

TEST_CASE("schedules in steps that they cannot make") {
  optim::SGD optimizer = two_groups();
  optim::LambdaLR lambda{optimizer, [](std::int64_t t) { return 1. - static_cast<double>(t); }};
  lambda.step();
  SAYS("a negative rate", ValueError, lambda.step(),
       "LambdaLR: after 2 steps the rate of group 0 would be -0.1; expected a finite number of at least 0");
  CHECK(lambda.steps() == 1);
  CHECK(lambda.lr() == 0);
  optim::PlateauLR plateau{optimizer};
  SAYS("no metric", ValueError, static_cast<optim::Schedule&>(plateau).step(),
       "PlateauLR: a step needs the metric that it waits for; call step(metric)");
  auto captured = capture([&](const Tensor& x) {
    plateau.step(1.);
    return x * 2;
  });
  CHECK_THROWS_AS(captured(ones({1})), GraphError);
  CHECK(plateau.steps() == 0);
}

TEST_CASE("a state that does not fit leaves the schedule as it was") {
  optim::SGD optimizer = two_groups();
  optim::StepLR schedule{optimizer, {.step = 2}};
  for (int t = 0; t < 3; ++t) schedule.step();
  const StateDict before = schedule.state_dict();
  SAYS("a state of nothing", ValueError, schedule.load_state_dict({}),
       "load_state_dict: the state does not fit this StepLR, which stays as it was:\n  steps is missing\n  "
       "group.0.base_lr is missing\n  group.1.base_lr is missing");
  StateDict state = before;
  state.set("steps", full({}, -1, {.dtype = f64}));
  state.set("best", zeros({}));
  SAYS("a negative count", ValueError, schedule.load_state_dict(state),
       "load_state_dict: the state does not fit this StepLR, which stays as it was:\n  steps is -1, expected a whole "
       "number of at least 0\n  best is unexpected");
  state = before;
  state.set("group.1.base_lr", full({}, -1, {.dtype = f64}));
  SAYS("a negative rate", ValueError, schedule.load_state_dict(state),
       "load_state_dict: after 3 steps the rate of group 1 would be -0.1; expected a finite number of at least 0");
  CHECK(same_bits(schedule.state_dict(), before));
  CHECK(optimizer.lr(0) == .1 * .1);
}
