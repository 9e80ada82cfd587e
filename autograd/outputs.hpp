#pragma once
#include <array>
#include <autograd/primitive.hpp>
#include <memory>

#pragma GCC visibility push(default)

/// Ops with several outputs:
///
///   const auto [s, c] = primitive("sincos", {x}, forward,  // returns std::array<Array, 2>
///       [](const std::array<Tensor, 2>& g, const std::array<Tensor, 2>& y) { return g[0] * y[1] - g[1] * y[0]; });
///
/// A rule takes the cotangents of all outputs, zeros for those that were not used, and if it asks for them the outputs.
/// An output that only the rules use is how a forward hands them what it has computed: a rule that treats its cotangent
/// like any other has right derivatives of every order. Outputs that are not floating have no derivative, and an
/// undefined cotangent.
namespace xgrad {
namespace detail {

/// Packs several outputs of one call into one array, of which callers see slices: the floating ones behind each other
/// in one array, of which everybody else sees slices.
class Outputs {
 public:
  /// Joins the floating ones of `outputs`, which must have one dtype.
  Outputs(const OpScope& scope, const Array* outputs, std::size_t count, Array& joined);

  /// Their slices of a tensor of the joined array's shape; undefined for outputs that are not floating.
  void cotangents(const Tensor& joined, Tensor* parts) const;
  /// The same with the other outputs in their places.
  void values(const Tensor& joined, Tensor* parts) const;

 private:
  struct Output {
    Shape shape;
    std::int64_t begin;
    Tensor constant;  // undefined if floating
  };
  std::vector<Output> outputs_;
};

/// A rule of tensors joined by `outputs` from one of their parts.
template <std::size_t M, class R>
auto of_parts(R&& rule, const std::shared_ptr<const Outputs>& outputs) {
  using Parts = std::array<Tensor, M>;
  using F = std::decay_t<R>;
  if constexpr (!is_rule<R>) {
    return not_differentiable;
  } else if constexpr (std::is_invocable_v<F&, const Parts&, const Parts&>) {
    return [rule = std::forward<R>(rule), outputs](const Tensor& g, const Tensor& y) mutable {
      Parts cotangents, values;
      outputs->cotangents(g, cotangents.data());
      outputs->values(y, values.data());
      return rule(std::as_const(cotangents), std::as_const(values));
    };
  } else {
    static_assert(std::is_invocable_v<F&, const Parts&>,
                  "a rule of an op with M outputs takes a std::array<Tensor, M> of cotangents, and perhaps one of "
                  "outputs");
    return [rule = std::forward<R>(rule), outputs](const Tensor& g) mutable {
      Parts cotangents;
      outputs->cotangents(g, cotangents.data());
      return rule(std::as_const(cotangents));
    };
  }
}

/// Records how `arrays` came from `inputs`, if any of them needs a gradient.
template <std::size_t M, std::size_t N, class... Rules>
std::array<Tensor, M> record_outputs(const OpScope& scope, Watch& watch, const char* name,
                                     const OperandRef (&inputs)[N], const std::array<Array, M>& arrays,
                                     Rules&&... rules) {
  static_assert(sizeof...(Rules) == N, "an op has one rule for each input");
  std::array<Tensor, M> result;
  if (!recording(inputs, N) && !Observing::active()) {
    for (std::size_t i = 0; i < M; ++i) result[i] = Tensor(arrays[i]);
    return result;
  }
  Array joined;
  const auto outputs = std::make_shared<const Outputs>(scope, arrays.data(), M, joined);
  const Tensor whole = record(name, inputs, false, watch.computed(std::move(joined)),
                              of_parts<M>(std::forward<Rules>(rules), outputs)...);
  watch.ends(whole);
  outputs->values(whole, result.data());
  return result;
}

template <class T>
inline constexpr std::size_t arrays_in = 0;
template <std::size_t M>
inline constexpr std::size_t arrays_in<std::array<Array, M>> = M;

}  // namespace detail

/// An op with several outputs from its forward, a function that takes no argument and returns their Arrays, and one
/// rule per input. Throws DtypeError unless the floating outputs have one dtype.
template <std::size_t N, class Forward, class... Rules>
requires(detail::arrays_in<std::invoke_result_t<Forward&>> >
         0) auto primitive(const char* name, const OperandRef (&inputs)[N], Forward&& forward, Rules&&... rules) {
  const OpScope scope(name, inputs[0].place());
  detail::check_inputs(inputs, N);
  detail::Watch watch(name, inputs, N);
  return detail::record_outputs(scope, watch, name, inputs, forward(), std::forward<Rules>(rules)...);
}

}  // namespace xgrad
#pragma GCC visibility pop
