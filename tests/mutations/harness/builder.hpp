#pragma once
#include <algorithm>
#include <cmath>
#include <mutations/harness/program.hpp>
#include <random>

namespace xgrad::mutations {

using Operands = std::vector<Operand>;

inline bool has_axes(const Shape& s) { return s.ndim() > 0; }

/// Where an op may be asked for its derivative.
enum class Domain {
  any,
  positive,  // at least 0.1
  unit,      // inside [-0.85, 0.85]
  away,      // from 0
  distinct   // no two elements equal
};

/// A program being made: its steps and the numbers that they have given.
class Builder {
 public:
  explicit Builder(std::uint64_t seed) : random_(seed) {}

  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  double uniform(double low, double high) {
    return low + (high - low) * static_cast<double>(random_() >> 11) * 0x1p-53;
  }
  bool chance(double p) { return uniform(0, 1) < p; }
  /// Numbers of [0.2, 1.6] with random signs, none two nearly equal.
  Tensor numbers(const Shape& shape);

  int add_input(const Shape& shape);
  /// Appends a step, unless its result is unfit to go on with: -1 then. Large and tiny results are followed by a
  /// factor.
  int push(std::vector<int> arguments, std::function<Tensor(const Operands&)> run);
  /// A value of the domain for which fits(shape) holds, one that nothing uses yet if possible; a step may be added to
  /// make one. -1 if there is none.
  template <class Fits>
  int pick(Domain domain, Fits fits) {
    std::vector<int> unused, others, unfit;
    for (int i = 0; i < static_cast<int>(values_.size()); ++i) {
      if (!fits(value(i).shape())) continue;
      if (!in_domain(value(i), domain)) {
        unfit.push_back(i);
      } else {
        (used_[static_cast<std::size_t>(i)] ? others : unused).push_back(i);
      }
    }
    if (!unused.empty() && (others.empty() || chance(0.85))) return any_of(unused);
    if (!others.empty()) return any_of(others);
    return unfit.empty() ? -1 : moved_into(any_of(unfit), domain);
  }
  int pick(Domain domain = Domain::any) {
    return pick(domain, [](const Shape&) { return true; });
  }

  const Tensor& value(int i) const { return values_[static_cast<std::size_t>(i)]; }
  const Shape& shape(int i) const { return value(i).shape(); }
  std::vector<int> unused() const;
  int steps() const { return static_cast<int>(program_.steps.size()); }
  /// Joins what is not used yet to a single result of at most a dozen elements. Empty if that is unfit.
  Program finish();

  static bool in_domain(const Tensor& t, Domain domain);

 private:
  int any_of(const std::vector<int>& from) {
    return from[static_cast<std::size_t>(below(static_cast<int>(from.size())))];
  }
  int moved_into(int i, Domain domain);

  std::mt19937_64 random_;
  Program program_;
  Tensors values_;
  std::vector<bool> used_;
};

/// Tries to append one step of a random kind.
void add_random_step(Builder& b);
/// Of these kinds.
void add_product(Builder& b);
void add_shaping(Builder& b);
void add_joining(Builder& b);
void add_indexing(Builder& b);
void add_layer(Builder& b);

}  // namespace xgrad::mutations
