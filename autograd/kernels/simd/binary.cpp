#include <autograd/kernels/simd/elementwise.hpp>

/// The kernels of two arguments whose products and sums are rounded one by one.
namespace xgrad::kernels::XGRAD_ISA {

void fill_binary(Table& t) { enter_all<false, Binary>(t); }

}  // namespace xgrad::kernels::XGRAD_ISA
