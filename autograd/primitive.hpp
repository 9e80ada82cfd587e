#pragma once
#include <autograd/core/capturing.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/kernels/table.hpp>
#include <autograd/node.hpp>
#include <autograd/observer.hpp>

#pragma GCC visibility push(default)

/// How an op is made. Forward and derivative stand together, one vjp per input:
///
///   Tensor exp(const Operand& x) {
///     return elementwise("exp", {x}, kernels::Unary::exp, [](const Tensor& g, const Tensor& y) { return g * y; });
///   }
///
/// A rule takes the cotangent `g`, or `g` and the output `y`; it is written in ops, so it can be differentiated again.
/// It never captures the output, which would be a reference cycle: the engine hands it in and keeps its numbers only if
/// some rule asks for them. A rule for an input that needs no gradient is never stored. A rule that returns an
/// undefined tensor means zero.
namespace xgrad {

/// An input of an op, borrowed for the call.
class OperandRef {
 public:
  OperandRef(const Operand& o)
      : tensor_(o.is_number() ? nullptr : &o.tensor()),
        number_(&o.number()),
        file_(o.place().file),
        line_(o.place().line) {}
  OperandRef(const Tensor& t, const char* file = __builtin_FILE(), int line = __builtin_LINE())
      : tensor_(&t), file_(file), line_(line) {}

  /// Either a number or a tensor.
  bool is_number() const { return !tensor_; }
  const Number& number() const { return *number_; }
  const Tensor& tensor() const { return *tensor_; }
  bool requires_grad() const { return tensor_ && tensor_->requires_grad(); }
  Place place() const { return {file_, line_}; }

 private:
  const Tensor* tensor_;
  const Number* number_ = nullptr;
  const char* file_;
  int line_;
};

/// In place of a rule: no derivative flows to this input.
struct NotDifferentiable {};
inline constexpr NotDifferentiable not_differentiable{};

/// The rule of a piecewise constant op: zero, without numbers.
inline constexpr auto zero_rule = [](const Tensor&) { return Tensor(); };

namespace detail {

/// Whether any of the inputs needs a gradient now.
inline bool recording(const OperandRef* inputs, std::size_t count) {
  if (!grad_enabled()) return false;
  for (std::size_t i = 0; i < count; ++i)
    if (inputs[i].requires_grad()) return true;
  return false;
}
/// The dtype, f32 or f64, that all inputs but plain numbers have; throws DtypeError if they differ.
Dtype common_floating_dtype(const OperandRef* inputs, std::size_t count);
/// check_inputs where something is amiss or recorded.
void examine_inputs(const OperandRef* inputs, std::size_t count, bool allow_numbers);
/// Throws unless every input is defined and, in a pass, not overwritten since the node being differentiated was made.
/// Only elementwise ops of several inputs take plain numbers.
inline void check_inputs(const OperandRef* inputs, std::size_t count, bool allow_numbers = false) {
  const std::uint64_t last_valid = Differentiating::last_valid();
  bool fine = !capturing::active();
  for (std::size_t i = 0; i < count; ++i)
    fine = fine && (inputs[i].is_number() ? allow_numbers : inputs[i].tensor().is_valid(last_valid));
  if (!fine) [[unlikely]]
    examine_inputs(inputs, count, allow_numbers);
}
template <class R>
inline constexpr bool is_rule = !std::is_same_v<std::decay_t<R>, NotDifferentiable>;

template <class R>
void attach(NodeMaker& maker, int argument, const OperandRef& input, R&& rule, bool sum_to_input) {
  if constexpr (is_rule<R>) {
    if (input.requires_grad()) maker.connect(input.tensor().node(), argument, sum_to_input, std::forward<R>(rule));
  }
}

/// Tells the observers of an op whose arguments have been checked.
class Watch {
 public:
  Watch(const char* name, const OperandRef* inputs, std::size_t count) {
    if (Observing::active()) [[unlikely]]
      tell_start(name, inputs, count);
  }
  ~Watch() {
    if (watching_) [[unlikely]]
      tell_end(Tensor());
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  Array&& computed(Array&& result) const {
    if (watching_) [[unlikely]]
      tell_computed(result);
    return std::move(result);
  }
  void ends(const Tensor& result) {
    if (watching_) [[unlikely]]
      tell_end(result);
  }

 private:
  void tell_start(const char* name, const OperandRef* inputs, std::size_t count);
  void tell_computed(Array& result) const;
  void tell_end(const Tensor& result);

  bool watching_ = false;
  OpCall call_;
};

/// Records how `result` came from `inputs`, if any of them needs a gradient.
template <std::size_t N, class... Rules>
Tensor record(const char* name, const OperandRef (&inputs)[N], bool sum_to_inputs, Array&& result, Rules&&... rules) {
  static_assert(sizeof...(Rules) == N, "an op has one rule for each input");
  if (!recording(inputs, N)) return Tensor(std::move(result));
  std::size_t edges = 0, closures = 0;
  int argument = 0;
  const auto count = [&](bool stored, std::size_t bytes) {
    edges += stored;
    closures += stored ? bytes : 0;
  };
  ((count(is_rule<Rules> && inputs[argument].requires_grad(), Rule::bytes<std::decay_t<Rules>>), ++argument), ...);
  NodeMaker maker(name, OpScope::place(inputs[0].place()), result, edges, closures);
  argument = 0;
  ((attach(maker, argument, inputs[argument], std::forward<Rules>(rules), sum_to_inputs), ++argument), ...);
  return maker.finish(std::move(result));
}

/// Where the tensor was made, if it is what this thread's last comparison gave. For a conversion to bool, which is not
/// told where it was written: in `if (x > 0)` it comes just after.
Place place_of_comparison(const Tensor& t);

Array elementwise_forward(const OperandRef (&inputs)[1], kernels::Unary kernel);
Array elementwise_forward(const OperandRef (&inputs)[2], kernels::Binary kernel);

}  // namespace detail

/// An op from its forward, a function that takes no argument and returns the result's Array, and one rule per input.
/// Strict: a cotangent of another shape than its input's throws GraphError in the sweep, naming op and input.
template <std::size_t N, class Forward, class... Rules>
requires std::is_invocable_r_v<Array, Forward&> Tensor primitive(const char* name, const OperandRef (&inputs)[N],
                                                                 Forward&& forward, Rules&&... rules) {
  const OpScope scope(name, inputs[0].place());
  detail::check_inputs(inputs, N);
  detail::Watch watch(name, inputs, N);
  Tensor result = detail::record(name, inputs, false, watch.computed(forward()), std::forward<Rules>(rules)...);
  watch.ends(result);
  return result;
}

/// An elementwise op from its kernel: checks dtypes, broadcasts, and sums each cotangent back to its input's shape.
/// Of several inputs some may be numbers, which take the tensors' dtype.
template <std::size_t N, class Kernel, class... Rules>
Tensor elementwise(const char* name, const OperandRef (&inputs)[N], Kernel kernel, Rules&&... rules) {
  const OpScope scope(name, inputs[0].place());
  detail::check_inputs(inputs, N, N > 1);
  detail::Watch watch(name, inputs, N);
  Tensor result = detail::record(name, inputs, N > 1, watch.computed(detail::elementwise_forward(inputs, kernel)),
                                 std::forward<Rules>(rules)...);
  watch.ends(result);
  return result;
}

/// f(a, b) as booleans, and f(x) as booleans: never differentiable.
Tensor compare(const char* name, const Operand& a, const Operand& b, kernels::Compare kernel);
/// Of i64 or boolean tensors, as such: never differentiable.
Tensor bitwise(const char* name, const Operand& a, const Operand& b, kernels::Bitwise kernel);
Tensor predicate(const char* name, const Operand& x, kernels::Predicate kernel);

}  // namespace xgrad
#pragma GCC visibility pop
