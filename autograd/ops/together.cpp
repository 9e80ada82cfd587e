#include <autograd/ops/together.hpp>

/// What ops check of several operands.
namespace xgrad {

void check_dtypes(std::initializer_list<Named> operands) {
  const Named* first = nullptr;
  for (const Named& next : operands) {
    if (next.operand.is_number()) continue;
    if (!first) first = &next;
    const Dtype dtype = first->operand.dtype();
    if (next.operand.dtype() != dtype)
      detail::fail<DtypeError>(first->name, " is ", name_of(dtype), ", ", next.name, " is ",
                               name_of(next.operand.dtype()), "; convert one with .to(...)");
  }
}

void check_together(std::initializer_list<Named> operands) {
  check_dtypes(operands);
  Shape all;
  for (const Named& next : operands) {
    const Shape before = all;
    if (next.operand.is_number() || broadcast(before, next.operand.shape(), all)) continue;
    std::string shapes;
    for (const auto& [name, operand] : operands)
      if (!operand.is_number()) shapes += text(shapes.empty() ? "" : ", ", name, " is ", operand.shape());
    detail::fail<ShapeError>("shapes do not broadcast: ", shapes,
                             "; sizes must agree or be 1, counted from the last axis");
  }
}

}  // namespace xgrad
