#pragma once
#include <autograd/tensor.hpp>

#pragma GCC visibility push(default)

namespace xgrad::detail {

/// A borrowed f() -> Tensor, such as a lambda: what is to be watched while it runs.
class Program {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, Program> && std::is_invocable_r_v<Tensor, F&>) Program(F&& f)
      : f_(const_cast<void*>(static_cast<const void*>(&f))),
        call_([](void* p) -> Tensor { return (*static_cast<std::remove_reference_t<F>*>(p))(); }) {}

  Tensor operator()() const { return call_(f_); }

 private:
  void* f_;
  Tensor (*call_)(void* f);
};

}  // namespace xgrad::detail
#pragma GCC visibility pop
