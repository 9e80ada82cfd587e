#include <optim/adagrad.hpp>
#include <optim/optimizers/plan.hpp>

namespace xgrad::optim {

using detail::Range;

static constexpr const char* moment_names[] = {nullptr, "sum_of_squares", nullptr};

Adagrad::Adagrad(std::vector<Tensor> parameters, AdagradOptions options, Place place)
    : Adagrad(std::vector<Group<AdagradOptions>>{{std::move(parameters), options}}, place) {}

Adagrad::Adagrad(std::vector<Group<AdagradOptions>> groups, Place place) : Optimizer("Adagrad", moment_names) {
  start(std::move(groups), options_, place);
}

std::vector<detail::Option> Adagrad::options(std::size_t group) {
  AdagradOptions& o = options_[group];
  return {{"lr", o.lr, Range::not_negative},
          {"lr_decay", o.lr_decay, Range::not_negative},
          {"weight_decay", o.weight_decay, Range::not_negative},
          {"initial_accumulator_value", o.initial_accumulator_value, Range::not_negative},
          {"eps", o.eps, Range::not_negative}};
}

detail::Plan Adagrad::plan(std::size_t group, std::int64_t step) const {
  const AdagradOptions& o = options_[group];
  kernels::OptimiserStep numbers{};
  numbers.lr = o.lr / (1 + static_cast<double>(step - 1) * o.lr_decay);
  numbers.weight_decay = o.weight_decay;
  numbers.eps = o.eps;
  return {.kernel = kernels::table().adagrad,
          .numbers = numbers,
          .uses = {false, true, false},
          .initial = o.initial_accumulator_value};
}

}  // namespace xgrad::optim
