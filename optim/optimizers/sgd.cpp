#include <optim/optimizers/plan.hpp>
#include <optim/sgd.hpp>

namespace xgrad::optim {

using detail::Range;

static constexpr const char* moment_names[] = {"momentum", nullptr, nullptr};

SGD::SGD(std::vector<Tensor> parameters, SGDOptions options, Place place)
    : SGD(std::vector<Group<SGDOptions>>{{std::move(parameters), options}}, place) {}

SGD::SGD(std::vector<Group<SGDOptions>> groups, Place place) : Optimizer("SGD", moment_names) {
  start(std::move(groups), options_, place);
}

std::vector<detail::Option> SGD::options(std::size_t group) {
  SGDOptions& o = options_[group];
  return {{"lr", o.lr, Range::not_negative},
          {"momentum", o.momentum, Range::not_negative},
          {"dampening", o.dampening, Range::finite},
          {"weight_decay", o.weight_decay, Range::not_negative},
          {"nesterov", o.nesterov}};
}

std::string SGD::conflict(std::size_t group) const {
  const SGDOptions& o = options_[group];
  if (!o.nesterov || (o.momentum > 0 && o.dampening == 0)) return {};
  return text("nesterov needs a momentum and no dampening; momentum is ", o.momentum, ", dampening is ", o.dampening);
}

detail::Plan SGD::plan(std::size_t group, std::int64_t step) const {
  const SGDOptions& o = options_[group];
  kernels::OptimiserStep numbers{};
  numbers.lr = o.lr;
  numbers.weight_decay = o.weight_decay;
  numbers.momentum = o.momentum;
  numbers.dampening = o.dampening;
  numbers.nesterov = o.nesterov;
  numbers.first = step == 1;
  return {.kernel = kernels::table().sgd, .numbers = numbers, .uses = {o.momentum != 0, false, false}};
}

}  // namespace xgrad::optim
