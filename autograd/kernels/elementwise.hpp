#pragma once

#pragma GCC visibility push(default)

/// What the definitions of elementwise functions (unary.hpp, binary.hpp) share.
///
/// Each function is defined once, by a specialisation of `Elementwise` for its name in one of the lists. Kernels and
/// their cost, `fused` with its derivatives, and the pages of `explain` are made from it.
namespace xgrad::kernels {

/// A function in school notation, as HTML: y, and its derivative by each input, which is x or is a and b.
struct Notation {
  const char* value;
  const char* derivatives[2];
  const char* inputs[2] = {"a", "b"};  // of a function of two
};

/// The definition of kernel Unary::f or Binary::f. It derives from one of the two classes below, and has
///
///   static constexpr Notation notation;
///   static auto value(auto x);           // f, if f is in a list of formulas
///   static auto slope(auto x, auto y);   // f'(x) where y = f(x)
///
/// The arguments are a `Value` (simd/value.hpp): arithmetic on it, comparisons, `select` and every function here. A
/// slope may be a mask, for the derivatives 1 and 0: what meets that 0 becomes 0, infinity too. Functions of two take
/// `a` and `b` for x, and the pair of functions `tangents(a, b, y)`, of a's tangent and of b's, stands for the slope;
/// one that no fused function may call has none.
template <auto kernel>
struct Elementwise;

/// The slope of what is constant between jumps.
struct Zero {};

/// Functions that wait for memory. They are computed batch by batch and their products and sums are rounded one by one,
/// so that all instruction sets give the same bits.
struct Arithmetic {
  static constexpr bool transcendental = false;                        // whether it takes longer than memory does
  static constexpr bool f32_in_batches = true, f64_in_batches = true;  // otherwise element by element, by libm
  static constexpr bool contracted = false;  // whether a * b + c of f32 may be rounded once; of f64 it never is
  static constexpr bool integers = false;    // whether it is defined for i64, where it wraps around
};
/// Functions that take longer than memory does: f32 in batches, to a few ulp, and f64 by libm.
struct Transcendental : Arithmetic {
  static constexpr bool transcendental = true, f64_in_batches = false, contracted = true;
};
/// Functions with no form for batches.
struct ElementByElement : Transcendental {
  static constexpr bool f32_in_batches = false, contracted = false;
};

}  // namespace xgrad::kernels
#pragma GCC visibility pop
