#pragma once
#include <autograd/tensor.hpp>
#include <memory>

#pragma GCC visibility push(default)

/// Functions of tensors as transforms and gradient checks take them: called as f(x), f(x, w), ... with up to six
/// tensors, or as f(const std::vector<Tensor>&); they return a Tensor or a std::vector<Tensor>.
namespace xgrad::detail {

/// A tensor given to a function that the user named elsewhere: an op or a layer gets that place with it.
struct Handed {
  const Tensor& tensor;
  Place place;
  operator const Tensor&() const { return tensor; }
  operator Operand() const { return {tensor, place}; }
};

/// Whether F's parameters are of known types: it is no generic lambda, and not overloaded.
template <class F>
inline constexpr bool has_one_signature = std::is_function_v<F> || std::is_pointer_v<F> || requires {
  &F::operator();
};

/// f(x...), at the place where f was handed over. Default arguments of f, as a layer's conversion to an Operand, would
/// name the line of the library's header that calls f.
template <class F, class... X>
decltype(auto) call_at(Place place, F& f, const X&... x) {
  if constexpr (!std::is_same_v<std::unwrap_reference_t<std::remove_cv_t<F>>, std::remove_cv_t<F>>) {
    return call_at(place, f.get(), x...);
  } else if constexpr (has_one_signature<F> && std::is_invocable_v<F&, decltype(Handed{x, place})..., Place>) {
    return f(Handed{x, place}..., place);
  } else if constexpr (has_one_signature<F> && std::is_invocable_v<F&, decltype(Handed{x, place})...>) {
    return f(Handed{x, place}...);
  } else {
    return f(x...);
  }
}

template <class F, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return std::is_invocable_v<F&, decltype((I, std::declval<const Tensor&>()))...>;
}
template <class F, std::size_t N>
inline constexpr bool takes_tensors = takes<F>(std::make_index_sequence<N>());

/// How many tensors f may be given, a bit for each number; all bits if it takes a std::vector.
template <class F>
inline constexpr unsigned arities = [] {
  const unsigned some = takes_tensors<F, 1> << 1 | takes_tensors<F, 2> << 2 | takes_tensors<F, 3> << 3 |
                        takes_tensors<F, 4> << 4 | takes_tensors<F, 5> << 5 | takes_tensors<F, 6> << 6;
  return some ? some : ~0u;
}();

template <class F, std::size_t... I>
decltype(auto) call(Place place, F& f, const std::vector<Tensor>& x, std::index_sequence<I...>) {
  return call_at(place, f, x[I]...);
}
/// The result of f for tensors, as a Tensor or a std::vector<Tensor>.
template <class F, std::size_t N = 1>
constexpr auto result_of() {
  if constexpr (takes_tensors<F, N>) {
    using R = decltype(call({}, std::declval<F&>(), {}, std::make_index_sequence<N>()));
    return std::type_identity<std::conditional_t<std::is_convertible_v<R, Tensor>, Tensor, std::vector<Tensor>>>();
  } else if constexpr (N < 6) {
    return result_of<F, N + 1>();
  } else {
    using R = std::invoke_result_t<F&, const std::vector<Tensor>&>;
    return std::type_identity<std::conditional_t<std::is_convertible_v<R, Tensor>, Tensor, std::vector<Tensor>>>();
  }
}
template <class F>
using Result = typename decltype(result_of<std::remove_reference_t<F>>())::type;

/// A borrowed function, whatever its form, and where it was handed over: unless told, where the op in progress was
/// called.
class TensorFunction {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_const_t<F>, TensorFunction>) explicit TensorFunction(
      F& f, Place place = OpScope::place({}))
      : call_(&run<F>), arities_(arities<F>), place_(place) {
    if constexpr (std::is_function_v<F>) {
      f_ = reinterpret_cast<void*>(&f);
    } else {
      f_ = const_cast<void*>(static_cast<const void*>(std::addressof(f)));
    }
  }
  /// f(x) as a list. `check_takes` first.
  std::vector<Tensor> operator()(const std::vector<Tensor>& x) const { return call_(f_, place_, x); }
  /// Throws ValueError unless f takes that many tensors.
  void check_takes(const OpScope& scope, std::size_t count) const;

 private:
  template <class F>
  static std::vector<Tensor> run(void* p, Place place, const std::vector<Tensor>& x) {
    F& f = *reinterpret_cast<F*>(p);
    if constexpr (arities<F> == ~0u) {
      return listed<F>(f(x));
    } else {
      return run_with<1>(f, place, x);
    }
  }
  template <std::size_t N, class F>
  static std::vector<Tensor> run_with(F& f, Place place, const std::vector<Tensor>& x) {
    if constexpr (takes_tensors<F, N>) {
      if (x.size() == N) return listed<F>(call(place, f, x, std::make_index_sequence<N>()));
    }
    if constexpr (N < 6) {
      return run_with<N + 1>(f, place, x);
    } else {
      return {};
    }
  }
  template <class F>
  static std::vector<Tensor> listed(Result<F> result) {
    if constexpr (std::is_same_v<Result<F>, Tensor>) {
      return std::vector<Tensor>{std::move(result)};
    } else {
      return result;
    }
  }

  void* f_;
  std::vector<Tensor> (*call_)(void*, Place, const std::vector<Tensor>&);
  unsigned arities_;
  Place place_;
};

}  // namespace xgrad::detail
#pragma GCC visibility pop
