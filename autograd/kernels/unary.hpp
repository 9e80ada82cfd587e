#pragma once
#include <autograd/kernels/elementwise.hpp>

#pragma GCC visibility push(default)

/// The elementwise functions of one argument: see elementwise.hpp.
namespace xgrad::kernels {

// clang-format off
/// Functions of this name in namespace `math` of kernels/simd, which are computed on batches.
#define XGRAD_UNARY_FUNCTIONS(K)                                                                                      \
  K(abs) K(sqrt) K(floor) K(ceil) K(round) K(exp) K(expm1) K(log) K(log1p) K(sin) K(cos) K(tan) K(asin) K(acos)       \
      K(atan) K(sinh) K(cosh) K(tanh) K(erf) K(erfc) K(erfinv) K(exp2) K(log2) K(log10) K(lgamma)
/// Functions that are formulas of others: what `value` computes.
#define XGRAD_UNARY_FORMULAS(K)                                                                                       \
  K(negate) K(sign) K(square) K(rsqrt) K(reciprocal) K(relu) K(sigmoid) K(softplus) K(log_sigmoid) K(silu) K(gelu)    \
      K(softsign) K(asinh) K(acosh) K(atanh)
// clang-format on
#define XGRAD_UNARY_KERNELS(K) XGRAD_UNARY_FUNCTIONS(K) XGRAD_UNARY_FORMULAS(K)

#define XGRAD_KERNEL_NAME(name) name,
enum class Unary { XGRAD_UNARY_KERNELS(XGRAD_KERNEL_NAME) count };
#undef XGRAD_KERNEL_NAME

template <>
struct Elementwise<Unary::negate> : Arithmetic {
  static constexpr bool integers = true;
  static constexpr Notation notation{"y = −x", {"−1"}};
  static auto value(auto x) { return -x; }
  static auto slope(auto, auto) { return -1; }
};

template <>
struct Elementwise<Unary::abs> : Arithmetic {
  static constexpr bool integers = true;
  static constexpr Notation notation{"y = |x|", {"1 if x &gt; 0, −1 if x &lt; 0"}};
  static auto slope(auto x, auto) { return sign(x); }
};

template <>
struct Elementwise<Unary::sign> : Arithmetic {
  static constexpr bool integers = true;
  static constexpr Notation notation{"y = the sign of x", {"0"}};
  static auto value(auto x) {
    using V = decltype(x);
    return select(x > 0, V(1), select(x < 0, V(-1), x));  // keeps 0 and NaN
  }
  static Zero slope(auto, auto) { return {}; }
};

template <>
struct Elementwise<Unary::square> : Arithmetic {
  static constexpr bool integers = true;
  static constexpr Notation notation{"y = x²", {"2x"}};
  static auto value(auto x) { return x * x; }
  static auto slope(auto x, auto) { return 2 * x; }
};

template <>
struct Elementwise<Unary::sqrt> : Arithmetic {
  static constexpr Notation notation{"y = √x", {"1 / (2y)"}};
  static auto slope(auto, auto y) { return 0.5 / y; }
};

template <>
struct Elementwise<Unary::rsqrt> : Arithmetic {
  static constexpr Notation notation{"y = 1 / √x", {"−y³ / 2"}};
  static auto value(auto x) { return 1 / sqrt(x); }
  static auto slope(auto, auto y) { return -0.5 * (y * y * y); }
};

template <>
struct Elementwise<Unary::reciprocal> : Arithmetic {
  static constexpr Notation notation{"y = 1 / x", {"−y²"}};
  static auto value(auto x) { return 1 / x; }
  static auto slope(auto, auto y) { return -(y * y); }
};

template <>
struct Elementwise<Unary::floor> : Arithmetic {
  static constexpr bool integers = true;
  static constexpr Notation notation{"y = x, rounded down", {"0: y does not move until it jumps"}};
  static Zero slope(auto, auto) { return {}; }
};

template <>
struct Elementwise<Unary::ceil> : Arithmetic {
  static constexpr bool integers = true;
  static constexpr Notation notation{"y = x, rounded up", {"0: y does not move until it jumps"}};
  static Zero slope(auto, auto) { return {}; }
};

template <>
struct Elementwise<Unary::round> : Arithmetic {
  static constexpr bool integers = true;
  static constexpr Notation notation{"y = x, rounded", {"0: y does not move until it jumps"}};
  static Zero slope(auto, auto) { return {}; }
};

template <>
struct Elementwise<Unary::relu> : Arithmetic {
  static constexpr Notation notation{"y = x if x &gt; 0, else 0", {"1 if x &gt; 0, else 0"}};
  static auto value(auto x) { return select(x <= 0, decltype(x)(0), x); }
  static auto slope(auto, auto y) { return logical_not(y <= 0); }
};

template <>
struct Elementwise<Unary::softsign> : Arithmetic {
  static constexpr Notation notation{"y = x / (1 + |x|)", {"1 / (1 + |x|)²"}};
  static auto value(auto x) { return select(isfinite(x), x / (1 + abs(x)), sign(x)); }
  static auto slope(auto x, auto) { return square(1 / (1 + abs(x))); }
};

template <>
struct Elementwise<Unary::exp> : Transcendental {
  static constexpr bool f64_in_batches = true;
  static constexpr Notation notation{"y = e<sup>x</sup>", {"y"}};
  static auto slope(auto, auto y) { return y; }
};

template <>
struct Elementwise<Unary::expm1> : Transcendental {
  static constexpr Notation notation{"y = e<sup>x</sup> − 1", {"y + 1"}};
  static auto slope(auto x, auto) { return exp(x); }
};

/// 1 / x, and NaN where the logarithm of x is.
template <class V>
V log_slope(V x) {
  return 1 / select(x < 0, V(__builtin_nan("")), x);
}

template <>
struct Elementwise<Unary::log> : Transcendental {
  static constexpr bool f64_in_batches = true;
  static constexpr Notation notation{"y = ln x", {"1 / x"}};
  static auto slope(auto x, auto) { return log_slope(x); }
};

template <>
struct Elementwise<Unary::log1p> : Transcendental {
  static constexpr Notation notation{"y = ln(1 + x)", {"1 / (1 + x)"}};
  static auto slope(auto x, auto) { return log_slope(1 + x); }
};

template <>
struct Elementwise<Unary::exp2> : Transcendental {
  static constexpr Notation notation{"y = 2<sup>x</sup>", {"y · ln 2"}};
  static auto slope(auto, auto y) { return y * 0.69314718055994531; }
};

template <>
struct Elementwise<Unary::log2> : Transcendental {
  static constexpr Notation notation{"y = log₂ x", {"1 / (x · ln 2)"}};
  static auto slope(auto x, auto) { return log_slope(x) * 1.4426950408889634; }
};

template <>
struct Elementwise<Unary::log10> : Transcendental {
  static constexpr Notation notation{"y = log₁₀ x", {"1 / (x · ln 10)"}};
  static auto slope(auto x, auto) { return log_slope(x) * 0.43429448190325183; }
};

template <>
struct Elementwise<Unary::sin> : Transcendental {
  static constexpr Notation notation{"y = sin x", {"cos x"}};
  static auto slope(auto x, auto) { return cos(x); }
};

template <>
struct Elementwise<Unary::cos> : Transcendental {
  static constexpr Notation notation{"y = cos x", {"−sin x"}};
  static auto slope(auto x, auto) { return -sin(x); }
};

template <>
struct Elementwise<Unary::tan> : Transcendental {
  static constexpr Notation notation{"y = tan x", {"1 + y²"}};
  static auto slope(auto, auto y) { return 1 + y * y; }
};

/// 1 / sqrt(1 - x^2), from factors that keep the digits which 1 - x^2 loses near 1.
template <class V>
V arc_slope(V x) {
  return rsqrt((1 - x) * (1 + x));
}

template <>
struct Elementwise<Unary::asin> : Transcendental {
  static constexpr Notation notation{"y = arcsin x", {"1 / √(1 − x²)"}};
  static auto slope(auto x, auto) { return arc_slope(x); }
};

template <>
struct Elementwise<Unary::acos> : Transcendental {
  static constexpr Notation notation{"y = arccos x", {"−1 / √(1 − x²)"}};
  static auto slope(auto x, auto) { return -arc_slope(x); }
};

template <>
struct Elementwise<Unary::atan> : Transcendental {
  static constexpr Notation notation{"y = arctan x", {"1 / (1 + x²)"}};
  static auto slope(auto x, auto) { return 1 / (1 + x * x); }
};

template <>
struct Elementwise<Unary::sinh> : Transcendental {
  static constexpr Notation notation{"y = sinh x", {"cosh x"}};
  static auto slope(auto x, auto) { return cosh(x); }
};

template <>
struct Elementwise<Unary::cosh> : Transcendental {
  static constexpr Notation notation{"y = cosh x", {"sinh x"}};
  static auto slope(auto x, auto) { return sinh(x); }
};

/// From here on log(2 x) is asinh(x) and acosh(x) to the last bit of f64, and x^2 is in range.
inline constexpr double large_argument = 1e9;

template <>
struct Elementwise<Unary::asinh> : Transcendental {
  static constexpr Notation notation{"y = arsinh x", {"1 / √(1 + x²)"}};
  static auto value(auto x) {
    using V = decltype(x);
    const V size = abs(x);
    const auto large = size > large_argument;
    const V s = select(large, V(1), size);
    const V y = log1p(select(large, size - 1, s + s * (s / (1 + sqrt(1 + s * s)))));
    return sign(x) * (y + select(large, V(0.69314718055994531), V(0)));
  }
  static auto slope(auto x, auto) { return 1 / hypot(decltype(x)(1), x); }
};

template <>
struct Elementwise<Unary::acosh> : Transcendental {
  static constexpr Notation notation{"y = arcosh x", {"1 / √(x² − 1)"}};
  static auto value(auto x) {
    using V = decltype(x);
    const auto large = x > large_argument;
    const V t = select(large, V(1), x - 1);
    const V y = log1p(select(large, x - 1, t + sqrt(t * (t + 2)))) + select(large, V(0.69314718055994531), V(0));
    return select(x < 1, V(__builtin_nan("")), y);
  }
  static auto slope(auto x, auto) { return rsqrt(x - 1) * rsqrt(x + 1); }
};

template <>
struct Elementwise<Unary::atanh> : Transcendental {
  static constexpr Notation notation{"y = artanh x", {"1 / (1 − x²)"}};
  static auto value(auto x) {
    const auto size = abs(x);
    return sign(x) * (0.5 * log1p(2 * size / (1 - size)));
  }
  static auto slope(auto x, auto) { return log_slope((1 - x) * (1 + x)); }
};

template <>
struct Elementwise<Unary::tanh> : Transcendental {
  static constexpr Notation notation{"y = tanh x", {"1 − y²"}};
  static auto slope(auto x, auto) { return tanh_slope(x); }
};

template <class V>
V erf_slope(V x) {
  return 1.1283791670955126 * exp(-(x * x));  // 2 / sqrt(pi)
}

template <>
struct Elementwise<Unary::erf> : Transcendental {
  static constexpr Notation notation{"y = erf x", {"2/√π · e<sup>−x²</sup>"}};
  static auto slope(auto x, auto) { return erf_slope(x); }
};

template <>
struct Elementwise<Unary::erfc> : Transcendental {
  static constexpr Notation notation{"y = 1 − erf x", {"−2/√π · e<sup>−x²</sup>"}};
  static auto slope(auto x, auto) { return -erf_slope(x); }
};

template <>
struct Elementwise<Unary::erfinv> : Transcendental {
  static constexpr Notation notation{"y = the number whose erf is x", {"√π/2 · e<sup>y²</sup>"}};
  static auto slope(auto, auto y) { return 0.88622692545275801 * exp(y * y); }
};

template <>
struct Elementwise<Unary::lgamma> : ElementByElement {
  static constexpr Notation notation{"y = ln |Γ(x)|", {"ψ(x), the slope of ln Γ"}};
  static auto slope(auto x, auto) { return polygamma(decltype(x)(0), x); }
};

template <>
struct Elementwise<Unary::sigmoid> : Transcendental {
  static constexpr bool f64_in_batches = true;
  static constexpr Notation notation{"y = σ(x) = 1 / (1 + e<sup>−x</sup>)", {"y · (1 − y)"}};
  static auto value(auto x) {
    const auto e = exp(-abs(x));  // which cannot overflow
    return select(x >= 0, decltype(x)(1), e) / (1 + e);
  }
  static auto slope(auto x, auto) { return sigmoid_slope(x); }
};

template <>
struct Elementwise<Unary::softplus> : Transcendental {
  static constexpr Notation notation{"y = ln(1 + e<sup>x</sup>)", {"σ(x) = 1 / (1 + e<sup>−x</sup>)"}};
  static auto value(auto x) { return relu(x) + log1p_exp(x); }
  static auto slope(auto x, auto) { return sigmoid(x); }
};

template <>
struct Elementwise<Unary::log_sigmoid> : Transcendental {
  static constexpr Notation notation{"y = −ln(1 + e<sup>−x</sup>)", {"1 − e<sup>y</sup>"}};
  static auto value(auto x) { return -(relu(-x) + log1p_exp(x)); }
  static auto slope(auto x, auto) { return sigmoid(-x); }
};

/// x * gate, and the limit 0 at -inf, where the gate is 0.
template <class V>
V gated(V x, V gate) {
  return select(x == V(-__builtin_inf()), V(0), x * gate);
}
/// x, but at most `to` in magnitude: it keeps inf * 0 out of a product with what is 0 from there on.
template <class V>
V limited(V x, double to) {
  return minimum(maximum(x, V(-to)), V(to));
}

template <>
struct Elementwise<Unary::silu> : Transcendental {
  static constexpr bool f64_in_batches = true;
  static constexpr Notation notation{"y = x · σ(x), where σ(x) = 1 / (1 + e<sup>−x</sup>)",
                                     {"σ(x) · (1 + x · (1 − σ(x)))"}};
  static auto value(auto x) { return gated(x, sigmoid(x)); }
  static auto slope(auto x, auto) { return sigmoid(x) + limited(x, 1000) * sigmoid_slope(x); }
};

template <>
struct Elementwise<Unary::gelu> : Transcendental {
  static constexpr Notation notation{"y = x · Φ(x), where Φ is the normal distribution function",
                                     {"Φ(x) + x · φ(x), where φ is the bell curve"}};
  /// Both are made of what is beyond |x|, which does not cancel: Φ(x) is that, or 1 less it.
  static auto value(auto x) {
    const auto [size, tail, density] = normal_tail(x);
    const auto beyond = size * tail;
    return select(x < 0, 0 - beyond, x - beyond);  // of -0 it is -0, whatever the larger of -0 and 0 may be
  }
  static auto slope(auto x, auto) {
    const auto [size, tail, density] = normal_tail(x);
    const auto below = tail - size * density;
    return select(x < 0, below, 1 - below);
  }
};

}  // namespace xgrad::kernels
#pragma GCC visibility pop
