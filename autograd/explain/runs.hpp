#pragma once
#include <autograd/core/program.hpp>
#include <autograd/explain/scalars.hpp>
#include <autograd/observers/replay.hpp>

/// Measures by running: the numbers that an explanation sets beside those of backpropagation.
namespace xgrad::detail {

/// An element as a double.
double number_at(const Tensor& t, std::int64_t element);

/// Measures derivatives of a loss by central differences: runs its program again with one number changed.
class Runs {
 public:
  /// `ops` are the outermost ones of the traced run. `random` is where the generator stood before it, and stands again
  /// before each other.
  Runs(const Program& program, const std::vector<const TracedOp*>& ops, const Tensor& parameter, RandomState random,
       const OpScope& scope);

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
  double run(Replay& replay);
  void note_moved(std::size_t op, const Array& computed);
  const Tensor& output(int op) const { return op < 0 ? parameter_ : ops_[static_cast<std::size_t>(op)]->output; }

  const Program& program_;
  const std::vector<const TracedOp*>& ops_;
  const Tensor& parameter_;
  const RandomState random_;
  const OpScope& scope_;
  std::vector<Array> before_;             // what each op gave
  std::vector<std::vector<bool>> moved_;  // for each op's elements
};

}  // namespace xgrad::detail
