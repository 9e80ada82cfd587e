// Says what a run is made of.
#include <autograd/kernels/table.hpp>
#include <autograd/support/markup.hpp>
#include <autograd/threads.hpp>
#include <chrono>
#include <nn/training/facts.hpp>

namespace xgrad::nn {
namespace {

/// "2026-03-01 09:05:00 UTC".
std::string now() {
  using namespace std::chrono;
  const auto time = floor<seconds>(system_clock::now());
  const auto today = floor<days>(time);
  const year_month_day date(today);
  const hh_mm_ss clock(time - today);
  const auto two = [](auto n) { return text(n < 10 ? "0" : "", n); };
  return text(static_cast<int>(date.year()), "-", two(static_cast<unsigned>(date.month())), "-",
              two(static_cast<unsigned>(date.day())), " ", two(clock.hours().count()), ":",
              two(clock.minutes().count()), ":", two(clock.seconds().count()), " UTC");
}

/// "(784,)" of a batch (128, 784).
Shape row_of(const Tensor& batch) {
  const Shape& shape = batch.shape();
  return batch.ndim() == 0 ? shape : Shape(shape.begin() + 1, shape.end());
}

}  // namespace

std::string detail::version() {
#ifdef __clang__
  return text("xgrad ", XGRAD_VERSION, ", ", __VERSION__);
#else
  return text("xgrad ", XGRAD_VERSION, ", g++ ", __VERSION__);
#endif
}

std::vector<History::Fact> detail::facts_of(const FitOptions& o, const Loss& loss, const optim::Optimizer& optimizer,
                                            const TrainingBatch& first, std::int64_t rows, std::int64_t held_out,
                                            std::uint64_t seed) {
  std::vector<History::Fact> facts;
  const auto add = [&](const char* name, auto... words) { facts.emplace_back(name, text(words...)); };
  add("begun", now());
  std::string each;
  for (const Tensor& x : first.inputs)
    if (x.defined()) each += text(each.empty() ? "" : ", ", row_of(x), " ", name_of(x.dtype()));
  if (first.target.defined()) each += text(" with target ", row_of(first.target), " ", name_of(first.target.dtype()));
  add("training rows", rows, ", each ", each);
  if (held_out > 0) add("validation rows", held_out);
  add("loss", loss.name());
  add("optimiser", optimizer.describe());
  add("epochs", o.epochs);
  add("batch size", o.batch_size);
  if (o.accumulate > 1) add("batches a step", o.accumulate);
  if (o.clip_norm > 0) add("gradients clipped to norm", o.clip_norm);
  if (o.clip_value > 0) add("gradients clipped to", o.clip_value);
  if (o.average > 0) add("weights averaged by decay", o.average);
  if (o.sample_weight.defined()) add("sample weights", "one for each row");
  if (!o.class_weight.empty()) {
    std::string weights;
    for (const double w : o.class_weight) weights += text(weights.empty() ? "" : ", ", w);
    add("class weights", weights);
  }
  std::string callbacks;
  for (const CallbackHandle& c : o.callbacks) callbacks += (callbacks.empty() ? "" : ", ") + c->name();
  if (!callbacks.empty()) add("callbacks", callbacks);
  if (o.shuffle) {
    add("seed of the order", seed);
  } else {
    add("order of the rows", "as they stand");
  }
  const RandomState random = random_state();
  add("random numbers", "manual_seed(", random.seed, "), stream ", random.stream, " when the first step began");
  add("versions", version());
  add("computed by", kernels::table().name, " kernels, ", num_threads(), num_threads() == 1 ? " thread" : " threads");
  return facts;
}

}  // namespace xgrad::nn
