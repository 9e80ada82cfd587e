#pragma once
#include <autograd/core/capturing.hpp>
#include <autograd/ops.hpp>
#include <nn/losses.hpp>

/// What the losses share: strict shapes, checks of values, and the reduction.
namespace xgrad::nn::detail {

/// Throws unless both have one shape and one floating dtype. The names are those of the messages.
void check_pair(const OpScope& scope, const Operand& y, const Operand& t, const char* y_name = "the prediction",
                const char* t_name = "the target");

/// The first element for which a check failed.
struct Invalid {
  double value;
  std::int64_t position;
  Shape shape;
};

template <class T, class Valid>
void check_numbers(const T* x, const Shape& shape, void (*fail)(const Invalid&)) {
  const std::int64_t n = shape.size();
  int invalid = 0;  // no bool and no early exit, so that the compiler makes it a SIMD loop
  for (std::int64_t i = 0; i < n; ++i) invalid |= !Valid()(x[i]);
  for (std::int64_t i = 0; invalid && i < n; ++i)
    if (!Valid()(x[i])) fail({static_cast<double>(x[i]), i, shape});
}

/// Calls `fail`, which throws, with the first element for which `valid`, a lambda without captures that takes both
/// float and double, is false. Checks again in each replay of a captured step.
template <class Valid>
void check_elements(const Tensor& t, Valid, void (*fail)(const Invalid&)) {
  capturing::keep(t);
  if (t.dtype() == f32) {
    capturing::repeat(check_numbers<float, Valid>, t.data<float>(), t.shape(), fail);
  } else {
    capturing::repeat(check_numbers<double, Valid>, t.data<double>(), t.shape(), fail);
  }
}

/// Throws unless all elements are in [0, 1].
void check_prediction_in_unit_interval(const Tensor& t);
void check_target_in_unit_interval(const Tensor& t);

/// Throws unless all elements are -1 or 1.
void check_target_is_sign(const Tensor& t);
/// Whether a tensor of `from` broadcasts to `to`, without making it larger.
bool fits_into(const Shape& from, const Shape& to);

/// weight * loss, reduced.
Tensor reduced(const OpScope& scope, Tensor loss, Reduction reduction, const Tensor& weight);

}  // namespace xgrad::nn::detail
