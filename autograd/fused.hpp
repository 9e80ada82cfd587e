#pragma once
#include <autograd/fused/probe.hpp>
// The probe is first: what a mistake ends in names the headers that lead to it.
#include <autograd/fused/dual.hpp>
#include <autograd/fused/op.hpp>
#include <autograd/ops.hpp>
#include <new>

/// An elementwise formula as one op, with its derivatives:
///
///   const Tensor y = fused("gate", [](auto x, auto m) { return x * sigmoid(m * x); }, x, m);
///
/// The function is compiled three times over. On batches of elements it gives the values, in one pass over memory; on
/// dual numbers over batches it gives the cotangents of all inputs, in one pass over the inputs and the cotangent of
/// y; on tensors it is what derivatives of higher order are taken of, by the rules of its ops, so that all of them
/// exist. Nothing but the inputs is kept for the backward pass.
///
/// It is written with +, -, *, / and C++ numbers, comparisons, `select(mask, a, b)` for branches, and the elementwise
/// functions of autograd/ops.hpp, called without a namespace; `logical_and`, `logical_or` and `logical_not` combine
/// masks. Values and derivatives are theirs, at kinks and for NaN too. Its parameters are `auto`, it returns one value,
/// and captures numbers only.
///
/// Speed is that of the instructions that the program is compiled for: plain arithmetic waits for memory with any,
/// while exp and its like gain from -march=native. Only programs that include this header need xsimd.
namespace xgrad {

/// a where the boolean mask is true, b elsewhere: `where`, but two numbers have the dtype of a fused function's inputs.
inline Tensor select(const Tensor& mask, const Operand& a, const Operand& b) {
  const Operand mask_here(mask, a.place());
  if (!a.is_number() || !b.is_number()) return where(mask_here, a, b);
  return where(mask_here, a.tensor(detail::dtype_of_numbers.value_or(f32)), b);
}
/// Of two numbers: inside a fused function a choice between them; elsewhere integers are an axis and a position on it.
template <class A, class B>
requires(std::is_arithmetic_v<A>&& std::is_arithmetic_v<B>) Tensor
    select(const Tensor& x, A a, B b, Place place = Place::here()) {
  if constexpr (std::is_integral_v<A> && std::is_integral_v<B>) {
    if (!detail::dtype_of_numbers) return select(Operand(x, place), static_cast<int>(a), static_cast<std::int64_t>(b));
  }
  return select(x, Operand(a, place.file, place.line), Operand(b, place.file, place.line));
}

namespace kernels::XGRAD_ISA {

// GCC bug 105593: its own AVX-512 headers leave operands uninitialised on purpose, and are warned about.
#if defined __GNUC__ && !defined __clang__ && __GNUC__ < 13
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

// Every call in a row is inlined; sanitizers would take twice as long to compile that.
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define XGRAD_FUSED_ROW
#else
#define XGRAD_FUSED_ROW [[gnu::flatten]]
#endif

template <class F, class T, std::size_t... i>
struct FusedRows {
  using V = Value<T>;
  static constexpr std::size_t count = sizeof...(i);
  using D = Dual<T, count>;

  XGRAD_FUSED_ROW static void values(const void* closure, const void* const* in, void* const* out, Size n) {
    const F f = *std::launder(static_cast<const F*>(closure));
    const T* const x[] = {static_cast<const T*>(in[i])...};
    T* const y = static_cast<T*>(out[0]);
    for (Size at = 0; at < n; at += V::width) {
      const V result = f(V::load(x[i] + at)...);
      result.store(y + at);
    }
  }

  XGRAD_FUSED_ROW static void partials(const void* closure, const void* const* in, void* const* out, Size n) {
    const F f = *std::launder(static_cast<const F*>(closure));
    const T* const x[] = {static_cast<const T*>(in[i])...};
    const T* const g = static_cast<const T*>(in[count]);
    T* const to[] = {static_cast<T*>(out[i])...};
    for (Size at = 0; at < n; at += V::width) {
      const D y = f(D::variable(V::load(x[i] + at), i)...);
      const V cotangent = V::load(g + at);
      ((to[i] ? (y.depends_on(i) ? cotangent * y.tangent[i] : V(0)).store(to[i] + at) : void()), ...);
    }
  }

  static constexpr xgrad::detail::FusedFunction::Rows rows{values, partials, int(V::width)};
};

#undef XGRAD_FUSED_ROW

template <class>
using ProbeFor = Probe;

/// Compiles a fused function for numbers and tensors. R is what it gives of probes: where it fails with them there is
/// no such type, and compilers say nothing of all that was to follow.
template <class R>
struct FusedFor {
  template <class F, std::size_t... i>
  static xgrad::detail::FusedFunction compile(const F& f, std::index_sequence<i...>) {
    xgrad::detail::FusedFunction function{};
    static_assert(std::is_trivially_copyable_v<F> && sizeof(F) <= sizeof function.closure,
                  "a fused function captures nothing but numbers, eight at most");
    new (function.closure) F(f);
    function.rows[int(f32)] = FusedRows<F, float, i...>::rows;
    function.rows[int(f64)] = FusedRows<F, double, i...>::rows;
    function.of_tensors = [](const void* closure, const Tensor* inputs) -> Tensor {
      return (*std::launder(static_cast<const F*>(closure)))(inputs[i]...);
    };
    return function;
  }
};

#if defined __GNUC__ && !defined __clang__ && __GNUC__ < 13
#pragma GCC diagnostic pop
#endif

}  // namespace kernels::XGRAD_ISA

namespace detail {

/// An op's name, and the line where it was handed over.
struct NameHere {
  const char* name;
  Place place;
  NameHere(const char* n, const char* file = __builtin_FILE(), int line = __builtin_LINE())
      : name(n), place{file, line} {}
};
inline const Operand& operand(const Operand& x, Place) { return x; }
inline Operand operand(const Tensor& x, Place place) { return {x, place}; }
template <class N>
requires std::is_arithmetic_v<N> Operand operand(N x, Place place) { return {x, place.file, place.line}; }

}  // namespace detail

inline namespace XGRAD_ISA {

/// f(x...) elementwise, for 1 to 6 inputs, tensors or C++ numbers, which broadcast. All tensors are f32 or all f64.
/// Throws ShapeError and DtypeError like other ops.
template <class F, class... X>
requires(sizeof...(X) >= 1 && sizeof...(X) <= std::size_t(kernels::max_results)) Tensor
    fused(detail::NameHere name, const F& f, const X&... x) {
  using Compiled = kernels::XGRAD_ISA::FusedFor<decltype(f(std::declval<kernels::XGRAD_ISA::ProbeFor<X>>()...))>;
  const detail::FusedFunction function = Compiled::compile(f, std::index_sequence_for<X...>());
  return detail::fused<sizeof...(X)>(name.name, function, {OperandRef(detail::operand(x, name.place))...});
}

}  // namespace XGRAD_ISA
}  // namespace xgrad
