#include <cmath>
#include <optim/adam.hpp>
#include <optim/optimizers/plan.hpp>

namespace xgrad::optim {
namespace {

using detail::Range;

constexpr const char* moment_names[] = {"mean", "mean_square", "largest_mean_square"};

template <class Options>
std::vector<detail::Option> listed(Options& o) {
  return {{"lr", o.lr, Range::not_negative},
          {"betas.first", o.betas.first, Range::below_one},
          {"betas.second", o.betas.second, Range::below_one},
          {"eps", o.eps, Range::not_negative},
          {"weight_decay", o.weight_decay, Range::not_negative},
          {"amsgrad", o.amsgrad}};
}

template <class Options>
detail::Plan planned(const Options& o, std::int64_t step, bool decoupled) {
  const double t = static_cast<double>(step);
  kernels::OptimiserStep numbers{};
  numbers.lr = o.lr;
  numbers.weight_decay = o.weight_decay;
  numbers.beta1 = o.betas.first;
  numbers.beta2 = o.betas.second;
  numbers.eps = o.eps;
  numbers.rate1 = o.lr / (1 - std::pow(o.betas.first, t));
  numbers.rate2 = 1 / std::sqrt(1 - std::pow(o.betas.second, t));
  numbers.decoupled = decoupled;
  numbers.amsgrad = o.amsgrad;
  return {.kernel = kernels::table().adam, .numbers = numbers, .uses = {true, true, o.amsgrad}};
}

}  // namespace

Adam::Adam(std::vector<Tensor> parameters, AdamOptions options, Place place)
    : Adam(std::vector<Group<AdamOptions>>{{std::move(parameters), options}}, place) {}
Adam::Adam(std::vector<Group<AdamOptions>> groups, Place place) : Optimizer("Adam", moment_names) {
  start(std::move(groups), options_, place);
}
std::vector<detail::Option> Adam::options(std::size_t group) { return listed(options_[group]); }
detail::Plan Adam::plan(std::size_t group, std::int64_t step) const { return planned(options_[group], step, false); }

AdamW::AdamW(std::vector<Tensor> parameters, AdamWOptions options, Place place)
    : AdamW(std::vector<Group<AdamWOptions>>{{std::move(parameters), options}}, place) {}
AdamW::AdamW(std::vector<Group<AdamWOptions>> groups, Place place) : Optimizer("AdamW", moment_names) {
  start(std::move(groups), options_, place);
}
std::vector<detail::Option> AdamW::options(std::size_t group) { return listed(options_[group]); }
detail::Plan AdamW::plan(std::size_t group, std::int64_t step) const { return planned(options_[group], step, true); }

}  // namespace xgrad::optim
