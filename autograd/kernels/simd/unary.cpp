#include <autograd/kernels/simd/elementwise.hpp>
#include <autograd/kernels/simd/exponentials.hpp>

/// The kernels of one argument whose products and sums are rounded one by one.
namespace xgrad::kernels::XGRAD_ISA {

void fill_unary(Table& t) { enter_all<false, Unary>(t); }

void logarithms(const double* x, double* y, Size n) { map<Batch<double>, double, Function<Unary::log>>(x, y, n); }

}  // namespace xgrad::kernels::XGRAD_ISA
