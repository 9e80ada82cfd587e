#include <autograd/kernels/subnormals.hpp>

#include "reference.hpp"

// The passes of optimisers against their formulas in long double.
using namespace reference;
using xgrad::kernels::OptimiserArrays, xgrad::kernels::OptimiserStep;

namespace {

using Wide = long double;
/// One parameter's worth of state, in long double.
struct Scalar {
  Wide p, g, m, v, w;
};

// PyTorch 1.13's formulas, one element at a time.
void sgd(Scalar& s, const OptimiserStep& o, bool has_momentum) {
  Wide d = s.g + Wide(o.weight_decay) * s.p;
  if (has_momentum) {
    s.m = o.first ? d : o.momentum * s.m + (1 - Wide(o.dampening)) * d;
    d = o.nesterov ? d + o.momentum * s.m : s.m;
  }
  s.p -= o.lr * d;
}

void adam(Scalar& s, const OptimiserStep& o, bool) {
  if (o.decoupled)
    s.p *= 1 - Wide(o.lr) * o.weight_decay;
  else
    s.g += o.weight_decay * s.p;
  s.m = o.beta1 * s.m + (1 - Wide(o.beta1)) * s.g;
  s.v = o.beta2 * s.v + (1 - Wide(o.beta2)) * s.g * s.g;
  if (o.amsgrad) s.w = std::max(s.w, s.v);
  s.p -= o.rate1 * s.m / (std::sqrt(o.amsgrad ? s.w : s.v) * o.rate2 + o.eps);
}

void rmsprop(Scalar& s, const OptimiserStep& o, bool has_momentum) {
  s.g += o.weight_decay * s.p;
  s.v = o.beta1 * s.v + (1 - Wide(o.beta1)) * s.g * s.g;
  if (o.centred) s.w = o.beta1 * s.w + (1 - Wide(o.beta1)) * s.g;
  const Wide scale = std::sqrt(o.centred ? std::max<Wide>(s.v - s.w * s.w, 0) : s.v) + o.eps;
  if (has_momentum) {
    s.m = o.momentum * s.m + s.g / scale;
    s.p -= o.lr * s.m;
  } else {
    s.p -= o.lr * s.g / scale;
  }
}

void adagrad(Scalar& s, const OptimiserStep& o, bool) {
  s.g += o.weight_decay * s.p;
  s.v += s.g * s.g;
  s.p -= o.lr * s.g / (std::sqrt(s.v) + o.eps);
}

using Formula = void (*)(Scalar&, const OptimiserStep&, bool);
using Kernel = Table::OptimiserFn;

void step_one(Kernel kernel, const OptimiserArrays& parameter, const OptimiserStep& step) {
  kernel(&parameter, 1, step);
}

/// Three steps of `kernel` on n elements, in two halves, against as many of `formula`; m, v and w are null where not
/// used.
template <class T>
void check(Kernel kernel, Formula formula, OptimiserStep step, bool m_used, bool v_used, bool w_used, Size n) {
  INFO("n, sizeof(T), m_used, w_used, step.weight_decay, step.nesterov, step.decoupled: ", n, " ", sizeof(T), " ",
       m_used, " ", w_used, " ", step.weight_decay, " ", step.nesterov, " ", step.decoupled);
  auto p = values<T>(n, 1);
  std::vector<T> m(p.size(), T(0.01)), v(p.size(), T(5)), w(p.size(), T(step.amsgrad ? 4.9 : 0.02));
  std::vector<Scalar> expected;
  for (std::size_t i = 0; i < p.size(); ++i) expected.push_back({p[i], 0, m[i], v[i], w[i]});
  for (unsigned round = 0; round < 3; ++round) {
    step.first = round == 0;
    const auto g = values<T>(n, 2 + round);
    const Size half = n / 2;  // two parameters
    const auto part = [&](Size i, Size size) {
      return OptimiserArrays{p.data() + i,
                             g.data() + i,
                             m_used ? m.data() + i : nullptr,
                             v_used ? v.data() + i : nullptr,
                             w_used ? w.data() + i : nullptr,
                             size};
    };
    const OptimiserArrays parts[] = {part(0, half), part(half, n - half)};
    kernel(parts, 2, step);
    for (std::size_t i = 0; i < p.size(); ++i) {
      expected[i].g = g[i];
      formula(expected[i], step, m_used);
      CHECK(close(p[i], expected[i].p, 12, 1));
      CHECK(close(m[i], expected[i].m, 12, 2));
      CHECK(close(v[i], expected[i].v, 12));
      CHECK(close(w[i], expected[i].w, 12, 1));
    }
  }
}

template <class T>
void check_all(const Table& t, Size n) {
  const int d = int(xgrad::dtype_of<T>);
  OptimiserStep s{};
  s.lr = 0.1, s.momentum = 0.9, s.beta1 = 0.9, s.beta2 = 0.99, s.eps = 1e-3, s.rate1 = 0.3, s.rate2 = 1.25;
  for (const double decay : {0., 0.05}) {
    s.weight_decay = decay;
    check<T>(t.sgd[d], sgd, s, false, false, false, n);
    check<T>(t.adagrad[d], adagrad, s, false, true, false, n);
    for (const bool flag : {false, true}) {
      for (const bool other : {false, true}) {
        OptimiserStep variant = s;
        variant.nesterov = flag, variant.dampening = other ? 0.2 : 0;
        check<T>(t.sgd[d], sgd, variant, true, false, false, n);
        variant.amsgrad = flag, variant.decoupled = other;
        check<T>(t.adam[d], adam, variant, true, true, flag, n);
        variant.amsgrad = variant.decoupled = false, variant.centred = flag;
        check<T>(t.rmsprop[d], rmsprop, variant, other, true, flag, n);
      }
    }
  }
}

}  // namespace

TEST_CASE("optimisers follow their formulas for every option and length") {
  for_each_table([](const Table& t) {
    for (const Size n : {0, 1, 2, 7, 8, 15, 16, 17, 31, 33, 100}) check_all<float>(t, n), check_all<double>(t, n);
    CHECK(!t.adam[int(xgrad::i64)]);
  });
}

template <class T>
std::vector<T> adam_step(const Table& t) {
  auto p = values<T>(1000, 1), g = values<T>(1000, 2), m = p, v = p;
  for (T& x : v) x *= x;
  OptimiserStep s{};
  s.lr = 0.1, s.weight_decay = 0.01, s.beta1 = 0.9, s.beta2 = 0.99, s.eps = 1e-8, s.rate1 = 0.3, s.rate2 = 1.25;
  step_one(t.adam[int(xgrad::dtype_of<T>)], {p.data(), g.data(), m.data(), v.data(), nullptr, 1000}, s);
  return p;
}

TEST_CASE("every instruction set takes the same step, in f32 but for rounding") {
  const Table& one = *xgrad::kernels::available_tables().entries[0];
  const auto p64 = adam_step<double>(one);
  const auto p32 = adam_step<float>(one);
  for_each_table([&](const Table& t) {
    CHECK(adam_step<double>(t) == p64);
    const auto p = adam_step<float>(t);
    for (std::size_t i = 0; i < p.size(); ++i) CHECK(close(p[i], p32[i], 4, 1));
  });
}

TEST_CASE("where gradients are zero, infinite or tiny, f32 takes the step that its formula has") {
  for_each_table([](const Table& t) {
    OptimiserStep s{};
    s.lr = s.rate1 = 0.1, s.beta1 = 0.9, s.beta2 = 0.99, s.rate2 = 1;
    for (const double eps : {0., 1e-8}) {
      s.eps = eps;
      const float huge = float(inf), g[] = {0, 1e30f, 1e-12f, 1e-16f, 1};
      float p[] = {1, 1, 1, 1, 1}, m[] = {0, 0, 0, 0, 0}, v[] = {1, 0, 0, 0, huge};
      step_one(t.adam[int(xgrad::f32)], {p, g, m, v, nullptr, 5}, s);
      CHECK(p[0] == 1);
      CHECK(p[1] == 1);  // its square is infinite
      CHECK(close(p[2], eps == 0 ? 0.9 : 1 - 0.1 * 1e-13 / (1e-13 + eps), 2));
      CHECK(close(p[3], eps == 0 ? 0.9 : 1., 2));
      CHECK(p[4] == 1);
    }
  });
}

TEST_CASE("a NaN gradient shows in the parameter, and a zero one with zero moments leaves it alone") {
  for_each_table([](const Table& t) {
    OptimiserStep s{};
    s.lr = 0.1, s.beta1 = 0.9, s.beta2 = 0.99, s.eps = 1e-8, s.rate1 = 0.3, s.rate2 = 1.25, s.amsgrad = true;
    double p[2] = {1, 1}, m[2] = {}, v[2] = {}, w[2] = {};
    const double g[2] = {NaN, 0};
    step_one(t.adam[int(xgrad::f64)], {p, g, m, v, w, 2}, s);
    CHECK(std::isnan(p[0]));
    CHECK(std::isnan(w[0]));
    CHECK(p[1] == 1);
  });
}

TEST_CASE("centred rmsprop stays finite under constant gradients") {
  for_each_table([](const Table& t) {
    OptimiserStep s{};
    s.lr = 0.01, s.beta1 = 0.9, s.eps = 1e-8, s.centred = true;
    float p = 1, v = 0, w = 0;
    const float g = 0.1f;
    for (int i = 0; i < 1000; ++i) step_one(t.rmsprop[int(xgrad::f32)], {&p, &g, nullptr, &v, &w, 1}, s);
    CHECK(std::isfinite(p));
  });
}

TEST_CASE("moments whose gradients have stopped reach zero") {
  const xgrad::kernels::SubnormalsAreZero scope;
  for_each_table([](const Table& t) {
    OptimiserStep s{};
    s.lr = 0.1, s.momentum = 0.9, s.beta1 = 0.9, s.beta2 = 0.999, s.eps = 1e-8, s.rate1 = 0.3, s.rate2 = 1.25;
    for (const Kernel kernel : {t.sgd[int(xgrad::f32)], t.adam[int(xgrad::f32)]}) {
      float p = 1, m = 1, v = 1;
      const float g = 0;
      for (int i = 0; i < 1000; ++i) step_one(kernel, {&p, &g, &m, &v, nullptr, 1}, s);
      CHECK(m == 0);
      CHECK(v > 0.3);
    }
  });
}
