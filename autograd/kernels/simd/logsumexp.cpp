#include <autograd/kernels/simd/logsumexp.hpp>

namespace xgrad::kernels::XGRAD_ISA {

void fill_logsumexp(Table& t) { logsumexp::fill<double>(t, f64); }

}  // namespace xgrad::kernels::XGRAD_ISA
