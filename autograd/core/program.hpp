#pragma once
#include <autograd/support/function_ref.hpp>
#include <autograd/tensor.hpp>

#pragma GCC visibility push(default)

namespace xgrad::detail {

/// What is to be watched while it runs.
using Program = FunctionRef<Tensor()>;

}  // namespace xgrad::detail
#pragma GCC visibility pop
