#include <autograd/kernels/simd/elementwise.hpp>

/// The kernels of bits, and what of arithmetic is defined for booleans: sums and maxima are "or", products and minima
/// are "and".
namespace xgrad::kernels::XGRAD_ISA {
namespace {

struct And {
  template <class T>
  T operator()(T a, T b) const {
    return T(a & b);
  }
};
struct Or {
  template <class T>
  T operator()(T a, T b) const {
    return T(a | b);
  }
};
struct Xor {
  template <class T>
  T operator()(T a, T b) const {
    return T(a ^ b);
  }
};

template <class F>
void set(Table& t, Bitwise k) {
  t.bitwise[int(k)][int(i64)] = map2<Signed, Signed, F>;
  t.bitwise[int(k)][int(boolean)] = map2<Byte, Byte, F>;
}

}  // namespace

void fill_bits(Table& t) {
  set<And>(t, Bitwise::bitwise_and);
  set<Or>(t, Bitwise::bitwise_or);
  set<Xor>(t, Bitwise::bitwise_xor);
  for (const Binary k : {Binary::add, Binary::maximum}) t.binary[int(k)][int(boolean)] = map2<Byte, Byte, Or>;
  for (const Binary k : {Binary::multiply, Binary::minimum}) t.binary[int(k)][int(boolean)] = map2<Byte, Byte, And>;
}

}  // namespace xgrad::kernels::XGRAD_ISA
