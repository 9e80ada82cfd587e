#include <autograd/kernels/simd/elementwise.hpp>

namespace xgrad::kernels::XGRAD_ISA {

void fill_unary(Table& t) {
  fill_arithmetic(t);
  fill_transcendental(t);
  fill_activations(t);
  fill_double(t);
  fill_predicates(t);
  fill_casts(t);
}

}  // namespace xgrad::kernels::XGRAD_ISA
