#include <autograd/kernels/simd/accumulate.hpp>
#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/math.hpp>
#include <autograd/kernels/simd/root.hpp>

/// One pass each, in the order of operations of PyTorch 1.13's single-tensor optimisers. Scalars are formed in double
/// and applied in the parameter's type. Choices that a whole call shares are template parameters, which keeps the
/// loops free of branches and so SIMD.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

template <bool flag>
struct Bool {
  static constexpr bool value = flag;
};

template <class Body>
void choose(bool flag, Body body) {
  if (flag) {
    body(Bool<true>{});
  } else {
    body(Bool<false>{});
  }
}

template <class Body>
void choose(bool first, bool second, Body body) {
  choose(first, [&](auto a) { choose(second, [&](auto b) { body(a, b); }); });
}

/// The arrays of one parameter.
template <class T>
struct Arrays {
  T* p;
  const T* g;
  T *m, *v, *w;
  explicit Arrays(const OptimiserArrays& a)
      : p(static_cast<T*>(a.p)),
        g(static_cast<const T*>(a.g)),
        m(static_cast<T*>(a.m)),
        v(static_cast<T*>(a.v)),
        w(static_cast<T*>(a.w)) {}
};

/// A batch of elements of any of them: a whole one, or the `few` that are left.
template <class T, bool whole>
struct At {
  Size i, few;
  Batch<T> load(const T* x) const { return whole ? Batch<T>::load_unaligned(x + i) : load_few(x + i, few); }
  void store(T* x, Batch<T> value) const {
    if constexpr (whole) {
      value.store_unaligned(x + i);
    } else {
      store_few(x + i, value, few);
    }
  }
};

/// Calls step(arrays, at) for the elements of each parameter.
template <class T, class Step>
void for_each_batch(const OptimiserArrays* parameters, Size count, Step step) {
  constexpr Size width = Lanes<Batch<T>>::width;
  for (Size k = 0; k < count; ++k) {
    const Arrays<T> a(parameters[k]);
    const Size n = parameters[k].n;
    Size i = 0;
#pragma GCC unroll 2
    for (; i + width <= n; i += width) step(a, At<T, true>{i, width});
    if (i < n) step(a, At<T, false>{i, n - i});
  }
}

/// a b + c, for f64 rounded twice, as all instruction sets can.
inline Batch<float> multiply_add(Batch<float> a, Batch<float> b, Batch<float> c) { return math::fma(a, b, c); }
inline Batch<double> multiply_add(Batch<double> a, Batch<double> b, Batch<double> c) { return a * b + c; }

/// The gradient, with p's decay if there is one.
template <bool decays, class T, bool whole>
Batch<T> gradient(const Arrays<T>& a, At<T, whole> at, Batch<T> decay, Batch<T> p) {
  const Batch<T> g = at.load(a.g);
  return decays ? multiply_add(decay, p, g) : g;
}

template <class T>
void sgd(const OptimiserArrays* all, Size count, const OptimiserStep& step) {
  using V = Batch<T>;
  const V minus_lr(T(-step.lr)), decay(T(step.weight_decay)), momentum(T(step.momentum)), fresh(T(1 - step.dampening));
  choose(step.weight_decay != 0, [&](auto decays) {
    if (!all->m) {
      for_each_batch<T>(all, count, [&](const Arrays<T>& a, auto at) {
        const V p = at.load(a.p);
        at.store(a.p, multiply_add(minus_lr, gradient<decltype(decays)::value>(a, at, decay, p), p));
      });
      return;
    }
    choose(step.first, step.nesterov, [&](auto first, auto nesterov) {
      for_each_batch<T>(all, count, [&](const Arrays<T>& a, auto at) {
        const V p = at.load(a.p), g = gradient<decltype(decays)::value>(a, at, decay, p);
        const V m = decltype(first)::value ? g : multiply_add(momentum, at.load(a.m), fresh * g);
        at.store(a.m, m);
        at.store(a.p, multiply_add(minus_lr, decltype(nesterov)::value ? multiply_add(momentum, m, g) : m, p));
      });
    });
  });
}

/// rate1 = lr / (1 - beta1^t), rate2 = 1 / sqrt(1 - beta2^t). Decoupled decay shrinks p by 1 - lr weight_decay.
template <class T>
void adam(const OptimiserArrays* all, Size count, const OptimiserStep& step) {
  using V = Batch<T>;
  const V decay(T(step.weight_decay)), shrink(T(step.decoupled ? 1 - step.lr * step.weight_decay : 1));
  const V beta1(T(step.beta1)), fresh1(T(1 - step.beta1)), beta2(T(step.beta2)), fresh2(T(1 - step.beta2));
  const V rate1(T(step.rate1)), rate2(T(step.rate2)), eps(T(step.eps));
  choose(step.weight_decay != 0 && !step.decoupled, step.amsgrad, [&](auto decays, auto amsgrad) {
    for_each_batch<T>(all, count, [&](const Arrays<T>& a, auto at) {
      const V p = at.load(a.p) * shrink;
      const V g = gradient<decltype(decays)::value>(a, at, decay, p);
      const V m = multiply_add(beta1, at.load(a.m), fresh1 * g);
      const V v = multiply_add(beta2, at.load(a.v), fresh2 * g * g);
      V second = v;
      if constexpr (decltype(amsgrad)::value) {
        second = Max<T>::step(at.load(a.w), v);
        at.store(a.w, second);
      }
      at.store(a.m, m);
      at.store(a.v, v);
      at.store(a.p, p - rate1 * m / multiply_add(math::fast_sqrt(second), rate2, eps));
    });
  });
}

/// beta1 is PyTorch's alpha; m holds the momentum (null without), v the mean square, w the mean where `centred`.
template <class T>
void rmsprop(const OptimiserArrays* all, Size count, const OptimiserStep& step) {
  using V = Batch<T>;
  const V lr(T(step.lr)), decay(T(step.weight_decay)), momentum(T(step.momentum)), eps(T(step.eps));
  const V alpha(T(step.beta1)), fresh(T(1 - step.beta1));
  choose(step.weight_decay != 0, [&](auto decays) {
    choose(all->m != nullptr, step.centred, [&](auto moves, auto centred) {
      for_each_batch<T>(all, count, [&](const Arrays<T>& a, auto at) {
        const V p = at.load(a.p);
        const V g = gradient<decltype(decays)::value>(a, at, decay, p);
        const V v = multiply_add(alpha, at.load(a.v), fresh * g * g);
        at.store(a.v, v);
        V variance = v;
        if constexpr (decltype(centred)::value) {
          const V mean = multiply_add(alpha, at.load(a.w), fresh * g);
          at.store(a.w, mean);
          variance = v - mean * mean;
          // Rounding can take it below 0 where gradients are constant.
          variance = xsimd::select(variance < V(T(0)), V(T(0)), variance);
        }
        const V scale = math::fast_sqrt(variance) + eps;
        if constexpr (decltype(moves)::value) {
          const V m = momentum * at.load(a.m) + g / scale;
          at.store(a.m, m);
          at.store(a.p, p - lr * m);
        } else {
          at.store(a.p, p - lr * g / scale);
        }
      });
    });
  });
}

/// lr comes with its decay applied; v is the sum of squares.
template <class T>
void adagrad(const OptimiserArrays* all, Size count, const OptimiserStep& step) {
  using V = Batch<T>;
  const V lr(T(step.lr)), decay(T(step.weight_decay)), eps(T(step.eps));
  choose(step.weight_decay != 0, [&](auto decays) {
    for_each_batch<T>(all, count, [&](const Arrays<T>& a, auto at) {
      const V p = at.load(a.p);
      const V g = gradient<decltype(decays)::value>(a, at, decay, p);
      const V v = multiply_add(g, g, at.load(a.v));
      at.store(a.v, v);
      at.store(a.p, p - lr * g / (math::fast_sqrt(v) + eps));
    });
  });
}

template <class T>
void fill(Table& t, Dtype d) {
  t.sgd[int(d)] = sgd<T>;
  t.adam[int(d)] = adam<T>;
  t.rmsprop[int(d)] = rmsprop<T>;
  t.adagrad[int(d)] = adagrad<T>;
}

}  // namespace

void fill_optimisers(Table& t) {
  fill<float>(t, f32);
  fill<double>(t, f64);
}

}  // namespace xgrad::kernels::XGRAD_ISA
