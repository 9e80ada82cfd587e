#pragma once
#include <autograd/dtype.hpp>
#include <string>

#pragma GCC visibility push(default)

/// An option of an optimiser as its base sees it: a name, a range, and a number to read and write.
namespace xgrad::optim::detail {

enum class Range { flag, whole, count, finite, not_negative, below_one };

class Option {
 public:
  /// `value` is a number, a flag, or an enum of two values, and outlives this.
  template <class T>
  Option(std::string name, T& value, Range range = Range::finite)
      : name_(std::move(name)),
        value_(&value),
        range_(std::is_same_v<T, bool>                           ? Range::flag
               : std::is_integral_v<T> && range == Range::finite ? Range::whole
                                                                 : range),
        get_([](const void* from) { return static_cast<double>(*static_cast<const T*>(from)); }),
        set_([](void* to, double number) { *static_cast<T*>(to) = static_cast<T>(number); }) {}

  const std::string& name() const { return name_; }
  double get() const { return get_(value_); }
  void set(double value) const { set_(value_, value); }
  bool is_flag() const { return range_ == Range::flag; }
  /// Of the option in a state.
  Dtype dtype() const {
    return range_ == Range::flag ? boolean : range_ == Range::whole || range_ == Range::count ? i64 : f64;
  }
  /// What is expected instead of `value`; null if it is in range.
  const char* fault(double value) const;

 private:
  std::string name_;
  void* value_;
  Range range_;
  double (*get_)(const void* from);
  void (*set_)(void* to, double number);
};

}  // namespace xgrad::optim::detail
#pragma GCC visibility pop
