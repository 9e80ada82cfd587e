#pragma once
#include <autograd/gradcheck/gradchecker.hpp>

/// Names the mistake that a wrong derivative looks like.
namespace xgrad::checking {

/// The derivative of an op's output by one input, as its rule gives it and as differences do: what is known of the two
/// Jacobians, of shape (output, input).
struct Block {
  Shape output, input;
  std::vector<std::int64_t> elements;  // of the input, ascending: those whose differences are known and reliable
  std::vector<Numbers> columns;        // for each of them, the numeric derivatives of all outputs; may be missing
  std::vector<Numbers> cotangents;     // random
  std::vector<Numbers> analytic;       // for each cotangent, the vjp
  std::vector<Numbers> numeric;        // for each cotangent, the vjp at the known elements
  std::vector<Numbers> errors;         // of these
  double rtol;
  bool alone;  // whether only one element is wrong

  bool complete() const { return static_cast<std::int64_t>(elements.size()) == input.size(); }
};

struct Pattern {
  std::string name, hint;
  bool certain = true;  // false: none, or a factor that may be any number
};
/// What the analytic derivative is to the numeric one.
Pattern recognise(const Block& block);

}  // namespace xgrad::checking
