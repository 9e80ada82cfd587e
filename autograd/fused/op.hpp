#pragma once
#include <autograd/kernels/rows.hpp>
#include <autograd/primitive.hpp>
#include <optional>

#pragma GCC visibility push(default)

/// The part of `fused` (autograd/fused.hpp) that knows of tensors, compiled once.
namespace xgrad::detail {

/// A fused function of N operands as it was compiled.
struct FusedFunction {
  struct Rows {
    void (*values)(const void* closure, const void* const* in, void* const* out, kernels::Size n);
    /// The N partial derivatives, each times the last operand, a cotangent.
    void (*partials)(const void* closure, const void* const* in, void* const* out, kernels::Size n);
    int lanes;
  };
  Rows rows[2];  // for f32 and f64
  /// The same function of tensors.
  Tensor (*of_tensors)(const void* closure, const Tensor* x);
  alignas(8) std::byte closure[sizeof kernels::RowFunction::closure];
};

/// The op of that function, for 1 to 6 inputs.
template <std::size_t N>
Tensor fused(const char* name, const FusedFunction& f, const OperandRef (&inputs)[N]);

/// In a fused function of tensors a choice between two numbers, which have no dtype of their own, has its inputs';
/// empty outside of one.
extern thread_local constinit std::optional<Dtype> dtype_of_numbers;

}  // namespace xgrad::detail
#pragma GCC visibility pop
