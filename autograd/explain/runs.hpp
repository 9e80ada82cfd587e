#pragma once
#include <autograd/core/program.hpp>
#include <autograd/explain/scalars.hpp>

namespace xgrad::detail {

/// An element as a double.
double number_at(const Tensor& t, std::int64_t element);

/// Runs a traced program again with one number changed, to measure derivatives by central differences.
class Runs {
 public:
  /// `random` is where the generator stood before the traced run, and stands again before each other.
  Runs(const Program& program, const Trace& trace, const Tensor& parameter, RandomState random, const OpScope& scope);

  /// d loss / d element of the parameter; from then on `moves` knows which numbers that moved.
  double loss_by_parameter(std::int64_t element);
  bool moves(int op, std::int64_t element) const {
    return moved_[static_cast<std::size_t>(op)][static_cast<std::size_t>(element)];
  }
  /// d loss / d element of an op's output: it is changed there, and the program runs on.
  double loss_by(int op, std::int64_t element);

  /// An element of an op's output.
  struct Spot {
    int op;
    std::int64_t element;
  };
  /// d place / d element of an op's output (-1: of the parameter), for places one op further: all other ops give what
  /// they gave.
  std::vector<double> by(int op, std::int64_t element, const std::vector<Spot>& places);

  /// How much an element of this value is changed.
  double step_at(double value) const;

 private:
  class Watching;
  class Comparing;
  class Nudging;

  double run(Observer& observer);
  /// Calls run() with the parameter's element larger by `by`; returns what it was in fact.
  template <class F>
  double nudged(std::int64_t element, double by, F&& run);

  const Program& program_;
  const Trace& trace_;
  const Tensor& parameter_;
  const RandomState random_;
  const OpScope& scope_;
  std::vector<Tensor> before_;            // what each op gave
  std::vector<std::vector<bool>> moved_;  // for each op's elements
};

}  // namespace xgrad::detail
