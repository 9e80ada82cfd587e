#pragma once
#include <autograd/state_dict.hpp>
#include <iosfwd>

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
  /// Appends an epoch.
  void add(const Scores& epoch);

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
  std::string stopped_;
  std::vector<std::string> warnings_;
};

std::ostream& operator<<(std::ostream& out, const Scores& scores);
std::ostream& operator<<(std::ostream& out, const History& history);

}  // namespace xgrad::nn
#pragma GCC visibility pop
