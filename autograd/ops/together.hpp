#pragma once
#include <autograd/ops.hpp>
#include <initializer_list>

/// What ops check of operands that have other names than a and b, or that reach another op in another order or shape.
namespace xgrad {

/// An operand, and what the op calls it.
struct Named {
  const char* name;
  const Operand& operand;
};

/// Throws unless those that are tensors have one dtype, and in check_together shapes that broadcast against one
/// another.
void check_dtypes(std::initializer_list<Named> operands);
void check_together(std::initializer_list<Named> operands);

}  // namespace xgrad
