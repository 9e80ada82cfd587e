#pragma once
#include <cstdint>
#include <nn/training/history.hpp>
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
  /// The sum over all samples, with which an average goes on later.
  long double sum() const { return sum_; }
  static Average of(long double sum, std::int64_t samples) {
    Average average;
    average.sum_ = sum;
    average.samples_ = samples;
    return average;
  }

 private:
  long double sum_ = 0;  // has room for many means near the largest double
  std::int64_t samples_ = 0;
};

/// One line an epoch on the standard output: how far it is, what is left, samples a second, and numbers such as the
/// loss. On a terminal the line moves while the epoch runs, and is as wide as the terminal lets it; elsewhere it is
/// printed once the epoch is over.
class Progress {
 public:
  Progress(int epochs, std::int64_t samples_an_epoch);

  /// After each batch: samples seen in the epoch so far. At most ten times a second the line is drawn again, with
  /// `scores()`.
  template <class F>
  void update(int epoch, std::int64_t samples, F&& scores) {
    if (is_due()) draw(epoch, samples, scores());
  }
  /// After the epoch; `remark` ends its line, which a narrow terminal shows as several.
  void finish(int epoch, const Scores& scores, const std::string& remark = "");
  /// After a run that ended within an epoch: leaves the line as it is.
  void leave();

 private:
  bool is_due();
  void draw_line() const;
  void draw(int epoch, std::int64_t samples, const Scores& scores);

  int epochs_;
  std::int64_t samples_, first_ = -1;  // samples that were seen before this process
  bool terminal_;
  std::string line_;          // that is not finished, as it was drawn last
  double start_, drawn_ = 0;  // in seconds
};

namespace detail {
/// Where a run is.
struct Standing {
  int epoch, epochs;
  double share;               // of this epoch, from 0 to 1
  double rate, seconds_left;  // samples a second, for the whole run; negative if not known
};
/// The line, of at most `columns` letters: what does not fit is left out, first the bar, then the rate, then scores
/// from the last on.
std::string progress_line(const Standing& standing, const Scores& scores, int columns);
/// A line broken where its parts, two spaces apart, would cross the edge of so many columns; further lines are
/// indented.
std::string broken(std::string_view line, int columns);
}  // namespace detail

}  // namespace xgrad::nn
#pragma GCC visibility pop
