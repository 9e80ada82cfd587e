#include <autograd/kernels/simd/elementwise.hpp>

/// The kernels that convert elements to another dtype.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

template <class To, class From>
To convert(From x) {
  return static_cast<To>(x);
}
/// Truncates; what lies outside i64 becomes the nearest that does not, NaN 0.
template <class From>
Signed to_signed(From x) {
  constexpr From limit = From(9223372036854775808.0);  // 2^63
  constexpr Signed largest = 0x7fffffffffffffff;
  return x >= limit ? largest : x < -limit ? -largest - 1 : x == x ? Signed(x) : 0;
}

template <class From, class To>
void set(Table& t, Dtype from, Dtype to) {
  const auto f = [](From x) {
    if constexpr (std::is_same_v<To, Byte>)
      return Byte(x != 0);
    else if constexpr (std::is_same_v<To, Signed> && std::is_floating_point_v<From>)
      return to_signed(x);
    else
      return convert<To>(x);
  };
  t.cast[int(from)][int(to)] = map<From, To, std::remove_const_t<decltype(f)>>;
}

template <class From>
void set_all(Table& t, Dtype from) {
  set<From, float>(t, from, f32);
  set<From, double>(t, from, f64);
  set<From, Signed>(t, from, i64);
  set<From, Byte>(t, from, boolean);
}

}  // namespace

void fill_casts(Table& t) {
  set_all<float>(t, f32);
  set_all<double>(t, f64);
  set_all<Signed>(t, i64);
  set_all<Byte>(t, boolean);
}

}  // namespace xgrad::kernels::XGRAD_ISA
