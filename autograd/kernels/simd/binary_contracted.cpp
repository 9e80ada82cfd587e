#include <autograd/kernels/simd/elementwise.hpp>

/// The kernels of two arguments in which compilers may round a * b + c once.
namespace xgrad::kernels::XGRAD_ISA {

void fill_binary_contracted(Table& t) { enter_all<true, Binary>(t); }

}  // namespace xgrad::kernels::XGRAD_ISA
