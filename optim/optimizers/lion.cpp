#include <optim/adam.hpp>
#include <optim/optimizers/elementwise.hpp>
#include <optim/optimizers/rule.hpp>

namespace xgrad::optim {

template <>
struct detail::Rule<LionOptions> {
  static constexpr const char* name = "Lion";
  static constexpr const char* moments[3] = {"mean", nullptr, nullptr};

  static std::vector<Option> options(LionOptions& o) {
    return {{"lr", o.lr, Range::not_negative},
            {"betas.first", o.betas.first, Range::below_one},
            {"betas.second", o.betas.second, Range::below_one},
            {"weight_decay", o.weight_decay, Range::not_negative},
            {"maximize", o.maximize}};
  }

  static Plan plan(const LionOptions& o, std::int64_t) {
    kernels::OptimiserStep numbers{};
    numbers.lr = o.lr;
    numbers.beta1 = o.betas.first;
    numbers.beta2 = o.betas.second;
    numbers.rate1 = 1 - o.lr * o.weight_decay;
    return {.kernel = elementwise<Rule>, .numbers = numbers, .uses = {true, false, false}};
  }

  template <class T>
  static void step(const Numbers<T>& o, T& p, T g, T& m) {
    const T c = o.beta1 * m + o.fresh1 * g;
    const T sign = T(c > 0) - T(c < 0) + (c - c);  // the last is NaN where c is
    p = o.rate1 * p - o.lr * sign;
    m = o.beta2 * m + o.fresh2 * g;
  }
};

template class OptimizerOf<LionOptions>;

}  // namespace xgrad::optim
