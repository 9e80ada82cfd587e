#include <autograd/autograd.hpp>
#include <autograd/kernels/pieces.hpp>
#include <autograd/kernels/table.hpp>
#include <cmath>
#include <cstring>

#include "native.hpp"
#include "sections.hpp"

/// Copy bandwidth is what std::memcpy reads plus what it writes, on blocks of 256 MiB, which no cache holds, in memory
/// from where the ops have theirs. An op is charged with what its definition asks for: each operand read once and the
/// result written once. The lines that a processor reads because it is about to overwrite them count on neither side.
namespace bench {
namespace {

using xgrad::Shape;
using xgrad::Tensor;

class Copy {
 public:
  static constexpr std::size_t size = std::size_t(1) << 28;
  static constexpr double bytes = 2.0 * static_cast<double>(size);

  void run(int threads) {
    const std::size_t part = size / static_cast<std::size_t>(threads);
    xgrad::kernels::run_pieces(threads, [&](std::int64_t i) {
      const std::size_t begin = part * static_cast<std::size_t>(i);
      std::memcpy(to_.data<std::byte>() + begin, from_.data<std::byte>() + begin, part);
    });
    keep(to_);
  }

 private:
  const xgrad::Array from_ = xgrad::ones({size / 4}).array(), to_ = from_.clone();
};

struct Work {
  std::string name;
  double words;  // read and written, for each element of the input
  std::function<void()> run;
};

/// Everything on n elements; matrices are as square as their number of columns allows.
std::vector<Work> all_work(std::int64_t n, xgrad::Dtype dtype) {
  const xgrad::TensorOptions options{.dtype = dtype};
  const auto side = static_cast<std::int64_t>(std::sqrt(static_cast<double>(n)));
  const auto third = static_cast<std::int64_t>(std::cbrt(static_cast<double>(n)));
  const Tensor x = rand({n}, options), z = rand({n}, options);
  const auto shaped = [](const Tensor& of, const Shape& shape) {
    return reshape(slice(of, 0, 0, shape.product(0, shape.ndim())), shape);
  };
  const Tensor square = shaped(x, {side, side}), tens = shaped(x, {n / 10, 10});
  const Tensor row = rand({side}, options), column = rand({side, 1}, options), ten = rand({10}, options),
               tenth = rand({n / 10, 1}, options);
  std::vector<Work> all = {
      {"add", 3, [=] { keep(x + z); }},
      {"multiply by a number", 2, [=] { keep(x * 2.5); }},
      {"sqrt", 2, [=] { keep(sqrt(x)); }},
      {"relu", 2, [=] { keep(relu(x)); }},
      {"add a row", 2, [=] { keep(square + row); }},
      {"add a column", 2, [=] { keep(square + column); }},
      {"add a row of 10", 2, [=] { keep(tens + ten); }},
      {"add a column to rows of 10", 2.1, [=] { keep(tens + tenth); }},
      {"softmax of rows", 2, [=] { keep(softmax(square)); }},
      {"softmax of rows of 10", 2, [=] { keep(softmax(tens)); }},
      {"log_softmax of rows of 10", 2, [=] { keep(log_softmax(tens)); }},
      {"transpose", 2,
       [=] {
         keep(permute(square, {1, 0}));
       }},
      {"transpose rows of 10", 2,
       [=] {
         keep(permute(tens, {1, 0}));
       }},
  };
  using Reduction = Tensor (*)(const Tensor&, const std::vector<int>&);
  const std::pair<std::string, Reduction> reductions[] = {
      {"sum", [](const Tensor& a, const std::vector<int>& axes) { return sum(a, axes); }},
      {"mean", [](const Tensor& a, const std::vector<int>& axes) { return mean(a, axes); }},
      {"max", [](const Tensor& a, const std::vector<int>& axes) { return max(a, axes); }},
      {"min", [](const Tensor& a, const std::vector<int>& axes) { return min(a, axes); }},
      {"norm", [](const Tensor& a, const std::vector<int>& axes) { return norm(a, axes); }},
      {"logsumexp", [](const Tensor& a, const std::vector<int>& axes) { return logsumexp(a, axes); }},
      {"variance", [](const Tensor& a, const std::vector<int>& axes) { return variance(a, axes); }},
      {"prod", [](const Tensor& a, const std::vector<int>& axes) { return prod(a, axes); }},
  };
  const auto reduction = [&all](const std::string& name, Reduction f, const Tensor& a, const std::vector<int>& axes) {
    all.push_back({name, 1, [=] { keep(f(a, axes)); }});
  };
  // Products of numbers below 1 become subnormal, with which a processor takes a hundred times as long. They come last:
  // what is read before them is in no cache any more.
  const Tensor near_one = 1 + (x - 0.5) * 1e-3;
  for (const auto& [name, f] : reductions) {
    const Tensor& of = name == "prod" ? near_one : x;
    reduction(name + " of all", f, of, {});
    reduction(name + " over the first axis", f, shaped(of, {side, side}), {0});
    reduction(name + " over the middle axis", f, shaped(of, {third, third, third}), {1});
    reduction(name + " over the last axis", f, shaped(of, {side, side}), {1});
  }
  return all;
}

void against_copy(Run& run, Copy& copy, xgrad::Dtype dtype, std::int64_t n, const std::string& size, int threads) {
  const std::string type = dtype == xgrad::f32 ? "f32 " : "f64 ";
  run.progress(type + size + ", threads: " + std::to_string(threads));
  const auto work = all_work(n, dtype);
  std::vector<Competitor> competitors = {
      {"copy", repeat([&copy, threads] { copy.run(threads); }), gigabytes(Copy::bytes)}};
  for (const Work& w : work) {
    const double bytes = w.words * static_cast<double>(n) * (dtype == xgrad::f32 ? 4 : 8);
    competitors.push_back({"xgrad", repeat(w.run), gigabytes(bytes)});
  }
  const auto series = measure(competitors, shortened(run.settings));
  for (std::size_t i = 0; i < work.size(); ++i)
    run.rows.push_back(compare({type + work[i].name, "size", size, threads}, series[i + 1], series[0]));
}

}  // namespace

void kernels_beside_copies(Run& run) {
  const xgrad::NoGrad no_grad;
  Copy copy;
  for (const int threads : run.threads) {
    set_threads(threads);
    std::int64_t n = 1000;
    for (const char* size : {"10^3", "10^4", "10^5", "10^6", "10^7"}) {
      against_copy(run, copy, xgrad::f32, n, size, threads);
      if (n == 10'000'000) against_copy(run, copy, xgrad::f64, n, size, threads);
      n *= 10;
    }
  }
}

void functions_in_cache(Run& run) {
  constexpr std::int64_t n = 8192;
  set_threads(1);
  const xgrad::kernels::Table& table = xgrad::kernels::table();
  std::vector<float> x, positive, y(n);
  for (std::int64_t i = 0; i < n; ++i) {
    positive.push_back(static_cast<float>(i + 1) / n);
    x.push_back((i % 2 ? 5.f : -5.f) * positive.back());
  }
  const auto row = [&](const std::string& name, auto ours, auto raw) {
    run.progress(name);
    const auto series =
        measure({{"xgrad", repeat(ours), nanoseconds_per(n)}, {"raw xsimd", repeat(raw), nanoseconds_per(n)}},
                shortened(run.settings));
    run.rows.push_back(compare({"f32 " + name, "size", std::to_string(n), 1}, series[0], series[1]));
  };
#define XGRAD_BENCH_NAME(name) #name,
  const char* const names[] = {XGRAD_UNARY_KERNELS(XGRAD_BENCH_NAME)};
#undef XGRAD_BENCH_NAME
  for (const RawLoop& raw : raw_loops()) {
    std::size_t kernel = 0;
    while (std::strcmp(names[kernel], raw.name) != 0) ++kernel;
    const auto ours = table.unary[kernel][int(xgrad::f32)];
    const bool bounded = std::strcmp(raw.name, "asin") == 0 || std::strcmp(raw.name, "acos") == 0;
    const bool logarithm = std::strncmp(raw.name, "log", 3) == 0;
    const float* in = bounded || logarithm ? positive.data() : x.data();
    row(
        raw.name, [&, in] { ours(in, y.data(), n); }, [&, in] { raw.run(in, y.data(), n), keep(y); });
  }
  const auto flat = xgrad::kernels::Loop<2>::row(n, 1, 1);
  const auto pow = table.binary[int(xgrad::kernels::Binary::pow)][int(xgrad::f32)];
  row(
      "pow", [&] { pow(positive.data(), x.data(), y.data(), flat); },
      [&] { raw_pow(positive.data(), x.data(), y.data(), n), keep(y); });
}

}  // namespace bench
