#include <optim/adagrad.hpp>
#include <optim/optimizers/rule.hpp>

namespace xgrad::optim {

template <>
struct detail::Rule<AdagradOptions> {
  static constexpr const char* name = "Adagrad";
  static constexpr const char* moments[3] = {nullptr, "sum_of_squares", nullptr};

  static std::vector<Option> options(AdagradOptions& o) {
    return {{"lr", o.lr, Range::not_negative},
            {"lr_decay", o.lr_decay, Range::not_negative},
            {"weight_decay", o.weight_decay, Range::not_negative},
            {"initial_accumulator_value", o.initial_accumulator_value, Range::not_negative},
            {"eps", o.eps, Range::not_negative},
            {"maximize", o.maximize}};
  }

  static Plan plan(const AdagradOptions& o, std::int64_t step) {
    kernels::OptimiserStep numbers{};
    numbers.lr = o.lr / (1 + static_cast<double>(step - 1) * o.lr_decay);
    numbers.weight_decay = o.weight_decay;
    numbers.eps = o.eps;
    return {.kernel = kernels::table().adagrad,
            .numbers = numbers,
            .uses = {false, true, false},
            .initial = o.initial_accumulator_value,
            .by_rows = o.weight_decay == 0};
  }
};

template class OptimizerOf<AdagradOptions>;

}  // namespace xgrad::optim
