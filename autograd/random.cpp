#include <autograd/kernels/table.hpp>
#include <autograd/recording.hpp>
#include <autograd/tensor.hpp>
#include <numeric>

namespace xgrad {
namespace {

thread_local constinit RandomState state{0x5eed, 0};

Tensor filled(const char* name, const Shape& shape, const TensorOptions& options, Place place,
              const kernels::Table::RandomFn (&kernels)[dtype_count]) {
  const OpScope scope(name, place);
  check_sizes(shape);
  const auto kernel = kernels[int(options.dtype)];
  if (!kernel) scope.fail<DtypeError>("not defined for ", name_of(options.dtype), "; use f32 or f64");
  Array array(options.dtype, shape);
  kernel(array.data(), array.size(), 0, state.seed, state.stream++);
  Tensor t(std::move(array));
  return options.requires_grad ? t.set_requires_grad(true) : t;
}

/// Fisher and Yates' shuffle: place i gets one of the i + 1 elements up to it, by a draw from [0, 1).
void shuffle(std::int64_t* at, const double* draws, std::int64_t n) {
  std::iota(at, at + n, std::int64_t{0});
  for (std::int64_t i = n - 1; i > 0; --i) {
    const auto j = static_cast<std::int64_t>(draws[i] * static_cast<double>(i + 1));
    std::swap(at[i], at[j]);
  }
}

}  // namespace

void manual_seed(std::uint64_t seed) { state = {seed, 0}; }
RandomState random_state() { return state; }
void set_random_state(RandomState s) { state = s; }

Tensor rand(const Shape& shape, TensorOptions options, Place place) {
  return filled("rand", shape, options, place, kernels::table().uniform);
}

Tensor randn(const Shape& shape, TensorOptions options, Place place) {
  return filled("randn", shape, options, place, kernels::table().normal);
}

Tensor bernoulli(const Shape& shape, double p, Place place) {
  const OpScope scope("bernoulli", place);
  check_sizes(shape);
  if (!(p >= 0 && p <= 1)) scope.fail<ValueError>("the probability is ", p, "; expected one in [0, 1]");
  Array array(boolean, shape);
  kernels::table().keep(array.data<bool>(), array.size(), 0, p, state.seed, state.stream++);
  return Tensor(std::move(array));
}

Tensor randperm(std::int64_t n, Place place) {
  const OpScope scope("randperm", place);
  check_sizes({n});
  Array order(i64, {n}), draws(f64, {n});
  kernels::table().uniform[int(f64)](draws.data(), n, 0, state.seed, state.stream++);
  recording::repeat(shuffle, order.data<std::int64_t>(), draws.data<double>(), n);
  return Tensor(std::move(order));
}

}  // namespace xgrad
