#pragma once
#include <array>
#include <autograd/state_dict.hpp>
#include <iosfwd>
#include <limits>
#include <optional>

#pragma GCC visibility push(default)

namespace xgrad::nn {

/// Numbers by name, in the order in which they were set: what `evaluate` gives, and what an epoch came to.
class Scores {
 public:
  using Entry = std::pair<std::string, double>;

  /// Throws ValueError, with the names that there are, if there is none of this name.
  double operator[](StateDict::Name name) const;
  /// Null if there is none of this name.
  const double* find(std::string_view name) const;
  /// Appends, or replaces what has this name.
  void set(std::string_view name, double value);
  std::size_t size() const { return entries_.size(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  /// "loss 0.0333, binary_accuracy 0.9899".
  std::string str() const;
  /// "loss, binary_accuracy".
  std::string names() const;

 private:
  std::vector<Entry> entries_;
};

/// How the finite numbers of a tensor are spread: how many lie in each of equally wide parts of [low, high].
struct Histogram {
  static constexpr std::size_t bins = 30;

  double low = 0, high = 0, sum = 0, squares = 0;  // the sums of the numbers and of their squares
  std::array<double, bins> counts = {};

  /// How many numbers there were.
  double total() const;
};

/// A parameter after an epoch, and its gradient in the epoch's last step.
struct ParameterHistograms {
  std::string name;  // by path: "0.weight"
  Histogram values;
  std::optional<Histogram> gradient = {};  // none without one
};

/// All of them, in the model's order.
struct EpochHistograms {
  std::size_t epoch;  // counted from 1
  std::vector<ParameterHistograms> parameters;
};

/// How long the steps of an epoch took, in seconds, and how many training rows they saw in one; NaN if not known.
struct Pace {
  double seconds = std::numeric_limits<double>::quiet_NaN(), rows_per_second = seconds;
};

/// What each epoch of a run came to: curves by name, such as "loss", "binary_accuracy", "validation_loss" and "lr".
class History {
 public:
  /// One number for each epoch, NaN where an epoch had none. Throws ValueError, with the names that there are, if there
  /// is none of this name.
  const std::vector<double>& operator[](StateDict::Name name) const;
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  std::vector<std::string> names() const;
  /// The number of epochs.
  std::size_t size() const { return epochs_; }
  /// What one epoch came to, counted from 0. Throws ValueError if there was no such epoch.
  Scores epoch(std::size_t index, Place place = Place::here()) const;
  /// Appends an epoch, and how long its steps took, where that is known.
  void add(const Scores& epoch, Pace pace = {});

  const std::vector<Pace>& paces() const { return paces_; }

  /// Of the epochs for which FitOptions::histograms asked.
  const std::vector<EpochHistograms>& histograms() const { return histograms_; }
  void add_histograms(EpochHistograms histograms) { histograms_.push_back(std::move(histograms)); }

  /// What was trained on what and how: "batch size" is "128", "seed of the order" is "0". Empty but for histories that
  /// `fit` made.
  using Fact = std::pair<std::string, std::string>;
  const std::vector<Fact>& facts() const { return facts_; }
  void set_facts(std::vector<Fact> facts) { facts_ = std::move(facts); }

  /// Why the run ended before its last epoch, such as "interrupted"; empty if it did not.
  const std::string& stopped() const { return stopped_; }
  void set_stopped(std::string reason) { stopped_ = std::move(reason); }
  /// What looked wrong about the data or the model; said on the standard error as well, unless the run was silent.
  const std::vector<std::string>& warnings() const { return warnings_; }
  void warn(std::string warning) { warnings_.push_back(std::move(warning)); }

  /// A line of names and one for each epoch, counted from 1; numbers as short as they round-trip.
  std::string to_csv() const;
  /// A picture of all curves against the epoch, each beside that of the validation data; 400 high. A number that is not
  /// finite leaves a gap. Throws ValueError if there is no epoch.
  std::string to_svg(Place place = Place::here()) const;

 private:
  struct Curve {
    std::string name;
    std::vector<double> values;
  };
  const Curve* find(std::string_view name) const;

  std::vector<Curve> curves_;
  std::size_t epochs_ = 0;
  std::vector<Pace> paces_;
  std::vector<EpochHistograms> histograms_;
  std::vector<Fact> facts_;
  std::string stopped_;
  std::vector<std::string> warnings_;
};

std::ostream& operator<<(std::ostream& out, const Scores& scores);
std::ostream& operator<<(std::ostream& out, const History& history);

}  // namespace xgrad::nn
#pragma GCC visibility pop
