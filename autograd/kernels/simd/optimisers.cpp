#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/subnormals.hpp>
#include <cmath>

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

/// The arrays of one pass.
template <class T>
struct Arrays {
  T* __restrict p;
  const T* __restrict g;
  T* __restrict m, * __restrict v, * __restrict w;
  Arrays(void* p_, const void* g_, void* m_, void* v_, void* w_)
      : p(static_cast<T*>(p_)),
        g(static_cast<const T*>(g_)),
        m(static_cast<T*>(m_)),
        v(static_cast<T*>(v_)),
        w(static_cast<T*>(w_)) {}
};

template <class T>
void sgd(void* p_, const void* g_, void* m_, void* v_, void* w_, Size n, const OptimiserStep& step) {
  const Arrays<T> a(p_, g_, m_, v_, w_);
  const T lr = T(step.lr), decay = T(step.weight_decay), momentum = T(step.momentum), fresh = T(1 - step.dampening);
  choose(step.weight_decay != 0, [&](auto decays) {
    const auto gradient = [&](Size i) { return decltype(decays)::value ? a.g[i] + decay * a.p[i] : a.g[i]; };
    if (!a.m) {
      for (Size i = 0; i < n; ++i) a.p[i] -= lr * gradient(i);
      return;
    }
    choose(step.first, step.nesterov, [&](auto first, auto nesterov) {
      for (Size i = 0; i < n; ++i) {
        const T g = gradient(i);
        const T m = decltype(first)::value ? g : momentum * a.m[i] + fresh * g;
        a.m[i] = m;
        a.p[i] -= lr * (decltype(nesterov)::value ? g + momentum * m : m);
      }
    });
  });
}

/// rate1 = lr / (1 - beta1^t), rate2 = 1 / sqrt(1 - beta2^t). Decoupled decay shrinks p by 1 - lr weight_decay.
template <class T>
void adam(void* p_, const void* g_, void* m_, void* v_, void* w_, Size n, const OptimiserStep& step) {
  const Arrays<T> a(p_, g_, m_, v_, w_);
  const T decay = T(step.weight_decay), shrink = T(step.decoupled ? 1 - step.lr * step.weight_decay : 1);
  const T beta1 = T(step.beta1), fresh1 = T(1 - step.beta1), beta2 = T(step.beta2), fresh2 = T(1 - step.beta2);
  const T rate1 = T(step.rate1), rate2 = T(step.rate2), eps = T(step.eps);
  choose(step.weight_decay != 0 && !step.decoupled, step.amsgrad, [&](auto decays, auto amsgrad) {
    for (Size i = 0; i < n; ++i) {
      const T p = a.p[i] * shrink;
      const T g = decltype(decays)::value ? a.g[i] + decay * p : a.g[i];
      const T m = beta1 * a.m[i] + fresh1 * g;
      const T v = beta2 * a.v[i] + fresh2 * g * g;
      T second = v;
      if constexpr (decltype(amsgrad)::value) {
        second = ((a.w[i] >= v) | (a.w[i] != a.w[i])) ? a.w[i] : v;
        a.w[i] = second;
      }
      a.m[i] = m;
      a.v[i] = v;
      a.p[i] = p - rate1 * m / (std::sqrt(second) * rate2 + eps);
    }
  });
}

/// beta1 is PyTorch's alpha; m holds the momentum (null without), v the mean square, w the mean where `centred`.
template <class T>
void rmsprop(void* p_, const void* g_, void* m_, void* v_, void* w_, Size n, const OptimiserStep& step) {
  const Arrays<T> a(p_, g_, m_, v_, w_);
  const T lr = T(step.lr), decay = T(step.weight_decay), momentum = T(step.momentum), eps = T(step.eps);
  const T alpha = T(step.beta1), fresh = T(1 - step.beta1);
  choose(step.weight_decay != 0, [&](auto decays) {
    choose(a.m != nullptr, step.centred, [&](auto moves, auto centred) {
      for (Size i = 0; i < n; ++i) {
        const T g = decltype(decays)::value ? a.g[i] + decay * a.p[i] : a.g[i];
        const T v = alpha * a.v[i] + fresh * g * g;
        a.v[i] = v;
        T variance = v;
        if constexpr (decltype(centred)::value) {
          const T mean = alpha * a.w[i] + fresh * g;
          a.w[i] = mean;
          variance = v - mean * mean;
          variance = variance < 0 ? T(0) : variance;  // rounding can take it below 0 where gradients are constant
        }
        const T scale = std::sqrt(variance) + eps;
        if constexpr (decltype(moves)::value) {
          const T m = momentum * a.m[i] + g / scale;
          a.m[i] = m;
          a.p[i] -= lr * m;
        } else {
          a.p[i] -= lr * g / scale;
        }
      }
    });
  });
}

/// lr comes with its decay applied; v is the sum of squares.
template <class T>
void adagrad(void* p_, const void* g_, void* m_, void* v_, void* w_, Size n, const OptimiserStep& step) {
  const Arrays<T> a(p_, g_, m_, v_, w_);
  const T lr = T(step.lr), decay = T(step.weight_decay), eps = T(step.eps);
  choose(step.weight_decay != 0, [&](auto decays) {
    for (Size i = 0; i < n; ++i) {
      const T g = decltype(decays)::value ? a.g[i] + decay * a.p[i] : a.g[i];
      const T v = a.v[i] + g * g;
      a.v[i] = v;
      a.p[i] -= lr * g / (std::sqrt(v) + eps);
    }
  });
}

/// A moment whose gradients have stopped decays into the subnormal numbers and, for rounding, never out of them.
template <Table::OptimiserFn pass>
void flushed(void* p, const void* g, void* m, void* v, void* w, Size n, const OptimiserStep& step) {
  const SubnormalsAreZero scope;
  pass(p, g, m, v, w, n, step);
}

template <class T>
void fill(Table& t, Dtype d) {
  t.sgd[int(d)] = flushed<sgd<T>>;
  t.adam[int(d)] = flushed<adam<T>>;
  t.rmsprop[int(d)] = flushed<rmsprop<T>>;
  t.adagrad[int(d)] = flushed<adagrad<T>>;
}

}  // namespace

void fill_optimisers(Table& t) {
  fill<float>(t, f32);
  fill<double>(t, f64);
}

}  // namespace xgrad::kernels::XGRAD_ISA
