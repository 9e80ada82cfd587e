#pragma once
#include <autograd/core/row_gradient.hpp>
#include <autograd/kernels/table.hpp>
#include <vector>

/// Steps that change some rows of a parameter.
namespace xgrad::optim::detail {

/// What an optimiser's kernel is given of the rows that a gradient has: each as a parameter of its own. Keeps its
/// memory for the next step.
class RowSteps {
 public:
  /// The rows of `gradient`, in order, out of a parameter laid out as `whole`, `dtype` (count, features).
  void lay_out(xgrad::detail::RowGradient& gradient, const kernels::OptimiserArrays& whole, Dtype dtype,
               std::int64_t features);
  const std::vector<kernels::OptimiserArrays>& arrays() const { return arrays_; }
  /// Whether they were laid out for the step in progress.
  bool due = false;

 private:
  struct Pick {
    std::int64_t row, at;
    auto operator<=>(const Pick&) const = default;
  };
  /// Makes picks_ of these of `rows` rows: in order of the rows, and of one row in their own.
  void sort_picks(const std::int64_t* index, std::int64_t count, std::int64_t rows);

  std::vector<Pick> picks_;
  std::vector<std::int64_t> next_;  // where the next pick of each row goes, if they are counted
  std::vector<double> sums_;        // room for those of rows that were picked several times, of either dtype
  std::vector<kernels::OptimiserArrays> arrays_;
};

}  // namespace xgrad::optim::detail
