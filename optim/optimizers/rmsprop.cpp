#include <optim/optimizers/rule.hpp>
#include <optim/rmsprop.hpp>

namespace xgrad::optim {

template <>
struct detail::Rule<RMSpropOptions> {
  static constexpr const char* name = "RMSprop";
  static constexpr const char* moments[3] = {"momentum", "mean_square", "mean"};

  static std::vector<Option> options(RMSpropOptions& o) {
    return {{"lr", o.lr, Range::not_negative},
            {"alpha", o.alpha, Range::below_one},
            {"eps", o.eps, Range::not_negative},
            {"weight_decay", o.weight_decay, Range::not_negative},
            {"momentum", o.momentum, Range::not_negative},
            {"centered", o.centered},
            {"maximize", o.maximize}};
  }

  static Plan plan(const RMSpropOptions& o, std::int64_t) {
    kernels::OptimiserStep numbers{};
    numbers.lr = o.lr;
    numbers.beta1 = o.alpha;
    numbers.eps = o.eps;
    numbers.weight_decay = o.weight_decay;
    numbers.momentum = o.momentum;
    numbers.centred = o.centered;
    return {.kernel = kernels::table().rmsprop, .numbers = numbers, .uses = {o.momentum != 0, true, o.centered}};
  }
};

template class OptimizerOf<RMSpropOptions>;

}  // namespace xgrad::optim
