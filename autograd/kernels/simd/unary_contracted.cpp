#include <autograd/kernels/simd/elementwise.hpp>

/// The kernels of one argument in which compilers may round a * b + c once.
namespace xgrad::kernels::XGRAD_ISA {

void fill_unary_contracted(Table& t) { enter_all<true, Unary>(t); }

}  // namespace xgrad::kernels::XGRAD_ISA
