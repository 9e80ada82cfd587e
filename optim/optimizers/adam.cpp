#include <cmath>
#include <optim/adam.hpp>
#include <optim/optimizers/rule.hpp>

namespace xgrad::optim {
namespace {

/// What Adam and AdamW share: all but the way of the decay.
template <class Options, bool decoupled>
struct AdamRule {
  static constexpr const char* moments[3] = {"mean", "mean_square", "largest_mean_square"};

  static std::vector<detail::Option> options(Options& o) {
    using detail::Range;
    return {{"lr", o.lr, Range::not_negative},
            {"betas.first", o.betas.first, Range::below_one},
            {"betas.second", o.betas.second, Range::below_one},
            {"eps", o.eps, Range::not_negative},
            {"weight_decay", o.weight_decay, Range::not_negative},
            {"amsgrad", o.amsgrad},
            {"maximize", o.maximize}};
  }

  static detail::Plan plan(const Options& o, std::int64_t step) {
    const double t = static_cast<double>(step);
    kernels::OptimiserStep numbers{};
    numbers.lr = o.lr;
    numbers.weight_decay = o.weight_decay;
    numbers.beta1 = o.betas.first;
    numbers.beta2 = o.betas.second;
    numbers.eps = o.eps;
    numbers.rate1 = o.lr / (1 - std::pow(o.betas.first, t));
    numbers.rate2 = 1 / std::sqrt(1 - std::pow(o.betas.second, t));
    numbers.decoupled = decoupled;
    numbers.amsgrad = o.amsgrad;
    return {.kernel = kernels::table().adam,
            .numbers = numbers,
            .uses = {true, true, o.amsgrad},
            .by_rows = o.weight_decay == 0};
  }
};

}  // namespace

template <>
struct detail::Rule<AdamOptions> : AdamRule<AdamOptions, false> {
  static constexpr const char* name = "Adam";
};
template <>
struct detail::Rule<AdamWOptions> : AdamRule<AdamWOptions, true> {
  static constexpr const char* name = "AdamW";
};

template class OptimizerOf<AdamOptions>;
template class OptimizerOf<AdamWOptions>;

}  // namespace xgrad::optim
