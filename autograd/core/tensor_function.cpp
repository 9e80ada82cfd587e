#include <autograd/core/tensor_function.hpp>

// Checks that a user's function takes as many tensors as it is given.
namespace xgrad {

void detail::TensorFunction::check_takes(const OpScope& scope, std::size_t count) const {
  if (arities_ == ~0u || (count <= 6 && (arities_ >> count & 1))) return;
  std::string taken;
  for (unsigned n = 1; n <= 6; ++n)
    if (arities_ >> n & 1) taken += text(taken.empty() ? "" : " or ", n);
  scope.fail<ValueError>("f does not take ", count, count == 1 ? " tensor" : " tensors", ", it takes ", taken,
                         "; give as many inputs, or let f take a const std::vector<Tensor>&");
}

}  // namespace xgrad
