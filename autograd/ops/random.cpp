#include <algorithm>
#include <autograd/core/capturing.hpp>
#include <autograd/factories.hpp>
#include <autograd/kernels/table.hpp>
#include <autograd/ops.hpp>
#include <autograd/support/process_locks.hpp>
#include <cmath>
#include <limits>
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
thread_local constinit RandomState of_thread{0x5eed, 0};

[[gnu::noinline]] void start() {
  started = true;
  if (is_main()) return;
  const std::lock_guard lock(seeds_lock());
  // Mixed, so that no two are near one another (Steele, Lea and Flood, "Fast splittable pseudorandom number
  // generators", 2014).
  std::uint64_t mixed = seeds.main + ++seeds.threads * 0x9e3779b97f4a7c15;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
  of_thread = {mixed ^ mixed >> 31, 0};
}

/// The thread's generator.
RandomState& generator() {
  if (!started) [[unlikely]]
    start();
  return of_thread;
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

/// Throws unless the n weights can be drawn from `draws` times.
void check_weights(const double* weights, std::int64_t n, std::int64_t draws, bool replacement) {
  std::int64_t positive = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (!(weights[i] >= 0) || !std::isfinite(weights[i]))
      detail::fail<ValueError>("probability ", weights[i], " at position ", i,
                               " of the last axis; expected finite ones that are not negative");
    positive += weights[i] > 0;
  }
  if (draws > 0 && !(positive > 0))
    detail::fail<ValueError>("the ", n, " probabilities sum to 0; expected some above it");
  if (!replacement && draws > positive)
    detail::fail<ValueError>(draws, " draws without replacement from ", positive,
                             " positive probabilities; pass {.replacement = true}");
}

/// Each draw finds the first position whose running sum is above its share of the whole one.
void draw_again(const double* weights, const double* uniform, std::int64_t* to, std::int64_t lines, std::int64_t n,
                std::int64_t draws) {
  std::vector<double> running(static_cast<std::size_t>(n));
  for (std::int64_t k = 0; k < lines; ++k, weights += n) {
    check_weights(weights, n, draws, true);
    std::partial_sum(weights, weights + n, running.begin());
    std::int64_t last = n - 1;
    while (last > 0 && weights[last] == 0) --last;
    for (std::int64_t i = 0; i < draws; ++i, ++uniform) {
      const auto found = std::upper_bound(running.begin(), running.end(), *uniform * running.back()) - running.begin();
      *to++ = std::min<std::int64_t>(found, last);  // a product that was rounded up finds none
    }
  }
}

/// The positions of the smallest of exponential waiting times, -log(u) / w each: the first arrivals come in the order
/// of draws without replacement (Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006).
void draw_apart(const double* weights, const double* uniform, std::int64_t* to, std::int64_t lines, std::int64_t n,
                std::int64_t draws) {
  constexpr double never = std::numeric_limits<double>::infinity();
  std::vector<std::pair<double, std::int64_t>> arrivals(static_cast<std::size_t>(n));
  for (std::int64_t k = 0; k < lines; ++k, weights += n, uniform += n) {
    check_weights(weights, n, draws, false);
    for (std::int64_t i = 0; i < n; ++i)
      arrivals[static_cast<std::size_t>(i)] = {weights[i] > 0 ? -std::log1p(-uniform[i]) / weights[i] : never, i};
    std::partial_sort(arrivals.begin(), arrivals.begin() + draws, arrivals.end());
    for (std::int64_t i = 0; i < draws; ++i) *to++ = arrivals[static_cast<std::size_t>(i)].second;
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
  of_thread = s;
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

Tensor gumbel_softmax(const Operand& logits, double temperature, GumbelOptions options) {
  const OpScope scope("gumbel_softmax", logits.place());
  if (!(temperature > 0)) scope.fail<ValueError>("the temperature is ", temperature, "; it must be above 0");
  const int axis = checked_axis(options.axis, logits.shape());
  const Tensor noise = -log(-log(rand_like(logits)));  // a draw of 0 is noise of -inf, which is never chosen
  const Tensor soft = softmax((logits + noise) / temperature, axis);
  if (!options.hard) return soft;
  const Tensor place = arange(0, Number(logits.shape()[axis]), 1, {.dtype = i64});
  std::vector<std::int64_t> along(static_cast<std::size_t>(logits.ndim()), 1);
  along[static_cast<std::size_t>(axis)] = logits.shape()[axis];
  const Tensor chosen = unsqueeze(argmax(soft, axis), axis) == reshape(place, along);
  return chosen.to(soft.dtype()) + (soft - soft.detach());
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

Tensor multinomial(const Operand& probabilities, std::int64_t draws, MultinomialOptions options) {
  const OpScope scope("multinomial", probabilities.place());
  if (!is_floating(probabilities.dtype()))
    scope.fail<DtypeError>("the probabilities are ", name_of(probabilities.dtype()),
                           ", not f32 or f64; convert them with .to(f32)");
  if (probabilities.ndim() < 1) scope.fail("the probabilities are ", probabilities.shape(), "; expected (..., n)");
  if (draws < 0) scope.fail<ValueError>("the number of draws is ", draws, "; expected at least 0");
  const Tensor weights = probabilities.tensor().detach().to(f64);
  Shape shape = weights.shape(), uniform = shape;
  const std::int64_t n = shape[-1], lines = shape.product(0, shape.ndim() - 1);
  shape[-1] = draws;
  if (options.replacement) uniform[-1] = draws;
  check_sizes(shape);
  Array positions(i64, shape), numbers(f64, uniform);
  const auto [seed, stream] = draw();
  kernels::table().uniform[int(f64)](numbers.data(), numbers.size(), 0, seed, stream);
  capturing::keep(weights);
  capturing::repeat(options.replacement ? draw_again : draw_apart, weights.data<double>(), numbers.data<double>(),
                    positions.data<std::int64_t>(), lines, n, draws);
  return Tensor(std::move(positions));
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
