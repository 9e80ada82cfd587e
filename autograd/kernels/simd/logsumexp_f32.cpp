#include <autograd/kernels/simd/logsumexp.hpp>

namespace xgrad::kernels::XGRAD_ISA {

void fill_logsumexp_f32(Table& t) { logsumexp::fill<float>(t, f32); }

}  // namespace xgrad::kernels::XGRAD_ISA
