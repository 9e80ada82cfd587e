#pragma once
#include <autograd/kernels/table.hpp>
#include <optim/optimizer.hpp>

/// What an optimiser tells its base: its options by name and range, and how its kernel is called.
namespace xgrad::optim::detail {

enum class Range { finite, not_negative, below_one };

/// One option of a group: a number in a range, or a flag.
struct Option {
  Option(const char* name_, double& number_, Range range_) : name(name_), number(&number_), range(range_) {}
  Option(const char* name_, bool& flag_) : name(name_), flag(&flag_) {}

  /// What is expected instead of `value`; null if it is in range.
  const char* fault(double value) const;
  void set(double value) const {
    if (flag) {
      *flag = value != 0;
    } else {
      *number = value;
    }
  }
  double get() const { return flag ? double(*flag) : *number; }

  const char* name;
  double* number = nullptr;
  bool* flag = nullptr;
  Range range = Range::finite;
};

struct Plan {
  const kernels::Table::OptimiserFn* kernel;  // by dtype
  kernels::OptimiserStep numbers;
  bool uses[3];        // which moments
  double initial = 0;  // what the moments start from
};

/// A copy of `values` as a moment of p. Half a page away from p, modulo pages: a processor takes a load for one that
/// depends on a recent store to the same place of another page, and waits.
Tensor moment_of(const Array& p, const Array& values);

}  // namespace xgrad::optim::detail
