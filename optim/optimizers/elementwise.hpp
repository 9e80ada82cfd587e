#pragma once
#include <autograd/kernels/pieces.hpp>
#include <autograd/kernels/table.hpp>

/// An optimiser's kernel from its formula for one element, in plain loops that compilers turn into SIMD. Those of the
/// most common optimisers stand by hand in autograd/kernels/simd/optimisers.cpp, for each instruction set.
namespace xgrad::optim::detail {

/// The numbers of a step in the parameter's type; a formula gives rate1 and rate2 a meaning of its own.
template <class T>
struct Numbers {
  explicit Numbers(const kernels::OptimiserStep& s)
      : lr(T(s.lr)),
        weight_decay(T(s.weight_decay)),
        beta1(T(s.beta1)),
        fresh1(T(1 - s.beta1)),
        beta2(T(s.beta2)),
        fresh2(T(1 - s.beta2)),
        eps(T(s.eps)),
        momentum(T(s.momentum)),
        rate1(T(s.rate1)),
        rate2(T(s.rate2)) {}

  T lr, weight_decay, beta1, fresh1, beta2, fresh2, eps, momentum, rate1, rate2;
};

template <class T, class Formula>
void step_elements(const kernels::OptimiserArrays* parameters, kernels::Size count,
                   const kernels::OptimiserStep& step) {
  for (const kernels::OptimiserArrays* a = parameters; a != parameters + count; ++a) {
    kernels::split(a->n, 4 * sizeof(T), 64, [&](kernels::Size begin, kernels::Size n) {
      const Numbers<T> numbers(step);  // a local, which no store can change
      T* __restrict const p = static_cast<T*>(a->p) + begin;
      const T* __restrict const g = static_cast<const T*>(a->g) + begin;
      T* __restrict const m = static_cast<T*>(a->m) + begin;
      if constexpr (requires { Formula::step(numbers, *p, *g, *m, *m); }) {
        T* __restrict const v = static_cast<T*>(a->v) + begin;
        for (kernels::Size i = 0; i < n; ++i) Formula::step(numbers, p[i], g[i], m[i], v[i]);
      } else {
        for (kernels::Size i = 0; i < n; ++i) Formula::step(numbers, p[i], g[i], m[i]);
      }
    });
  }
}

/// The kernel, by dtype, of a Formula whose `step<T>(numbers, p, g, m)` or `step<T>(numbers, p, g, m, v)` changes p and
/// the moments.
template <class Formula>
inline constexpr kernels::Table::OptimiserFn elementwise[dtype_count] = {step_elements<float, Formula>,
                                                                         step_elements<double, Formula>};

}  // namespace xgrad::optim::detail
