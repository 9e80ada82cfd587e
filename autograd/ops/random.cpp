#include <autograd/core/capturing.hpp>
#include <autograd/factories.hpp>
#include <autograd/kernels/table.hpp>
#include <autograd/ops.hpp>
#include <autograd/support/process_locks.hpp>
#include <cmath>
#include <numeric>
#include <thread>

/// Random tensors and the state of each thread's generator.
namespace xgrad {
namespace {

// Threads without a seed of their own derive one from the main thread's seed and the number of them since it was set.
struct Seeds {
  std::uint64_t main = 0x5eed, threads = 0;
};
constinit Seeds seeds;

std::mutex& seeds_lock() { return detail::process_lock(detail::ProcessLock::seeds); }

const std::thread::id main_thread = std::this_thread::get_id();  // the one that loads the library
bool is_main() { return main_thread == std::thread::id() || main_thread == std::this_thread::get_id(); }

thread_local constinit bool started = false;
thread_local constinit RandomState state{0x5eed, 0};

[[gnu::noinline]] void start() {
  started = true;
  if (is_main()) return;
  const std::lock_guard lock(seeds_lock());
  // Mixed, so that no two are near one another (Steele, Lea and Flood, "Fast splittable pseudorandom number
  // generators", 2014).
  std::uint64_t mixed = seeds.main + ++seeds.threads * 0x9e3779b97f4a7c15;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
  state = {mixed ^ mixed >> 31, 0};
}

/// The thread's generator.
RandomState& generator() {
  if (!started) [[unlikely]]
    start();
  return state;
}

/// The next stream of random numbers.
RandomState draw() {
  RandomState& next = generator();
  const RandomState now = next;
  ++next.stream;
  return now;
}

Tensor filled(const char* name, const Shape& shape, const TensorOptions& options, Place place,
              const kernels::Table::RandomFn (&kernels)[dtype_count]) {
  const OpScope scope(name, place);
  check_sizes(shape);
  const auto kernel = kernels[int(options.dtype)];
  if (!kernel) scope.fail<DtypeError>("not defined for ", name_of(options.dtype), "; use f32 or f64");
  Array array(options.dtype, shape);
  const auto [seed, stream] = draw();
  kernel(array.data(), array.size(), 0, seed, stream);
  Tensor t(std::move(array));
  return options.requires_grad ? t.set_requires_grad(true) : t;
}

/// A leaf of what was drawn, if asked for.
Tensor finished(Tensor drawn, const TensorOptions& options) {
  return options.requires_grad ? drawn.set_requires_grad(true) : drawn;
}

/// Integers of [low, high) from draws of [0, 1).
void spread(std::int64_t* to, const double* draws, std::int64_t n, std::int64_t low, std::int64_t high) {
  for (std::int64_t i = 0; i < n; ++i)
    to[i] = low + static_cast<std::int64_t>(draws[i] * static_cast<double>(high - low));
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

void manual_seed(std::uint64_t seed) {
  set_random_state({seed, 0});
  if (!is_main()) return;
  const std::lock_guard lock(seeds_lock());
  seeds.main = seed, seeds.threads = 0;
}
RandomState random_state() { return generator(); }
void set_random_state(RandomState s) {
  started = true;
  state = s;
}

Tensor rand(const Shape& shape, TensorOptions options, Place place) {
  return filled("rand", shape, options, place, kernels::table().uniform);
}

Tensor randn(const Shape& shape, TensorOptions options, Place place) {
  return filled("randn", shape, options, place, kernels::table().normal);
}

Tensor rand_like(const Operand& x) {
  const OpScope scope("rand_like", x.place());
  return rand(x.shape(), {.dtype = x.dtype()}, x.place());
}

Tensor randn_like(const Operand& x) {
  const OpScope scope("randn_like", x.place());
  return randn(x.shape(), {.dtype = x.dtype()}, x.place());
}

Tensor uniform(const Shape& shape, double low, double high, TensorOptions options, Place place) {
  const OpScope scope("uniform", place);
  if (!(low <= high) || !std::isfinite(high - low))
    scope.fail<ValueError>("the bounds are ", low, " and ", high, "; expected finite ones, low <= high");
  return finished(rand(shape, {.dtype = options.dtype}, place) * (high - low) + low, options);
}

Tensor normal(const Shape& shape, double mean, double stddev, TensorOptions options, Place place) {
  const OpScope scope("normal", place);
  if (!(stddev >= 0) || !std::isfinite(stddev) || !std::isfinite(mean))
    scope.fail<ValueError>("the mean is ", mean, ", the standard deviation ", stddev,
                           "; expected finite ones, the second not negative");
  return finished(randn(shape, {.dtype = options.dtype}, place) * stddev + mean, options);
}

Tensor randint(const Shape& shape, std::int64_t low, std::int64_t high, Place place) {
  const OpScope scope("randint", place);
  std::int64_t range = 0;
  if (low >= high || __builtin_sub_overflow(high, low, &range) || range > std::int64_t{1} << 53)
    scope.fail<ValueError>("the bounds are ", low, " and ", high, "; expected low < high, at most 2^53 apart");
  check_sizes(shape);
  Array numbers(i64, shape), draws(f64, shape);
  const auto [seed, stream] = draw();
  kernels::table().uniform[int(f64)](draws.data(), draws.size(), 0, seed, stream);
  capturing::repeat(spread, numbers.data<std::int64_t>(), draws.data<double>(), draws.size(), low, high);
  return Tensor(std::move(numbers));
}

Tensor bernoulli(const Shape& shape, double p, Place place) {
  const OpScope scope("bernoulli", place);
  check_sizes(shape);
  if (!(p >= 0 && p <= 1)) scope.fail<ValueError>("the probability is ", p, "; expected one in [0, 1]");
  Array array(boolean, shape);
  const auto [seed, stream] = draw();
  kernels::table().keep(array.data<bool>(), array.size(), 0, p, seed, stream);
  return Tensor(std::move(array));
}

Tensor randperm(std::int64_t n, Place place) {
  const OpScope scope("randperm", place);
  check_sizes({n});
  Array order(i64, {n}), draws(f64, {n});
  const auto [seed, stream] = draw();
  kernels::table().uniform[int(f64)](draws.data(), n, 0, seed, stream);
  capturing::repeat(shuffle, order.data<std::int64_t>(), draws.data<double>(), n);
  return Tensor(std::move(order));
}

}  // namespace xgrad
