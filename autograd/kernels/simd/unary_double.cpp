#include <autograd/kernels/simd/elementwise.hpp>
#include <autograd/kernels/simd/exponentials.hpp>

namespace xgrad::kernels::XGRAD_ISA {

void fill_double(Table& t) {
  using K = Unary;
  using V = Batch<double>;
  set<V>(t, K::exp, f64, [](V x) { return math::exp(x); });
  set<V>(t, K::log, f64, [](V x) { return math::log(x); });
  set<V>(t, K::sigmoid, f64, [](V x) { return math::sigmoid(x); });
  set<V>(t, K::silu, f64, [](V x) { return math::silu(x); });
}

void logarithms(const double* x, double* y, Size n) {
  map<Batch<double>, double, decltype([](Batch<double> v) { return math::log(v); })>(x, y, n);
}

}  // namespace xgrad::kernels::XGRAD_ISA
