#pragma once
#include <autograd/kernels/unary.hpp>
#include <utility>

#pragma GCC visibility push(default)

/// The elementwise functions of two arguments: see elementwise.hpp.
namespace xgrad::kernels {

// clang-format off
/// Functions of this name in namespace `math` of kernels/simd, which are computed on batches or elements.
#define XGRAD_BINARY_FUNCTIONS(K) K(pow) K(atan2) K(fmod) K(remainder) K(floor_divide) K(polygamma)
/// Functions that are formulas of others: what `value` computes.
#define XGRAD_BINARY_FORMULAS(K)                                                                                      \
  K(add) K(subtract) K(multiply) K(divide) K(minimum) K(maximum) K(relu_grad) K(sigmoid_grad) K(tanh_grad)            \
      K(gelu_grad) K(bce_with_logits) K(hypot) K(logaddexp) K(xlogy)
// clang-format on
#define XGRAD_BINARY_KERNELS(K) XGRAD_BINARY_FUNCTIONS(K) XGRAD_BINARY_FORMULAS(K)

#define XGRAD_KERNEL_NAME(name) name,
enum class Binary { XGRAD_BINARY_KERNELS(XGRAD_KERNEL_NAME) count };
#undef XGRAD_KERNEL_NAME

template <>
struct Elementwise<Binary::add> : Arithmetic {
  static constexpr bool integers = true;
  static constexpr Notation notation{"y = a + b", {"1", "1"}};
  static auto value(auto a, auto b) { return a + b; }
};

template <>
struct Elementwise<Binary::subtract> : Arithmetic {
  static constexpr bool integers = true;
  static constexpr Notation notation{"y = a − b", {"1", "−1"}};
  static auto value(auto a, auto b) { return a - b; }
};

template <>
struct Elementwise<Binary::multiply> : Arithmetic {
  static constexpr bool integers = true;
  static constexpr Notation notation{"y = a · b", {"b", "a"}};
  static auto value(auto a, auto b) { return a * b; }
};

template <>
struct Elementwise<Binary::divide> : Arithmetic {
  static constexpr Notation notation{"y = a / b", {"1 / b", "−y / b"}};
  static auto value(auto a, auto b) { return a / b; }
};

/// The pair of tangents of the smaller or larger of two: a mask says who lost, which gets nothing; a tie is shared by
/// halves.
template <class V, class M>
auto shared_tangents(M a_lost, M b_lost, M tie) {
  const auto share = [tie](M lost) { return [=](V t) { return select(lost, V(0), select(tie, t * 0.5, t)); }; };
  return std::pair(share(a_lost), share(b_lost));
}

template <>
struct Elementwise<Binary::minimum> : Arithmetic {
  static constexpr bool integers = true;
  static constexpr Notation notation{"y = the smaller of a and b",
                                     {"1 if a is the smaller, else 0", "1 if b is the smaller, else 0"}};
  static auto value(auto a, auto b) { return select(logical_or(a < b, isnan(a)), a, b); }  // NaN in either wins
  static auto tangents(auto a, auto b, auto) { return shared_tangents<decltype(a)>(a > b, b > a, a == b); }
};

template <>
struct Elementwise<Binary::maximum> : Arithmetic {
  static constexpr bool integers = true;
  static constexpr Notation notation{"y = the larger of a and b",
                                     {"1 if a is the larger, else 0", "1 if b is the larger, else 0"}};
  static auto value(auto a, auto b) { return select(logical_or(a > b, isnan(a)), a, b); }
  static auto tangents(auto a, auto b, auto) { return shared_tangents<decltype(a)>(a < b, b < a, a == b); }
};

template <>
struct Elementwise<Binary::pow> : Transcendental {
  static constexpr bool integers = true;
  static constexpr Notation notation{"y = a<sup>b</sup>", {"b · a<sup>b − 1</sup>", "y · ln a"}};
  static auto tangents(auto a, auto b, auto y) {
    using V = decltype(a);
    const auto flat_a = b == 0, flat_b = logical_and(a == 0, b >= 0);
    return std::pair([=](V t) { return select(flat_a, V(0), t * (b * pow(a, select(flat_a, V(1), b - 1)))); },
                     [=](V t) { return select(flat_b, V(0), t * (y * log(select(flat_b, V(1), a)))); });
  }
};

template <>
struct Elementwise<Binary::atan2> : Transcendental {
  static constexpr bool f32_in_batches = false;
  static constexpr Notation notation{"y = the angle of the point (b, a)", {"b / (a² + b²)", "−a / (a² + b²)"}};
  static auto tangents(auto a, auto b, auto) {
    // Scaled, so that the squares stay in range; 0 at the origin and where one is infinite.
    using V = decltype(a);
    const V size = maximum(abs(b), abs(a));
    const auto infinite = size == V(__builtin_inf());
    const V h = select(logical_or(size == 0, infinite), V(1), size);
    const V u = select(infinite, V(0), b) / h, v = select(infinite, V(0), a) / h;
    const V r2 = u * u + v * v, s = select(r2 == 0, V(1), r2), da = u / s / h, db = -(v / s / h);
    return std::pair([da](V t) { return t * da; }, [db](V t) { return t * db; });
  }
};

/// g where y > 0: the gradient of relu.
template <>
struct Elementwise<Binary::relu_grad> : Arithmetic {
  static constexpr Notation notation{"y = a if b &gt; 0, else 0", {"1 if b &gt; 0, else 0", "0"}};
  static auto value(auto g, auto y) { return select(y <= 0, decltype(g)(0), g); }
};

/// g sigmoid'(x).
template <>
struct Elementwise<Binary::sigmoid_grad> : Transcendental {
  static constexpr bool f64_in_batches = true;
  static constexpr Notation notation{"y = a · σ(b) · σ(−b)", {"σ(b) · σ(−b)", "−y · tanh(b / 2)"}};
  static auto value(auto g, auto x) { return g * sigmoid_slope(x); }
};

/// g tanh'(x).
template <>
struct Elementwise<Binary::tanh_grad> : Transcendental {
  static constexpr bool f64_in_batches = true;
  static constexpr Notation notation{"y = a / cosh² b", {"1 / cosh² b", "−2y · tanh b"}};
  static auto value(auto g, auto x) { return g * tanh_slope(x); }
};

/// g gelu'(x).
template <>
struct Elementwise<Binary::gelu_grad> : Transcendental {
  static constexpr Notation notation{"y = a · (Φ(b) + b · φ(b)), where φ is the bell curve and Φ its area",
                                     {"Φ(b) + b · φ(b)", "a · φ(b) · (2 − b²)"}};
  static auto value(auto g, auto x) { return g * Elementwise<Unary::gelu>::slope(x, x); }
};

template <>
struct Elementwise<Binary::bce_with_logits> : Transcendental {
  static constexpr Notation notation{
      "y = −t · ln p − (1 − t) · ln(1 − p), where p = σ(z) = 1 / (1 + e<sup>−z</sup>); the mean of that if y is one "
      "number for n of z",
      {"p − t; divided by n for the mean", "−z; divided by n for the mean"},
      {"z", "t"}};
  /// max(z, 0) - z t + log(1 + exp(-|z|)). The first two are z (step(z) - t) without inf - inf: where the factor is 0
  /// so is the product.
  static auto value(auto z, auto t) {
    using V = decltype(z);
    const V factor = select(z > 0, V(1), V(0)) - t;
    return select(factor == 0, V(0), z * factor) + log1p_exp(z);
  }
};

template <>
struct Elementwise<Binary::hypot> : Arithmetic {
  static constexpr Notation notation{"y = √(a² + b²)", {"a / y", "b / y"}};
  /// Scaled by the larger one, so that the squares stay in range; infinite beside a NaN too, as in C.
  static auto value(auto a, auto b) {
    using V = decltype(a);
    const V p = abs(a), q = abs(b), most = maximum(p, q), infinity(__builtin_inf());
    const V ratio = minimum(p, q) / select(most == 0, V(1), most);
    return select(logical_or(p == infinity, q == infinity), infinity, most * sqrt(1 + ratio * ratio));
  }
  static auto tangents(auto a, auto b, auto y) {
    using V = decltype(a);
    const auto infinite = y == V(__builtin_inf());
    const V size = select(logical_or(y == 0, infinite), V(1), y);
    const auto share = [&](V x) {
      const V far = select(abs(x) == V(__builtin_inf()), sign(x), V(0)), slope = select(infinite, far, x / size);
      return [slope](V t) { return t * slope; };
    };
    return std::pair(share(a), share(b));
  }
};

template <>
struct Elementwise<Binary::logaddexp> : Transcendental {
  static constexpr Notation notation{"y = ln(e<sup>a</sup> + e<sup>b</sup>)",
                                     {"e<sup>a − y</sup>", "e<sup>b − y</sup>"}};
  static auto value(auto a, auto b) {
    using V = decltype(a);
    return maximum(a, b) + log1p_exp(select(a == b, V(0), a - b));  // inf - inf is NaN
  }
  static auto tangents(auto a, auto b, auto) {
    using V = decltype(a);
    // Where both are -inf, none; infinite ones share.
    const auto none = logical_and(a == b, a == V(-__builtin_inf()));
    const V apart = select(a == b, V(0), a - b);
    const auto share = [none](V x) {
      const V slope = select(none, V(0), sigmoid(x));
      return [slope](V t) { return t * slope; };
    };
    return std::pair(share(apart), share(-apart));
  }
};

template <>
struct Elementwise<Binary::xlogy> : Transcendental {
  static constexpr bool f64_in_batches = true;
  static constexpr Notation notation{"y = a · ln b", {"ln b", "a / b"}};
  static auto value(auto a, auto b) { return select(logical_and(a == 0, b == b), decltype(a)(0), a * log(b)); }
  static auto tangents(auto a, auto b, auto) {
    using V = decltype(a);
    const V slope = select(logical_and(a == 0, b <= 0), V(0), log(b));
    return std::pair([slope](V t) { return t * slope; }, [=](V t) { return t * (a / b); });
  }
};

template <>
struct Elementwise<Binary::fmod> : ElementByElement {
  static constexpr bool integers = true;
  static constexpr Notation notation{"y = a − n · b, where n is a / b without its fraction", {"1", "−n"}};
};

template <>
struct Elementwise<Binary::remainder> : ElementByElement {
  static constexpr bool integers = true;
  static constexpr Notation notation{"y = a − n · b, where n is a / b rounded down", {"1", "−n"}};
};

template <>
struct Elementwise<Binary::floor_divide> : ElementByElement {
  static constexpr bool integers = true;
  static constexpr Notation notation{"y = a / b, rounded down", {"0", "0: y does not move until it jumps"}};
};

template <>
struct Elementwise<Binary::polygamma> : ElementByElement {
  static constexpr Notation notation{"y = the derivative number n of ψ at x, where ψ is the slope of ln Γ",
                                     {"0", "derivative number n + 1"},
                                     {"n", "x"}};
};

}  // namespace xgrad::kernels
#pragma GCC visibility pop
