#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#pragma GCC visibility push(default)

namespace xgrad::nn {

/// What a pass over the data amounts to: means weighted by the samples that each batch holds.
class Average {
 public:
  void add(double mean, std::int64_t samples) {
    if (samples == 0) return;  // 0 times a NaN would be one
    sum_ += static_cast<long double>(mean) * static_cast<long double>(samples);
    samples_ += samples;
  }
  double value() const { return static_cast<double>(sum_ / static_cast<long double>(samples_)); }
  std::int64_t samples() const { return samples_; }

 private:
  long double sum_ = 0;  // has room for many means near the largest double
  std::int64_t samples_ = 0;
};

/// One line an epoch on the standard output, with loss, accuracy, samples a second and the time that is left. On a
/// terminal the line moves while the epoch runs; elsewhere it is printed once the epoch is over.
class Progress {
 public:
  Progress(int epochs, std::int64_t samples_an_epoch);

  /// After each batch: the averages of the epoch so far. Redraws at most ten times a second.
  void update(int epoch, const Average& loss, const Average& accuracy);
  /// After the epoch; `remark` ends its line.
  void finish(int epoch, const Average& loss, const Average& accuracy, const std::string& remark = "");

 private:
  using Clock = std::chrono::steady_clock;
  std::string line(int epoch, const Average& loss, const Average& accuracy) const;

  int epochs_;
  std::int64_t samples_;
  bool terminal_;
  Clock::time_point start_, drawn_;
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
