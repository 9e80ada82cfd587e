// Steps a schedule as tests/pytorch/schedules.py asks. Reads lines `KIND name=value ...`, a list as `milestones=3,5`,
// and answers each by the rates of both groups, of base rates 0.1 and 0.02, at first and after each of 1000 steps.
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <optim/optim.hpp>
#include <sstream>

using namespace xgrad;

namespace {

class Options {
 public:
  explicit Options(std::istream& words) {
    for (std::string word; words >> word;) values_[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
  }
  double number(const std::string& name) const { return std::stod(values_.at(name)); }
  std::int64_t whole(const std::string& name) const { return std::stoll(values_.at(name)); }
  std::vector<std::int64_t> list(const std::string& name) const {
    std::vector<std::int64_t> list;
    std::istringstream words(values_.at(name));
    for (std::string word; std::getline(words, word, ',');) list.push_back(std::stoll(word));
    return list;
  }

 private:
  std::map<std::string, std::string> values_;
};

std::unique_ptr<optim::Schedule> make(const std::string& kind, const Options& o, optim::Optimizer& optimizer) {
  using namespace optim;
  const auto of = [&]<class O>(const O& options) -> std::unique_ptr<Schedule> {
    return std::make_unique<ScheduleOf<O>>(optimizer, options);
  };
  if (kind == "StepLR") return of(StepLROptions{.step = o.whole("step"), .gamma = o.number("gamma")});
  if (kind == "MultiStepLR")
    return of(MultiStepLROptions{.milestones = o.list("milestones"), .gamma = o.number("gamma")});
  if (kind == "ExponentialLR") return of(ExponentialLROptions{.gamma = o.number("gamma")});
  if (kind == "CosineLR") return of(CosineLROptions{.steps = o.whole("steps"), .min_lr = o.number("min_lr")});
  if (kind == "RestartedCosineLR")
    return of(CosineLROptions{
        .steps = o.whole("steps"), .min_lr = o.number("min_lr"), .restarts = true, .growth = o.whole("growth")});
  if (kind == "WarmupLR")
    return of(WarmupLROptions{.steps = o.whole("steps"), .start_factor = o.number("start_factor")});
  if (kind == "OneCycleLR")
    return of(OneCycleLROptions{.max_lr = o.number("max_lr"),
                                .steps = o.whole("steps"),
                                .warmup = o.number("warmup"),
                                .linear = o.whole("linear") != 0});
  if (kind == "PolynomialLR") return of(PolynomialLROptions{.steps = o.whole("steps"), .power = o.number("power")});
  if (kind == "InverseTimeLR") return of(InverseTimeLROptions{.decay = o.number("decay")});
  if (kind == "LambdaLR")
    return std::make_unique<LambdaLR>(optimizer, [](std::int64_t t) { return 1 + std::sin(static_cast<double>(t)); });
  if (kind == "ChainedLR")
    return std::make_unique<ChainedLR>(
        optimizer, std::vector<LrCurve>{WarmupLROptions{.steps = 20}, ExponentialLROptions{.gamma = .995},
                                        StepLROptions{.step = 300, .gamma = .5}});
  if (kind == "PlateauLR")
    return std::make_unique<PlateauLR>(optimizer, PlateauLROptions{.factor = o.number("factor"),
                                                                   .patience = o.whole("patience"),
                                                                   .threshold = o.number("threshold"),
                                                                   .absolute = o.whole("absolute") != 0,
                                                                   .larger_is_better = o.whole("larger") != 0,
                                                                   .cooldown = o.whole("cooldown"),
                                                                   .min_lr = o.number("min_lr")});
  throw ValueError("no schedule " + kind);
}

/// What PlateauLR is told after step t.
double metric(int t) { return 3 + std::sin(t / 20.) + std::exp(-t / 100.); }

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream request(line);
    std::string kind;
    request >> kind;
    const Tensor a = ones({1}, {.requires_grad = true}), b = ones({1}, {.requires_grad = true});
    optim::SGD optimizer{{{{a}, {.lr = .1}}, {{b}, {.lr = .02}}}};
    const auto schedule = make(kind, Options(request), optimizer);
    for (int t = 0; t <= 1000; ++t) {
      std::printf("%.17g %.17g ", schedule->lr(0), schedule->lr(1));
      if (auto* const plateau = dynamic_cast<optim::PlateauLR*>(schedule.get())) {
        plateau->step(metric(t));
      } else {
        schedule->step();
      }
    }
    std::printf("\n");
  }
}
