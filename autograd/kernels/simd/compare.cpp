#include <autograd/kernels/simd/elementwise.hpp>

/// The kernels of comparisons and of logical functions of two arguments.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

template <class T, class F>
void set(Table& t, Compare k, Dtype d, F) {
  t.compare[int(k)][int(d)] = map2<T, Byte, F>;
}
template <class F>
void all(Table& t, Compare k, F f) {
  set<float>(t, k, f32, f);
  set<double>(t, k, f64, f);
  set<Signed>(t, k, i64, f);
  set<Byte>(t, k, boolean, f);
}

}  // namespace

void fill_compare(Table& t) {
  using K = Compare;
  all(t, K::equal, [](auto a, auto b) { return Byte(a == b); });
  all(t, K::not_equal, [](auto a, auto b) { return Byte(a != b); });
  all(t, K::less, [](auto a, auto b) { return Byte(a < b); });
  all(t, K::less_equal, [](auto a, auto b) { return Byte(a <= b); });
  all(t, K::greater, [](auto a, auto b) { return Byte(a > b); });
  all(t, K::greater_equal, [](auto a, auto b) { return Byte(a >= b); });
  all(t, K::logical_and, [](auto a, auto b) { return Byte((a != 0) & (b != 0)); });
  all(t, K::logical_or, [](auto a, auto b) { return Byte((a != 0) | (b != 0)); });
  all(t, K::logical_xor, [](auto a, auto b) { return Byte((a != 0) ^ (b != 0)); });
}

}  // namespace xgrad::kernels::XGRAD_ISA
