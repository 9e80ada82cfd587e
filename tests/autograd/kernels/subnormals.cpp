#include <doctest/doctest.h>
#include <algorithm>
#include <autograd/autograd.hpp>
#include <autograd/capture.hpp>
#include <autograd/fused.hpp>
#include <autograd/kernels/subnormals.hpp>
#include <autograd/threads.hpp>
#include <autograd/xtensor.hpp>
#include <bit>
#include <functional>
#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <support.hpp>
#include <thread>

#include "support.hpp"

// Subnormal numbers count as zeros, whatever computes.
using namespace kernels_support;
using xgrad::kernels::SubnormalsAreZero;

namespace {

template <class T>
constexpr T least = std::numeric_limits<T>::min();

// std::fpclassify obeys the processor's mode.
template <class T>
bool is_subnormal(T x) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr int mantissa = std::numeric_limits<T>::digits - 1;
  const Bits magnitude = std::bit_cast<Bits>(x) << 1 >> 1;
  return magnitude != 0 && magnitude >> mantissa == 0;
}

template <class T>
T flushed(T x) {
  return is_subnormal(x) ? std::copysign(T(0), x) : x;
}
template <class T>
std::vector<T> flushed(std::vector<T> x) {
  for (T& v : x) v = flushed(v);
  return x;
}

/// Numbers of which half are subnormal, enough for whole vectors and a rest.
template <class T>
std::vector<T> half_subnormal() {
  std::vector<T> x;
  for (int i = 0; i < 77; ++i) {
    const T sign = i % 3 == 0 ? -1 : 1, size = i % 2 ? least<T> / 8 : T(.1);
    x.push_back(sign * size * T(i % 7 + 1));
  }
  return x;
}

#define XGRAD_NAME(name) #name,
constexpr const char *unary_names[] = {XGRAD_UNARY_KERNELS(XGRAD_NAME)},
                     *binary_names[] = {XGRAD_BINARY_KERNELS(XGRAD_NAME)};
#undef XGRAD_NAME

bool moves(Unary f) { return f == Unary::negate || f == Unary::abs || f == Unary::relu; }
bool moves(Binary f) { return f == Binary::relu_grad || f == Binary::minimum || f == Binary::maximum; }

/// f's results for subnormal numbers are those for zeros, and none is subnormal unless it is x, or moved from
/// elsewhere.
template <class T, class F>
void check_kernel(std::string set, std::string name, bool moved, const std::vector<T>& x, F f) {
  std::vector<T> got(x.size()), expected(x.size());
  {
    const SubnormalsAreZero scope;
    f(x.data(), got.data());
    f(flushed(x).data(), expected.data());
  }
  std::size_t i = 0;
  while (i < x.size() && same_bits(flushed(got[i]), expected[i]) && (!is_subnormal(got[i]) || moved || got[i] == x[i]))
    ++i;
  INFO(name, " in ", set, " of ", i < x.size() ? x[i] : T(0), ": ", i < x.size() ? got[i] : T(0));
  CHECK(i == x.size());
}

bool has_subnormals(const Tensor& x) {
  const auto any = [&](const auto* data) {
    return std::any_of(data, data + x.size(), [](auto v) { return is_subnormal(v); });
  };
  return x.dtype() == f32 ? any(x.data<float>()) : any(x.data<double>());
}

}  // namespace

TEST_CASE_TEMPLATE("elementwise kernels take subnormal numbers for zeros in every instruction set", T, float, double) {
  constexpr int d = int(dtype_of<T>);
  for (const Table* t : tables()) {
    for (const std::vector<T>& x : {half_subnormal<T>(), sweep<T>()}) {
      const auto n = Size(x.size());
      for (int k = 0; k < int(Unary::count); ++k)
        check_kernel<T>(t->name, unary_names[k], moves(Unary(k)), x,
                        [&](const T* from, T* to) { t->unary[k][d](from, to, n); });
      for (int k = 0; k < int(Binary::count); ++k) {
        for (const T other : {T(0), T(1), T(-2), least<T>, least<T> / 2}) {
          Loop<2> loop = contiguous(x.size());
          loop.strides[1][0] = 0;
          check_kernel<T>(t->name, binary_names[k], moves(Binary(k)), x, [&](const T* from, T* to) {
            const T b = from == x.data() ? other : flushed(other);
            t->binary[k][d](from, &b, to, loop);
          });
        }
      }
    }
    const SubnormalsAreZero scope;
    const T tiny = least<T> / 2, zero = 0;
    bool truth;
    const auto compare = [&](Compare k) {
      t->compare[int(k)][d](&tiny, &zero, &truth, contiguous(1));
      return truth;
    };
    CHECK(compare(Compare::equal));
    CHECK(!compare(Compare::greater));
    CHECK(!compare(Compare::logical_or));
    t->cast[d][int(boolean)](&tiny, &truth, 1);
    CHECK(!truth);
    t->predicate[int(Predicate::logical_not)][d](&tiny, &truth, 1);
    CHECK(truth);
    CHECK(cast<float, double>(t, least<float> / 2) == 0);
    CHECK(cast<double, float>(t, 1e-40) == 0);
  }
}

TEST_CASE_TEMPLATE("all that computes takes subnormal numbers for zeros, eager and replayed, on one thread and on two",
                   T, float, double) {
  const TensorOptions options{.dtype = dtype_of<T>};
  using F = std::function<Tensor(const Tensor&, const Tensor&)>;
  const std::pair<std::string, F> functions[] = {
      {"matmul", [](auto& a, auto& b) { return matmul(a, b); }},
      {"matmul of a transpose", [](auto& a, auto& b) { return matmul(transpose(a), b); }},
      {"matmul with a transpose", [](auto& a, auto& b) { return matmul(a, transpose(b)); }},
      {"products of a batch",
       [](auto& a, auto& b) {
         return matmul(reshape(a, {2, -1, a.shape()[1]}), b);
       }},
      {"sum", [](auto& a, auto&) { return sum(a); }},
      {"sum of columns", [](auto& a, auto&) { return sum(a, {0}); }},
      {"sum of rows", [](auto& a, auto&) { return sum(a, {1}); }},
      {"prod", [](auto& a, auto&) { return prod(a, {1}); }},
      {"max", [](auto& a, auto& b) { return max(minimum(a, abs(b) * 0), {1}); }},
      {"argmax", [](auto& a, auto& b) { return argmax(minimum(a, abs(b) * 0), 1).to(a.dtype()); }},
      {"sort", [](auto& a, auto& b) { return sort(minimum(a, abs(b) * 0), 1).indices.to(a.dtype()); }},
      {"norm", [](auto& a, auto&) { return norm(a, {1}); }},
      {"variance", [](auto& a, auto&) { return variance(a, {0}); }},
      {"logsumexp", [](auto& a, auto&) { return logsumexp(a, {1}); }},
      {"softmax", [](auto& a, auto& b) { return softmax(a * 200 + b); }},
      {"log_softmax", [](auto& a, auto&) { return log_softmax(a, 0); }},
      {"cumsum", [](auto& a, auto&) { return cumsum(a, 1); }},
      {"cumprod", [](auto& a, auto&) { return cumprod(a, 1); }},
      {"row and column", [](auto& a, auto& b) { return a * slice(b, 0, 0, 1) + slice(b, 1, 0, 1); }},
      {"index_add",
       [](auto& a, auto& b) {
         return index_add(a * 0, 0, tensor({1, 0, 1}, {.dtype = i64}), slice(b, 0, 0, 3));
       }},
      {"conversion", [](auto& a, auto&) { return a.to(a.dtype() == f32 ? f64 : f32); }},
      {"fused",
       [](auto& a, auto& b) {
         return fused(
             "gate", [](auto x, auto m) { return x * sigmoid(m * x) * 1e-5; }, a, b);
       }},
      {"loss", [](auto& a, auto& b) { return nn::binary_cross_entropy(clamp(abs(a), 0., 1.), clamp(abs(b), 0., 1.)); }},
      {"gradient",
       [](auto& a, auto& b) {
         Tensor w = a.clone().set_requires_grad(true);
         return grad(sum(fused(
                         "f", [](auto x, auto y) { return x * y * 1e-5; }, relu(matmul(w, b) * 1e-10), a)),
                     {w})[0];
       }},
      {"a step",
       [](auto& a, auto& b) {
         Tensor w = a.clone().set_requires_grad(true);
         optim::SGD optimizer{{w}, {.lr = 0.1, .momentum = 0.9}};
         sum(w * b).backward();
         optim::clip_grad_norm({w}, 1e-3);
         optimizer.step();
         return w.detach();
       }},
  };
  const RestoreThreads restore;
  for (const std::int64_t n : {4, 300}) {
    manual_seed(7);
    // Some are subnormal, some become it when multiplied, some are neither.
    const T root = std::sqrt(least<T>) / 4;
    const Tensor size = floor(rand({n, n}, options) * 3);
    const auto mixed = [&](const Tensor& x) { return where(size == 0, x * (root * 2), where(size == 1, x * root, x)); };
    std::vector<T> numbers[2];
    for (std::vector<T>& v : numbers) {
      const Tensor x = mixed(randn({n, n}, options));
      v.assign(x.data<T>(), x.data<T>() + n * n);
      for (std::size_t i = 0; i < v.size(); i += 5) v[i] = std::copysign(least<T> / T(3), v[i]);
    }
    const Tensor a = from_values(numbers[0], {n, n}), b = from_values(numbers[1], {n, n});
    const Tensor a0 = from_values(flushed(numbers[0]), {n, n}), b0 = from_values(flushed(numbers[1]), {n, n});
    for (const auto& function : functions) {
      const F& f = function.second;
      INFO(function.first, " of ", n, " x ", n);
      set_num_threads(1);
      const Tensor expected = f(a0, b0);
      CHECK(!has_subnormals(expected));
      for (const int threads : {1, 2}) {
        set_num_threads(threads);
        CHECK(same_bits(f(a, b), expected));
        auto step = capture([&](const Tensor& x, const Tensor& y) { return f(x, y); });
        CHECK(same_bits(step(a, b), expected));
        CHECK(same_bits(step(a, b), expected));
      }
    }
  }
}

TEST_CASE("an op whose forward is an expression computes so too, and what only moves elements keeps their bits") {
  const float tiny = least<float> / 2;
  const Tensor x = from_values<float>({tiny, -tiny, 1, 2}, {2, 2});
  const auto half = [](const Tensor& t) {
    return primitive(
        "half", {t}, [](const auto& v) { return v * 0.5f; }, [](const Tensor& g) { return g * 0.5; });
  };
  CHECK(half(full({1}, least<float>)).item<float>() == 0);
  for (const Tensor& moved : {transpose(transpose(x)), x.clone(), concatenate({x, x}, 0),
                              take(x, tensor({0}, {.dtype = i64}), 0), -(-x), where(x == x, x, 1.)})
    CHECK(moved.data<float>()[0] == tiny);
}

TEST_CASE("a program's own arithmetic has its own mode, in every thread") {
  const auto keeps_subnormals = [] {
    volatile float tiny = least<float>;
    return tiny / 2 > 0;
  };
  const auto compute = [&] {
    Tensor x = ones({300, 300}, {.requires_grad = true});
    sum(matmul(x, x)).backward();
    capture([&] { return x * 2.; })();
    CHECK_THROWS_AS(nn::binary_cross_entropy(full({1}, 2.), full({1}, 2.)), ValueError);
    return keeps_subnormals();
  };
  CHECK(compute());
  std::thread([&] { CHECK(compute()); }).join();
  {
    const SubnormalsAreZero outer;
    { const SubnormalsAreZero inner; }
    CHECK(!keeps_subnormals());
  }
  CHECK(keeps_subnormals());
}
