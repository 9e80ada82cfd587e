#include <autograd/kernels/simd/elementwise.hpp>
#include <autograd/kernels/simd/power.hpp>

namespace xgrad::kernels::XGRAD_ISA {

void fill_binary_transcendental(Table& t) {
  batched_f32(t, Binary::pow, [](auto a, auto b) { return math::pow(a, b); });
  one_by_one(t, Binary::atan2, [](auto a, auto b) { return std::atan2(math::as_it_counts(a), math::as_it_counts(b)); });
}

}  // namespace xgrad::kernels::XGRAD_ISA
