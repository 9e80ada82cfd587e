#pragma once
#include <autograd/fused/isa.hpp>
#include <autograd/kernels/binary.hpp>
#include <autograd/kernels/unary.hpp>
#include <type_traits>

/// What a fused function is tried on before it is compiled for numbers.
namespace xgrad::kernels::XGRAD_ISA {

struct Probe;

/// Whether A and B may stand beside each other in a formula, at least one of them a Probe.
template <class A, class B>
concept Probed = (std::is_same_v<A, Probe> && (std::is_same_v<B, Probe> || std::is_arithmetic_v<B>)) ||
                 (std::is_arithmetic_v<A> && std::is_same_v<B, Probe>);

/// A choice between elements, which no `if` can make.
struct ProbeMask {
  explicit ProbeMask(int) {}
  explicit operator bool() const = delete;  // each element has its own truth: write select(mask, a, b)

  friend ProbeMask logical_and(ProbeMask a, ProbeMask) { return a; }
  friend ProbeMask logical_or(ProbeMask a, ProbeMask) { return a; }
  friend ProbeMask logical_not(ProbeMask a) { return a; }
  friend Probe select(ProbeMask, const Probe& a, const Probe& b);
  friend Probe where(ProbeMask, const Probe& a, const Probe& b);
};

/// What formulas can do with a value, and nothing else: a mistake in one ends in a short error, once, and not in the
/// candidates of an overloaded function for each type that the formula is compiled for. It converts to a number so that
/// functions of numbers, such as std::exp, do take it. Operators and functions of two take each type as it is, for a
/// conversion would leave C++'s own as good a choice.
struct Probe {
  template <class A>
  requires std::is_arithmetic_v<A> Probe(A) {}
  operator double() const = delete;  // in a fused function write exp(x), not std::exp(x), and so with all functions

#define XGRAD_OF_TWO(name, Result) \
  template <class A, class B>      \
  requires Probed<A, B>            \
  friend Result name(const A&, const B&) { return Result(0); }
  XGRAD_OF_TWO(operator+, Probe)
  XGRAD_OF_TWO(operator-, Probe)
  XGRAD_OF_TWO(operator*, Probe)
  XGRAD_OF_TWO(operator/, Probe)
  XGRAD_OF_TWO(operator==, ProbeMask)
  XGRAD_OF_TWO(operator!=, ProbeMask)
  XGRAD_OF_TWO(operator<, ProbeMask)
  XGRAD_OF_TWO(operator<=, ProbeMask)
  XGRAD_OF_TWO(operator>, ProbeMask)
  XGRAD_OF_TWO(operator>=, ProbeMask)
#define XGRAD_FUNCTION(name) XGRAD_OF_TWO(name, Probe)
  XGRAD_BINARY_KERNELS(XGRAD_FUNCTION)
#undef XGRAD_FUNCTION
#undef XGRAD_OF_TWO
#define XGRAD_FUNCTION(name) \
  friend Probe name(const Probe& x) { return x; }
  XGRAD_UNARY_KERNELS(XGRAD_FUNCTION)
#undef XGRAD_FUNCTION
  friend Probe operator+(const Probe& x) { return x; }
  friend Probe operator-(const Probe& x) { return x; }
  Probe& operator+=(const Probe&) { return *this; }
  Probe& operator-=(const Probe&) { return *this; }
  Probe& operator*=(const Probe&) { return *this; }
  Probe& operator/=(const Probe&) { return *this; }

  friend ProbeMask isnan(const Probe&) { return ProbeMask(0); }
  friend ProbeMask isfinite(const Probe&) { return ProbeMask(0); }
  friend Probe clamp(const Probe& x, double, double) { return x; }
};

inline Probe select(ProbeMask, const Probe& a, const Probe&) { return a; }
inline Probe where(ProbeMask, const Probe& a, const Probe&) { return a; }

}  // namespace xgrad::kernels::XGRAD_ISA
