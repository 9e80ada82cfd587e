#include <optim/optimizers/plan.hpp>
#include <optim/rmsprop.hpp>

namespace xgrad::optim {

using detail::Range;

static constexpr const char* moment_names[] = {"momentum", "mean_square", "mean"};

RMSprop::RMSprop(std::vector<Tensor> parameters, RMSpropOptions options, Place place)
    : RMSprop(std::vector<Group<RMSpropOptions>>{{std::move(parameters), options}}, place) {}

RMSprop::RMSprop(std::vector<Group<RMSpropOptions>> groups, Place place) : Optimizer("RMSprop", moment_names) {
  start(std::move(groups), options_, place);
}

std::vector<detail::Option> RMSprop::options(std::size_t group) {
  RMSpropOptions& o = options_[group];
  return {{"lr", o.lr, Range::not_negative},
          {"alpha", o.alpha, Range::below_one},
          {"eps", o.eps, Range::not_negative},
          {"weight_decay", o.weight_decay, Range::not_negative},
          {"momentum", o.momentum, Range::not_negative},
          {"centered", o.centered}};
}

detail::Plan RMSprop::plan(std::size_t group, std::int64_t) const {
  const RMSpropOptions& o = options_[group];
  kernels::OptimiserStep numbers{};
  numbers.lr = o.lr;
  numbers.beta1 = o.alpha;
  numbers.eps = o.eps;
  numbers.weight_decay = o.weight_decay;
  numbers.momentum = o.momentum;
  numbers.centred = o.centered;
  return {.kernel = kernels::table().rmsprop, .numbers = numbers, .uses = {o.momentum != 0, true, o.centered}};
}

}  // namespace xgrad::optim
