#pragma once
#include <autograd/tensor.hpp>
#include <functional>
#include <string>
#include <vector>

/// Random programs whose gradients are right, for planting faults into.
namespace xgrad::mutations {

using Tensors = std::vector<Tensor>;

/// One call. Its ops are at the line `number of the step` of the file "program".
struct Step {
  std::vector<int> arguments;  // the program's inputs come first, then the steps' results
  std::function<Tensor(const std::vector<Operand>& arguments)> run;
};

/// A straight line of steps; the last one's result is the program's.
struct Program {
  Tensors inputs;
  std::vector<Step> steps;

  Tensor operator()(const Tensors& x) const;
  /// The same; `values` holds x and then the results so far, while it runs.
  Tensor run(const Tensors& x, Tensors& values) const;
  /// How many ops it runs; a step may run several.
  int ops() const;
  /// What the step makes of its arguments among these values.
  Tensor run_step(std::size_t step, const Tensors& values) const;
};

/// A program of 5 to 30 ops on two to four f64 inputs, made of most differentiable ops and some losses and layers.
/// Every result is used, numbers stay of the order of 1, and kinks, ties and poles are far from the point. The same for
/// the same seed.
Program random_program(std::uint64_t seed);

/// A short program whose middle has 10^4 elements, its inputs and outputs few.
Program wide_program(std::uint64_t seed);

}  // namespace xgrad::mutations
