#include <cmath>
#include <optim/adagrad.hpp>
#include <optim/optimizers/elementwise.hpp>
#include <optim/optimizers/rule.hpp>

namespace xgrad::optim {

template <>
struct detail::Rule<AdadeltaOptions> {
  static constexpr const char* name = "Adadelta";
  static constexpr const char* moments[3] = {"mean_square_step", "mean_square", nullptr};

  static std::vector<Option> options(AdadeltaOptions& o) {
    return {{"lr", o.lr, Range::not_negative},
            {"rho", o.rho, Range::below_one},
            {"eps", o.eps, Range::not_negative},
            {"weight_decay", o.weight_decay, Range::not_negative},
            {"maximize", o.maximize}};
  }

  static Plan plan(const AdadeltaOptions& o, std::int64_t) {
    kernels::OptimiserStep numbers{};
    numbers.lr = o.lr;
    numbers.weight_decay = o.weight_decay;
    numbers.beta2 = o.rho;
    numbers.eps = o.eps;
    return {.kernel = elementwise<Rule>, .numbers = numbers, .uses = {true, true, false}};
  }

  template <class T>
  static void step(const Numbers<T>& o, T& p, T grad, T& d, T& v) {
    const T g = grad + o.weight_decay * p;
    v = o.beta2 * v + o.fresh2 * g * g;
    const T step = std::sqrt(d + o.eps) / std::sqrt(v + o.eps) * g;
    d = o.beta2 * d + o.fresh2 * step * step;
    p -= o.lr * step;
  }
};

template class OptimizerOf<AdadeltaOptions>;

}  // namespace xgrad::optim
