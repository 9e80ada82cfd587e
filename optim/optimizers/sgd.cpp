#include <optim/optimizers/rule.hpp>
#include <optim/sgd.hpp>

namespace xgrad::optim {

template <>
struct detail::Rule<SGDOptions> {
  static constexpr const char* name = "SGD";
  static constexpr const char* moments[3] = {"momentum", nullptr, nullptr};

  static std::vector<Option> options(SGDOptions& o) {
    return {{"lr", o.lr, Range::not_negative},
            {"momentum", o.momentum, Range::not_negative},
            {"dampening", o.dampening, Range::finite},
            {"weight_decay", o.weight_decay, Range::not_negative},
            {"nesterov", o.nesterov},
            {"maximize", o.maximize}};
  }

  static std::string conflict(const SGDOptions& o) {
    if (!o.nesterov || (o.momentum > 0 && o.dampening == 0)) return {};
    return text("nesterov needs a momentum and no dampening; momentum is ", o.momentum, ", dampening is ", o.dampening);
  }

  static Plan plan(const SGDOptions& o, std::int64_t step) {
    kernels::OptimiserStep numbers{};
    numbers.lr = o.lr;
    numbers.weight_decay = o.weight_decay;
    numbers.momentum = o.momentum;
    numbers.dampening = o.dampening;
    numbers.nesterov = o.nesterov;
    numbers.first = step == 1;
    return {.kernel = kernels::table().sgd,
            .numbers = numbers,
            .uses = {o.momentum != 0, false, false},
            .by_rows = o.momentum == 0 && o.weight_decay == 0};
  }
};

template class OptimizerOf<SGDOptions>;

}  // namespace xgrad::optim
