#include <autograd/kernels/simd/elementwise.hpp>

/// The kernels of one argument whose result is boolean.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

template <class T, class F>
void set(Table& t, Predicate k, Dtype d, F) {
  t.predicate[int(k)][int(d)] = map<T, Byte, F>;
}
template <class F>
void floating(Table& t, Predicate k, F f) {
  set<float>(t, k, f32, f);
  set<double>(t, k, f64, f);
}
template <class F>
void integral(Table& t, Predicate k, F f) {
  set<Signed>(t, k, i64, f);
  set<Byte>(t, k, boolean, f);
}

}  // namespace

void fill_predicates(Table& t) {
  using K = Predicate;
  floating(t, K::isnan, [](auto x) { return Byte(x != x); });
  integral(t, K::isnan, [](auto) { return Byte(0); });
  floating(t, K::isfinite, [](auto x) { return Byte(x - x == 0); });
  integral(t, K::isfinite, [](auto) { return Byte(1); });
  floating(t, K::logical_not, [](auto x) { return Byte(x == 0); });
  integral(t, K::logical_not, [](auto x) { return Byte(x == 0); });
}

}  // namespace xgrad::kernels::XGRAD_ISA
