#include <cmath>
#include <optim/adam.hpp>
#include <optim/optimizers/elementwise.hpp>
#include <optim/optimizers/rule.hpp>

namespace xgrad::optim {

template <>
struct detail::Rule<NAdamOptions> {
  static constexpr const char* name = "NAdam";
  static constexpr const char* moments[3] = {"mean", "mean_square", nullptr};

  static std::vector<Option> options(NAdamOptions& o) {
    return {{"lr", o.lr, Range::not_negative},
            {"betas.first", o.betas.first, Range::below_one},
            {"betas.second", o.betas.second, Range::below_one},
            {"eps", o.eps, Range::not_negative},
            {"weight_decay", o.weight_decay, Range::not_negative},
            {"momentum_decay", o.momentum_decay, Range::not_negative},
            {"maximize", o.maximize}};
  }

  static Plan plan(const NAdamOptions& o, std::int64_t step) {
    const auto [mu, next, product] = momenta(o, step);
    kernels::OptimiserStep numbers{};
    numbers.weight_decay = o.weight_decay;
    numbers.beta1 = o.betas.first;
    numbers.beta2 = o.betas.second;
    numbers.eps = o.eps;
    numbers.rate1 = o.lr * (1 - mu) / (1 - product);
    numbers.momentum = o.lr * next / (1 - product * next);
    numbers.rate2 = 1 / std::sqrt(1 - std::pow(o.betas.second, static_cast<double>(step)));
    return {.kernel = elementwise<Rule>, .numbers = numbers, .uses = {true, true, false}};
  }

  template <class T>
  static void step(const Numbers<T>& o, T& p, T grad, T& m, T& v) {
    const T g = grad + o.weight_decay * p;
    m = o.beta1 * m + o.fresh1 * g;
    v = o.beta2 * v + o.fresh2 * g * g;
    p -= (o.rate1 * g + o.momentum * m) / (std::sqrt(v) * o.rate2 + o.eps);
  }

 private:
  struct Momenta {
    double mu, next, product;
  };
  /// mu_t, mu_(t+1), and the product of the mu_i up to t, which soon is too small to matter.
  static Momenta momenta(const NAdamOptions& o, std::int64_t step) {
    const auto mu = [&](double power) { return o.betas.first * (1 - 0.5 * power); };
    const double factor = std::pow(0.96, o.momentum_decay);
    double power = 1, product = 1;
    for (std::int64_t i = 0; i < step && product > 1e-20; ++i) product *= mu(power *= factor);
    power = std::pow(factor, static_cast<double>(step));
    return {mu(power), mu(power * factor), product};
  }
};

template class OptimizerOf<NAdamOptions>;

}  // namespace xgrad::optim
