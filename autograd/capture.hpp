#pragma once
#include <autograd/core/tensor_function.hpp>
#include <autograd/support/function_ref.hpp>
#include <memory>

#pragma GCC visibility push(default)

/// A step that is done often is captured once and replayed:
///
///   auto step = capture([&](const Tensor& x, const Tensor& t) {
///     const Tensor loss = nn::binary_cross_entropy(model(x), t);
///     optimizer.zero_grad();
///     loss.backward();
///     optimizer.step();
///     return loss;
///   });
///   for (const auto& [x, t] : batches) losses.push_back(step(x, t));
///
/// The first two calls run the function and write down the kernels that it starts, on memory of their own. Later calls
/// run these kernels, on the tensors that are passed then, without building a graph, allocating or locking. What comes
/// out has the same bits: parameters, gradients, results, random numbers (each replay takes the next ones), and what
/// optimisers hold; learning rates are those of the moment. Other shapes or dtypes, gradients on or off, and a module
/// that went from training to evaluation or back, are captured anew; the latest captures are kept.
///
/// What the function does besides ops, on the calling thread, is done only while it is captured. So its control flow is
/// fixed, `item` in it is not called again, and a C++ number is used as it was. Tensors that are kept from inside,
/// `grad()` too, change with each call: `clone` what shall last. Call `reset` after what the function refers to has
/// changed: a layer added, another optimiser.
///
/// A tensor that the function does not get as an argument is always the one that it met. What it carries from one call
/// to the next, momentum, an average, a recurrent state, is therefore changed in place, `k.assign(k + x)` under NoGrad,
/// or passed in and returned. A function that puts another tensor in its place, as by `k = k + x`, throws GraphError:
/// when it lets go of a tensor that it has read; and if somebody else holds on to that, when it has met other tensors
/// in each of its first three runs (one more run is for a function that makes something once, such as a table). Not
/// noticed is what changes after that: a tensor that is replaced in a later call while somebody else holds the first.
///
/// Hooks are part of the function: the ops that they run are replayed, and a leaf or a module that gets a hook or loses
/// one is noticed, so that the step is captured anew.
///
/// An op that computes outside of xgrad's kernels, as one with an xtensor expression as its forward, throws GraphError.
/// An exception in the first call, or in a later one, as for an index out of range, leaves everything usable.
namespace xgrad {

namespace detail {

/// The captured steps of one function, the last used first.
class CapturedSteps {
 public:
  using Body = FunctionRef<void(const Tensor* arguments, std::vector<Tensor>& results)>;

  CapturedSteps();
  CapturedSteps(CapturedSteps&&) noexcept;
  CapturedSteps& operator=(CapturedSteps&&) noexcept;
  ~CapturedSteps();

  /// Replays what fits the arguments, or records the function. How many results there are.
  std::size_t run(const Tensor* const* arguments, std::size_t count, Body body);
  Tensor result(std::size_t i) const;
  void reset();
  std::size_t size() const;

 private:
  struct List;
  std::unique_ptr<List> list_;
};

/// Whether a captured function is simply called: as part of another one that is being captured, or observed.
bool runs_plainly();

}  // namespace detail

/// A function whose calls are replayed; made by `capture`. For one thread at a time.
template <class F>
class Captured {
 public:
  explicit Captured(F function, Place place = Place::here()) : function_(std::move(function)), place_(place) {}

  /// What the function returns: nothing, a Tensor or a std::vector<Tensor>. Results have numbers of their own, and no
  /// history. While another function is being captured, this one is simply called, as a part of it; and also while an
  /// observer is alive, a profiler say, which would see nothing of a replay.
  template <std::convertible_to<const Tensor&>... T>
  auto operator()(const T&... arguments) {
    using R = std::invoke_result_t<F&, decltype(static_cast<const Tensor&>(arguments))...>;
    static_assert(can_return<R>, "a captured function returns nothing, a Tensor or a std::vector<Tensor>");
    if constexpr (can_return<R>) return run<R>(static_cast<const Tensor&>(arguments)...);
  }

  /// Forgets all captured steps: the next call captures.
  void reset() { steps_.reset(); }
  /// How many captured steps there are.
  std::size_t recordings() const { return steps_.size(); }

 private:
  template <class R>
  static constexpr bool can_return =
      std::is_void_v<R> || std::is_same_v<R, Tensor> || std::is_same_v<R, std::vector<Tensor>>;

  template <class R, std::same_as<Tensor>... T>
  R run(const T&... arguments) {
    if (detail::runs_plainly()) return detail::call_at(place_, function_, arguments...);
    const Tensor* const given[] = {&arguments..., nullptr};
    const auto body = [this](const Tensor* passed, std::vector<Tensor>& results) {
      call<R>(passed, results, std::make_index_sequence<sizeof...(T)>());
    };
    const std::size_t count = steps_.run(given, sizeof...(T), body);
    if constexpr (std::is_same_v<R, Tensor>) {
      return steps_.result(0);
    } else if constexpr (!std::is_void_v<R>) {
      R results(count);
      for (std::size_t i = 0; i < count; ++i) results[i] = steps_.result(i);
      return results;
    }
  }

  template <class R, std::size_t... i>
  void call([[maybe_unused]] const Tensor* arguments, std::vector<Tensor>& results, std::index_sequence<i...>) {
    const auto run = [&]() -> R { return detail::call_at(place_, function_, arguments[i]...); };
    if constexpr (std::is_void_v<R>) {
      run();
    } else if constexpr (std::is_same_v<R, Tensor>) {
      results.push_back(run());
    } else {
      results = run();
    }
  }

  F function_;
  Place place_;  // where it was handed over
  detail::CapturedSteps steps_;
};

/// `function`, whose calls are captured once and replayed; see above for what it may do.
template <class F>
Captured<F> capture(F function, Place place = Place::here()) {
  return Captured<F>(std::move(function), place);
}

}  // namespace xgrad
#pragma GCC visibility pop
