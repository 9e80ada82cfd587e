#pragma once
#include <memory>
#include <type_traits>
#include <utility>

#pragma GCC visibility push(default)

namespace xgrad::detail {

/// A function that is borrowed for a call, such as a lambda: two pointers, and no allocation.
template <class Signature>
class FunctionRef;

template <class R, class... Args>
class FunctionRef<R(Args...)> {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef> && std::is_invocable_r_v<R, F&, Args...>)
      FunctionRef(F&& f)
      : f_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))), call_([](void* p, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(p))(std::forward<Args>(args)...);
        }) {}

  R operator()(Args... args) const { return call_(f_, std::forward<Args>(args)...); }

 private:
  void* f_;
  R (*call_)(void* f, Args... args);
};

}  // namespace xgrad::detail
#pragma GCC visibility pop
