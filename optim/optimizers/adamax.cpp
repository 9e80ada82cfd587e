#include <cmath>
#include <optim/adam.hpp>
#include <optim/optimizers/elementwise.hpp>
#include <optim/optimizers/rule.hpp>

namespace xgrad::optim {

template <>
struct detail::Rule<AdamaxOptions> {
  static constexpr const char* name = "Adamax";
  static constexpr const char* moments[3] = {"mean", "largest", nullptr};

  static std::vector<Option> options(AdamaxOptions& o) {
    return {{"lr", o.lr, Range::not_negative},
            {"betas.first", o.betas.first, Range::below_one},
            {"betas.second", o.betas.second, Range::below_one},
            {"eps", o.eps, Range::not_negative},
            {"weight_decay", o.weight_decay, Range::not_negative},
            {"maximize", o.maximize}};
  }

  static Plan plan(const AdamaxOptions& o, std::int64_t step) {
    kernels::OptimiserStep numbers{};
    numbers.weight_decay = o.weight_decay;
    numbers.beta1 = o.betas.first;
    numbers.beta2 = o.betas.second;
    numbers.eps = o.eps;
    numbers.rate1 = o.lr / (1 - std::pow(o.betas.first, static_cast<double>(step)));
    return {.kernel = elementwise<Rule>, .numbers = numbers, .uses = {true, true, false}};
  }

  template <class T>
  static void step(const Numbers<T>& o, T& p, T grad, T& m, T& u) {
    const T g = grad + o.weight_decay * p;
    m = o.beta1 * m + o.fresh1 * g;
    const T before = o.beta2 * u, now = std::abs(g) + o.eps;
    u = before > now ? before : now;
    p -= o.rate1 * m / u;
  }
};

template class OptimizerOf<AdamaxOptions>;

}  // namespace xgrad::optim
