#include <algorithm>
#include <autograd/core/capturing.hpp>
#include <autograd/ops.hpp>
#include <autograd/primitive.hpp>

/// The ops of remainders, rounded quotients and bits.
namespace xgrad {

using kernels::Binary, kernels::Bitwise;

namespace {

void check_no_zero(const std::int64_t* at, std::int64_t n) {
  const std::int64_t* const zero = std::find(at, at + n, 0);
  if (zero != at + n)
    detail::fail<ValueError>("the divisor is 0 at position ", zero - at, "; integers have no infinity");
}

/// Throws ValueError where an integer would be divided by 0, in replays too.
void check_divisor(const OpScope& scope, const Operand& a, const Operand& b) {
  if (b.is_number()) {
    if (!a.is_number() && a.dtype() == i64 && b.number().real() == 0)
      scope.fail<ValueError>("the divisor is 0; integers have no infinity");
  } else if (b.dtype() == i64) {
    capturing::keep(b.tensor());
    capturing::repeat(check_no_zero, b.array().data<std::int64_t>(), b.size());
  }
}

/// An op y = a - n b: the whole number n is (a - y) / b, but for its rounding.
Tensor without_multiples(const char* name, const Operand& a, const Operand& b, Binary kernel) {
  const OpScope scope(name, a.place());
  check_divisor(scope, a, b);
  return elementwise(
      name, {a, b}, kernel,  //
      [](const Tensor& g) { return g; },
      [a = Saved(a), b = Saved(b)](const Tensor& g, const Tensor& y) { return -(g * round((a - y) / b)); });
}

}  // namespace

Tensor remainder(const Operand& a, const Operand& b) { return without_multiples("remainder", a, b, Binary::remainder); }
Tensor operator%(const Operand& a, const Operand& b) { return remainder(a, b); }
Tensor fmod(const Operand& a, const Operand& b) { return without_multiples("fmod", a, b, Binary::fmod); }

Tensor floor_divide(const Operand& a, const Operand& b) {
  const OpScope scope("floor_divide", a.place());
  check_divisor(scope, a, b);
  return elementwise("floor_divide", {a, b}, Binary::floor_divide, zero_rule, zero_rule);
}

Tensor operator&(const Operand& a, const Operand& b) { return bitwise("bitwise_and", a, b, Bitwise::bitwise_and); }
Tensor operator|(const Operand& a, const Operand& b) { return bitwise("bitwise_or", a, b, Bitwise::bitwise_or); }
Tensor operator^(const Operand& a, const Operand& b) { return bitwise("bitwise_xor", a, b, Bitwise::bitwise_xor); }

Tensor operator~(const Operand& x) {
  const OpScope scope("bitwise_not", x.place());
  return bitwise("bitwise_not", x, Operand(x.dtype() == boolean ? 1 : -1, x.place().file, x.place().line),
                 Bitwise::bitwise_xor);
}

}  // namespace xgrad
