#pragma once
#include <autograd/kernels/table.hpp>
#include <optim/optimizers/optimizer_of.hpp>

/// What tells an optimiser from others. A source specialises Rule for its options and instantiates OptimizerOf:
///
///   name          as messages call it
///   moments       the names of what it keeps for each parameter, for the kernel's m, v and w
///   options(o)    each option with its name and range, the learning rate first
///   conflict(o)   why options contradict each other, empty if they do not; may be left out
///   plan(o, t)    the kernel and its numbers at a parameter's step t, counted from 1
namespace xgrad::optim {

namespace detail {

struct Plan {
  const kernels::Table::OptimiserFn* kernel;  // by dtype
  kernels::OptimiserStep numbers;
  bool uses[3];          // which moments
  double initial = 0;    // what the moments start from
  bool by_rows = false;  // rows of zeros in a gradient of rows are left as they are, moments included
};

template <class Options>
struct Rule;

}  // namespace detail

template <class Options>
OptimizerOf<Options>::OptimizerOf(std::vector<Tensor> parameters, Options options, Place place)
    : OptimizerOf(std::vector<Group<Options>>{{std::move(parameters), options}}, place) {}

template <class Options>
OptimizerOf<Options>::OptimizerOf(std::vector<Group<Options>> groups, Place place)
    : KernelOptimizer(detail::Rule<Options>::name, detail::Rule<Options>::moments) {
  start(std::move(groups), options_, place);
}

template <class Options>
std::vector<detail::Option> OptimizerOf<Options>::options(std::size_t group) {
  return detail::Rule<Options>::options(options_[group]);
}

template <class Options>
std::string OptimizerOf<Options>::conflict(std::size_t group) const {
  if constexpr (requires { detail::Rule<Options>::conflict(options_[group]); }) {
    return detail::Rule<Options>::conflict(options_[group]);
  } else {
    return {};
  }
}

template <class Options>
detail::Plan OptimizerOf<Options>::plan(std::size_t group, std::int64_t step) const {
  return detail::Rule<Options>::plan(options_[group], step);
}

}  // namespace xgrad::optim
