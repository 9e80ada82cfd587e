#include <doctest/doctest.h>
#include <autograd/kernels/table.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace xgrad;
using namespace xgrad::kernels;

namespace {

using Real = long double;
constexpr double inf = std::numeric_limits<double>::infinity(), NaN = std::numeric_limits<double>::quiet_NaN();

std::vector<const Table*> tables() {
  const Tables t = available_tables();
  return {t.entries, t.entries + t.count};
}

template <class T>
bool same_bits(T a, T b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0 || (a != a && b != b);
}
/// The distance in units in the last place of `want`; huge where one is NaN or infinite and the other is not.
template <class T>
double ulps(T got, Real want) {
  const T rounded = static_cast<T>(want);
  if (rounded != rounded) return got != got ? 0 : inf;
  if (got != got) return inf;
  if (std::isinf(rounded) || std::isinf(got)) return got == rounded ? 0 : inf;
  int exponent;
  std::frexp(rounded == 0 ? std::numeric_limits<T>::min() : rounded, &exponent);
  exponent = std::max(exponent, std::numeric_limits<T>::min_exponent);
  return double(std::fabs(Real(got) - want) / std::ldexp(Real(1), exponent - std::numeric_limits<T>::digits));
}

/// Numbers of all magnitudes, denser around 1, and special values.
template <class T>
std::vector<T> sweep() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> x{0,
                   -T(0),
                   T(inf),
                   -T(inf),
                   T(NaN),
                   1,
                   -1,
                   T(.5),
                   T(-.5),
                   T(1.5),
                   T(2.5),
                   T(-2.5),
                   Limits::max(),
                   Limits::lowest(),
                   Limits::min(),
                   -Limits::min(),
                   Limits::denorm_min(),
                   -Limits::denorm_min(),
                   T(88.5),
                   T(88.72),
                   T(88.73),
                   T(-87.5),
                   T(-103.9),
                   T(-104.1),
                   T(709.7),
                   T(-745.2),
                   T(1e-20),
                   T(1e10)};
  std::mt19937_64 random(1);
  const auto add = [&](double low, double high, int n) {
    std::uniform_real_distribution<double> u(low, high);
    for (int i = 0; i < n; ++i) x.push_back(T(u(random)));
  };
  add(-1, 1, 1000), add(-10, 10, 1000), add(-110, 110, 1000), add(-9000, 9000, 500);
  std::uniform_real_distribution<double> exponent(Limits::min_exponent10 - 7, Limits::max_exponent10);
  for (int i = 0; i < 1000; ++i) x.push_back(T(i % 2 ? 1 : -1) * T(std::pow(10., exponent(random))));
  return x;
}

Real sigmoid(Real x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }
Real softplus(Real x) { return std::fmax(x, Real(0)) + std::log1p(std::exp(-std::fabs(x))) + (x != x ? x : 0); }
Real positive(Real x) { return x <= 0 ? 0 : x; }

/// A kernel's exact value, and how many ulp it may be off in f32 and in f64.
struct UnaryCase {
  const char* name;
  Unary kernel;
  Real (*exact)(Real);
  double f32_ulps, f64_ulps;
};
#define CASE(name, f32_ulps, f64_ulps, expression)                                    \
  {                                                                                   \
#name, Unary::name, [](Real x) -> Real { return expression; }, f32_ulps, f64_ulps \
  }
const UnaryCase unary_cases[] = {
    CASE(negate, 0, 0, -x),
    CASE(abs, 0, 0, std::fabs(x)),
    CASE(sign, 0, 0,
         x > 0   ? 1
         : x < 0 ? -1
                 : x),
    CASE(square, .5001, .5001, x* x),
    CASE(sqrt, .5001, .5001, std::sqrt(x)),
    CASE(rsqrt, 1.5, 1.5, 1 / std::sqrt(x)),
    CASE(reciprocal, .5001, .5001, 1 / x),
    CASE(exp, 2, 1, std::exp(x)),
    CASE(expm1, 3, 1, std::expm1(x)),
    CASE(log, 1, 1, std::log(x)),
    CASE(log1p, 1, 1, std::log1p(x)),
    CASE(sin, 2, 1, std::sin(x)),
    CASE(cos, 2, 1, std::cos(x)),
    CASE(tan, 1, 1, std::tan(x)),
    CASE(asin, 1, 1, std::asin(x)),
    CASE(acos, 1, 1, std::acos(x)),
    CASE(atan, 1, 1, std::atan(x)),
    CASE(sinh, 2, 2, std::sinh(x)),
    CASE(cosh, 2, 2, std::cosh(x)),
    CASE(tanh, 2, 2, std::tanh(x)),
    CASE(erf, 3, 1, std::erf(x)),
    CASE(floor, 0, 0, std::floor(x)),
    CASE(ceil, 0, 0, std::ceil(x)),
    CASE(round, 0, 0, std::nearbyint(x)),
    CASE(relu, 0, 0, positive(x)),
    CASE(sigmoid, 4, 3, sigmoid(x)),
    CASE(softplus, 4, 3, softplus(x)),
    CASE(log_sigmoid, 4, 3, -softplus(-x)),
    CASE(silu, 4, 4, x == -inf ? 0 : x * sigmoid(x)),
    CASE(gelu, 4, 4, x == -inf ? 0 : x / 2 * std::erfc(-x / std::sqrt(Real(2)))),
};
#undef CASE
static_assert(std::size(unary_cases) == std::size_t(Unary::count));

/// Results that pass through exp near its underflow lose digits there: x exp(x) is as coarse as a denormal times x.
/// gelu's tail multiplies the rounding of x / sqrt 2 by x^2.
template <class T>
double allowed(const UnaryCase& c, T x, Real want) {
  const double bound = sizeof(T) == 4 ? c.f32_ulps : c.f64_ulps;
  const double size = x != x ? 0 : std::fabs(double(x));
  if (c.kernel == Unary::silu && std::fabs(want) < 1e3L * std::numeric_limits<T>::min()) return bound + size;
  if (c.kernel == Unary::gelu)
    return std::fabs(want) < 1e3L * std::numeric_limits<T>::min() ? inf : bound + 1.5 * size * size;
  return bound;
}

template <class T>
void check_unary_values() {
  const std::vector<T> x = sweep<T>();
  std::vector<T> y(x.size()), first(x.size());
  for (const UnaryCase& c : unary_cases) {
    std::vector<Real> want(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) want[i] = c.exact(x[i]);
    for (const Table* t : tables()) {
      t->unary[int(c.kernel)][int(dtype_of<T>)](x.data(), y.data(), Size(x.size()));
      double worst = -1, at = 0;
      bool agree = true;
      if (t == tables()[0]) first = y;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double error = ulps(y[i], want[i]) - allowed(c, x[i], want[i]);
        if (error > worst || error != error) worst = error, at = double(x[i]);
        agree = agree && same_bits(y[i], first[i]);
      }
      INFO(std::string(c.name) << " of " << std::string(name_of(dtype_of<T>)) << " on " << std::string(t->name)
                               << " at " << at);
      CHECK(worst <= 0);
      if (sizeof(T) == 8) CHECK(agree);
    }
  }
}

/// The kernel on `n` elements, from and to addresses that suit no alignment, must do to each what it does to one.
template <class T, class Out>
void check_lengths(Table::UnaryFn f, const char* what) {
  const std::vector<T> values = sweep<T>();
  int wrong = 0;
  for (int n = 0; n <= 70; ++n) {
    for (int shift = 0; shift < 2; ++shift) {
      std::vector<T> x(values.begin() + 3 * n, values.begin() + 4 * n);
      x.insert(x.begin(), std::size_t(shift), T(7));
      std::vector<Out> y(x.size() + 2, Out(5));
      f(x.data() + shift, y.data() + shift, n);
      for (int i = 0; i < n; ++i) {
        Out alone;
        f(&x[std::size_t(shift + i)], &alone, 1);
        wrong += !same_bits(alone, y[std::size_t(shift + i)]);
      }
      wrong += y[std::size_t(shift + n)] != Out(5) || (shift && y[0] != Out(5));
      if constexpr (std::is_same_v<T, Out>) {
        f(x.data() + shift, x.data() + shift, n);
        for (int i = 0; i < n; ++i) wrong += !same_bits(x[std::size_t(shift + i)], y[std::size_t(shift + i)]);
      }
    }
  }
  INFO(std::string(what) << " of " << std::string(name_of(dtype_of<T>)));
  CHECK(wrong == 0);
}

template <class T>
struct Walked {
  std::vector<T> a, b;
  Loop<2> loop;
  Size a_start = 0, b_start = 0;
};

/// Operands for a loop with these sizes, the strides of each being `strides` and its data beginning where needed.
template <class T>
Walked<T> layout(std::vector<Size> sizes, std::vector<Size> a_strides, std::vector<Size> b_strides) {
  Walked<T> w;
  w.loop.rank = int(sizes.size());
  Size spans[2] = {1, 1}, starts[2] = {};
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    w.loop.sizes[d] = sizes[d];
    for (int k = 0; k < 2; ++k) {
      const Size stride = w.loop.strides[k][d] = (k == 0 ? a_strides : b_strides)[d];
      spans[k] += std::abs(stride) * std::max<Size>(sizes[d] - 1, 0);
      if (stride < 0) starts[k] += -stride * (sizes[d] - 1);
    }
  }
  std::mt19937 random(3);
  const auto fill = [&](std::vector<T>& v, Size n) {
    for (Size i = 0; i < n; ++i) v.push_back(T(int(random() % 13) - 6));
  };
  fill(w.a, spans[0]), fill(w.b, spans[1]);
  w.a_start = starts[0], w.b_start = starts[1];
  return w;
}

template <class T>
std::vector<Walked<T>> layouts() {
  std::vector<Walked<T>> all;
  for (Size n : {1, 3, 8, 17, 64, 300}) {
    for (Size sa : {1, 0, -1, 2}) {
      for (Size sb : {1, 0, -1, -3}) {
        all.push_back(layout<T>({n}, {sa}, {sb}));
        all.push_back(layout<T>({5, n}, {n, sa}, {0, sb}));
      }
    }
    all.push_back(layout<T>({5, n}, {1, 0}, {0, 1}));
    all.push_back(layout<T>({2, 3, n}, {-3 * n, n, 1}, {n, 0, 1}));
    all.push_back(layout<T>({4, 2, n}, {1, 8 * n, 8}, {0, 1, 0}));
  }
  all.push_back(layout<T>({0}, {1}, {1}));
  all.push_back(layout<T>({3, 0}, {1, 1}, {0, 1}));
  return all;
}

/// Each element of the walk must be what the kernel gives for its two operands alone.
template <class T, class Out>
void check_layouts(Table::BinaryFn f, const std::vector<Walked<T>>& all, const char* isa, int kernel) {
  Loop<2> one;
  one.collapse();
  int wrong = 0;
  for (const Walked<T>& w : all) {
    std::vector<Out> y(std::size_t(w.loop.count()) + 1, Out(9));
    f(w.a.data() + w.a_start, w.b.data() + w.b_start, y.data(), w.loop);
    std::size_t at = 0;
    const Size inner = w.loop.rank - 1;
    for_each_row(w.loop, [&](const Size* offsets) {
      for (Size i = 0; i < w.loop.sizes[inner]; ++i) {
        Out alone;
        f(&w.a[std::size_t(w.a_start + offsets[0] + i * w.loop.strides[0][inner])],
          &w.b[std::size_t(w.b_start + offsets[1] + i * w.loop.strides[1][inner])], &alone, one);
        wrong += !same_bits(alone, y[at++]);
      }
    });
    wrong += y[at] != Out(9);
  }
  INFO("kernel " << kernel << " of " << std::string(name_of(dtype_of<T>)) << " on " << std::string(isa));
  CHECK(wrong == 0);
}

Loop<2> contiguous(std::size_t n) {
  Loop<2> loop;
  loop.rank = 1;
  loop.sizes[0] = Size(n);
  loop.strides[0][0] = loop.strides[1][0] = 1;
  return loop;
}

struct BinaryCase {
  const char* name;
  Binary kernel;
  Real (*exact)(Real, Real);
  double f32_ulps, f64_ulps;
};
Real bce(Real z, Real t) {
  const Real factor = (z > 0 ? 1 : 0) - t;
  return (factor == 0 ? 0 : z * factor) + std::log1p(std::exp(-std::fabs(z)));
}
Real least(Real a, Real b) { return a != a || a < b ? a : b; }
#define CASE(name, f32_ulps, f64_ulps, expression)                                             \
  {                                                                                            \
#name, Binary::name, [](Real a, Real b) -> Real { return expression; }, f32_ulps, f64_ulps \
  }
const BinaryCase binary_cases[] = {
    CASE(add, .5001, .5001, a + b),         CASE(subtract, .5001, .5001, a - b), CASE(multiply, .5001, .5001, a* b),
    CASE(divide, .5001, .5001, a / b),      CASE(pow, 1, 1, std::pow(a, b)),     CASE(minimum, 0, 0, least(a, b)),
    CASE(maximum, 0, 0, -least(-a, -b)),    CASE(atan2, 2, 1, std::atan2(a, b)), CASE(relu_grad, 0, 0, b <= 0 ? 0 : a),
    CASE(bce_with_logits, 4, 3, bce(a, b)),
};
#undef CASE
static_assert(std::size(binary_cases) == std::size_t(Binary::count));

template <class T>
void check_binary_values() {
  const std::vector<T> x = sweep<T>();
  std::vector<T> a, b;
  for (std::size_t i = 0; i < 28; ++i) {
    for (std::size_t j = 0; j < 28; ++j) a.push_back(x[i]), b.push_back(x[j]);
  }
  for (std::size_t i = 28; i < x.size(); ++i) a.push_back(x[i]), b.push_back(x[28 + i * 7919 % (x.size() - 28)]);
  std::vector<T> y(a.size()), first(a.size());
  for (const BinaryCase& c : binary_cases) {
    std::vector<T> second = b;
    if (c.kernel == Binary::bce_with_logits) {
      for (std::size_t i = 28 * 28; i < b.size(); ++i) second[i] = std::fabs(b[i]) - std::floor(std::fabs(b[i]));
    }
    for (const Table* t : tables()) {
      const auto f = t->binary[int(c.kernel)][int(dtype_of<T>)];
      f(a.data(), second.data(), y.data(), contiguous(a.size()));
      if (t == tables()[0]) first = y;
      double worst = -1, at[2] = {};
      bool agree = true;
      for (std::size_t i = 0; i < a.size(); ++i) {
        const double error = ulps(y[i], c.exact(a[i], second[i])) - (sizeof(T) == 4 ? c.f32_ulps : c.f64_ulps);
        if (error > worst) worst = error, at[0] = double(a[i]), at[1] = double(second[i]);
        agree = agree && same_bits(y[i], first[i]);
      }
      INFO(std::string(c.name) << " of " << std::string(name_of(dtype_of<T>)) << " on " << std::string(t->name)
                               << " at " << at[0] << ", " << at[1]);
      CHECK(worst <= 0);
      if (sizeof(T) == 8) CHECK(agree);
      std::vector<T> in_place = a;
      f(in_place.data(), second.data(), in_place.data(), contiguous(a.size()));
      CHECK(std::memcmp(in_place.data(), y.data(), y.size() * sizeof(T)) == 0);
      in_place = second;
      f(a.data(), in_place.data(), in_place.data(), contiguous(a.size()));
      CHECK(std::memcmp(in_place.data(), y.data(), y.size() * sizeof(T)) == 0);
    }
  }
}

template <class T>
T unary(const Table* t, Unary k, T x) {
  T y;
  t->unary[int(k)][int(dtype_of<T>)](&x, &y, 1);
  return y;
}
template <class T>
T binary(const Table* t, Binary k, T a, T b) {
  T y;
  t->binary[int(k)][int(dtype_of<T>)](&a, &b, &y, contiguous(1));
  return y;
}
template <class From, class To>
To cast(const Table* t, From x) {
  To y;
  t->cast[int(dtype_of<From>)][int(dtype_of<To>)](&x, &y, 1);
  return y;
}

template <class T>
void check_special_values(const Table* t) {
  struct {
    Unary kernel;
    double x, y;
  } const ones[] = {
      {Unary::negate, 0, -0.},
      {Unary::abs, -0., 0},
      {Unary::abs, NaN, NaN},
      {Unary::sign, NaN, NaN},
      {Unary::sqrt, -0., -0.},
      {Unary::sqrt, -1, NaN},
      {Unary::rsqrt, 0, inf},
      {Unary::rsqrt, inf, 0},
      {Unary::reciprocal, -0., -inf},
      {Unary::exp, -inf, 0},
      {Unary::exp, inf, inf},
      {Unary::exp, -1000, 0},
      {Unary::expm1, -0., -0.},
      {Unary::expm1, -inf, -1},
      {Unary::log, 0, -inf},
      {Unary::log, -1, NaN},
      {Unary::log1p, -1, -inf},
      {Unary::log1p, -0., -0.},
      {Unary::sin, -0., -0.},
      {Unary::sin, inf, NaN},
      {Unary::cos, -inf, NaN},
      {Unary::tanh, 1000, 1},
      {Unary::tanh, -inf, -1},
      {Unary::tanh, -0., -0.},
      {Unary::erf, inf, 1},
      {Unary::erf, -0., -0.},
      {Unary::floor, -0., -0.},
      {Unary::ceil, -.5, -0.},
      {Unary::round, 2.5, 2},
      {Unary::round, 3.5, 4},
      {Unary::round, -.5, -0.},
      {Unary::round, 1e30, 1e30},
      {Unary::relu, NaN, NaN},
      {Unary::sigmoid, -1000, 0},
      {Unary::sigmoid, 1000, 1},
      {Unary::sigmoid, -inf, 0},
      {Unary::softplus, 1000, 1000},
      {Unary::softplus, -1000, 0},
      {Unary::softplus, inf, inf},
      {Unary::log_sigmoid, -inf, -inf},
      {Unary::log_sigmoid, -1000, -1000},
      {Unary::silu, inf, inf},
      {Unary::silu, -inf, 0},
      {Unary::gelu, -inf, 0},
      {Unary::gelu, inf, inf},
      {Unary::gelu, NaN, NaN},
  };
  for (const auto& c : ones) {
    INFO("unary " << int(c.kernel) << " of " << c.x << " on " << std::string(t->name));
    CHECK(same_bits(unary(t, c.kernel, T(c.x)), T(c.y)));
  }
  struct {
    Binary kernel;
    double a, b, y;
  } const twos[] = {
      {Binary::pow, NaN, 0, 1},
      {Binary::pow, 1, NaN, 1},
      {Binary::pow, -2, .5, NaN},
      {Binary::pow, -2, 3, -8},
      {Binary::pow, 0, -1, inf},
      {Binary::minimum, NaN, 1, NaN},
      {Binary::minimum, 1, NaN, NaN},
      {Binary::maximum, NaN, 1, NaN},
      {Binary::maximum, 1, NaN, NaN},
      {Binary::relu_grad, 3, NaN, 3},
      {Binary::relu_grad, inf, 0, 0},
      {Binary::relu_grad, NaN, -1, 0},
      {Binary::bce_with_logits, inf, 1, 0},
      {Binary::bce_with_logits, -inf, 0, 0},
      {Binary::bce_with_logits, inf, 0, inf},
      {Binary::bce_with_logits, -inf, 1, inf},
      {Binary::bce_with_logits, 1000, 0, 1000},
      {Binary::bce_with_logits, -1000, 1, 1000},
  };
  for (const auto& c : twos) {
    INFO("binary " << int(c.kernel) << " of " << c.a << ", " << c.b << " on " << std::string(t->name));
    CHECK(same_bits(binary(t, c.kernel, T(c.a), T(c.b)), T(c.y)));
  }
}

template <class T>
void check_comparisons(const Table* t) {
  const double values[] = {0, 1, -2, inf, NaN};
  for (double p : values) {
    for (double q : values) {
      if (!is_floating(dtype_of<T>) && !(std::isfinite(p) && std::isfinite(q))) continue;
      const T a = T(p), b = T(q);
      const bool want[] = {a == b, a != b, a<b, a <= b, a> b, a >= b, a != 0 && b != 0, a != 0 || b != 0};
      for (int k = 0; k < int(Compare::count); ++k) {
        const auto f = t->compare[k][int(dtype_of<T>)];
        if (!f) continue;
        bool y = !want[k];
        f(&a, &b, &y, contiguous(1));
        CHECK(y == want[k]);
      }
    }
    if (!is_floating(dtype_of<T>) && !std::isfinite(p)) continue;
    const T x = T(p);
    const bool want[] = {x != x, std::isfinite(double(x)), x == 0};
    for (int k = 0; k < int(Predicate::count); ++k) {
      bool y = !want[k];
      t->predicate[k][int(dtype_of<T>)](&x, &y, 1);
      CHECK(y == want[k]);
    }
  }
}

template <class T>
void check_select(const Table* t) {
  int wrong = 0;
  for (Size n : {0, 1, 7, 16, 40, 300}) {
    for (Size sm : {1, 0, -1}) {
      for (Size sa : {1, 0, 2}) {
        Loop<3> loop;
        loop.rank = 2;
        loop.sizes[0] = 3, loop.sizes[1] = n;
        loop.strides[0][1] = sm, loop.strides[1][1] = sa, loop.strides[2][1] = 1;
        loop.strides[0][0] = loop.strides[2][0] = n;
        std::vector<T> a, b, y(std::size_t(3 * n));
        std::vector<char> mask;
        for (Size i = 0; i < 4 * n + 2; ++i) a.push_back(T(i)), b.push_back(T(i % 2)), mask.push_back(i % 3 == 0);
        const Size start = sm < 0 ? n : 0;
        t->select[int(dtype_of<T>)](reinterpret_cast<const bool*>(mask.data()) + start, a.data(), b.data(), y.data(),
                                    loop);
        for (Size i = 0; i < 3 * n; ++i) {
          const Size row = i / n, column = i % n;
          const bool m = mask[std::size_t(start + row * n + column * sm)];
          wrong += y[std::size_t(i)] != (m ? a[std::size_t(column * sa)] : b[std::size_t(i)]);
        }
      }
    }
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("unary kernels are accurate, and alike on all instruction sets") {
  check_unary_values<float>();
  check_unary_values<double>();
}

TEST_CASE("binary kernels are accurate, work in place, and are alike on all instruction sets") {
  check_binary_values<float>();
  check_binary_values<double>();
}

TEST_CASE("special values") {
  for (const Table* t : tables()) {
    check_special_values<float>(t);
    check_special_values<double>(t);
  }
}

TEST_CASE("an element's value depends on neither its place nor the array's length") {
  for (const Table* t : tables()) {
    INFO(std::string(t->name));
    for (const UnaryCase& c : unary_cases) {
      check_lengths<float, float>(t->unary[int(c.kernel)][int(f32)], c.name);
      check_lengths<double, double>(t->unary[int(c.kernel)][int(f64)], c.name);
    }
    for (const auto& predicate : t->predicate) check_lengths<float, std::uint8_t>(predicate[int(f32)], "a predicate");
    check_lengths<double, float>(t->cast[int(f64)][int(f32)], "a cast to f32");
    check_lengths<double, std::int64_t>(t->cast[int(f64)][int(i64)], "a cast to i64");
    check_lengths<float, std::uint8_t>(t->cast[int(f32)][int(boolean)], "a cast to boolean");
  }
}

TEST_CASE("operands of any strides") {
  const auto floats = layouts<float>();
  const auto doubles = layouts<double>();
  const auto integers = layouts<std::int64_t>();
  for (const Table* t : tables()) {
    for (int k = 0; k < int(Binary::count); ++k) {
      check_layouts<float, float>(t->binary[k][int(f32)], floats, t->name, k);
      check_layouts<double, double>(t->binary[k][int(f64)], doubles, t->name, k);
      if (t->binary[k][int(i64)])
        check_layouts<std::int64_t, std::int64_t>(t->binary[k][int(i64)], integers, t->name, k);
    }
    for (int k = 0; k < int(Compare::count); ++k)
      check_layouts<float, std::uint8_t>(t->compare[k][int(f32)], floats, t->name, 100 + k);
    check_select<float>(t);
    check_select<double>(t);
    check_select<std::int64_t>(t);
  }
}

TEST_CASE("comparisons and predicates") {
  for (const Table* t : tables()) {
    INFO(std::string(t->name));
    check_comparisons<float>(t);
    check_comparisons<double>(t);
    check_comparisons<std::int64_t>(t);
    check_comparisons<bool>(t);
  }
}

TEST_CASE("integers wrap around and casts saturate") {
  using Integer = std::int64_t;
  constexpr Integer least_i64 = std::numeric_limits<Integer>::min(), most_i64 = std::numeric_limits<Integer>::max();
  for (const Table* t : tables()) {
    INFO(std::string(t->name));
    CHECK(unary<Integer>(t, Unary::negate, least_i64) == least_i64);
    CHECK(unary<Integer>(t, Unary::abs, -5) == 5);
    CHECK(unary<Integer>(t, Unary::abs, least_i64) == least_i64);
    CHECK(unary<Integer>(t, Unary::sign, -5) == -1);
    CHECK(unary<Integer>(t, Unary::square, -3) == 9);
    CHECK(binary<Integer>(t, Binary::add, most_i64, 1) == least_i64);
    CHECK(binary<Integer>(t, Binary::subtract, 3, 5) == -2);
    CHECK(binary<Integer>(t, Binary::multiply, Integer(1) << 62, 4) == 0);
    CHECK(binary<Integer>(t, Binary::minimum, -1, 1) == -1);
    CHECK(binary<Integer>(t, Binary::maximum, -1, 1) == 1);
    CHECK(!t->binary[int(Binary::divide)][int(i64)]);
    CHECK(!t->binary[int(Binary::add)][int(boolean)]);

    CHECK(cast<double, Integer>(t, -2.9) == -2);
    CHECK(cast<double, Integer>(t, NaN) == 0);
    CHECK(cast<double, Integer>(t, 1e300) == most_i64);
    CHECK(cast<float, Integer>(t, -std::numeric_limits<float>::infinity()) == least_i64);
    CHECK(cast<double, float>(t, 1e300) == std::numeric_limits<float>::infinity());
    CHECK(cast<double, bool>(t, NaN));
    CHECK(cast<double, bool>(t, .5));
    CHECK_FALSE(cast<float, bool>(t, -0.f));
    CHECK(cast<bool, float>(t, true) == 1.f);
    CHECK(cast<Integer, bool>(t, Integer(1) << 40));
    CHECK(cast<Integer, double>(t, -7) == -7.);
  }
}

TEST_CASE("XGRAD_ISA forces an instruction set") {
  setenv("XGRAD_ISA", "sse9", 1);
  CHECK_THROWS_WITH(table(), "XGRAD_ISA is 'sse9'; set it to baseline, avx2 or avx512, or leave it unset");
  setenv("XGRAD_ISA", "baseline", 1);
  CHECK(std::string(table().name) == "baseline");
}
