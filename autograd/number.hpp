#pragma once
#include <autograd/dtype.hpp>
#include <autograd/error.hpp>
#include <bit>

#pragma GCC visibility push(default)

namespace xgrad {

/// A C++ number whose type is decided by the tensor that it meets.
class Number {
 public:
  template <class N>
  requires std::is_arithmetic_v<N> Number(N n) : bits_(std::bit_cast<std::int64_t>(static_cast<double>(n))) {
    if constexpr (std::is_integral_v<N>) {
      const auto integer = static_cast<std::int64_t>(n);
      if (std::is_unsigned_v<N> && integer < 0) return;
      bits_ = integer;
      is_integer_ = true;
    }
  }
  // Field by field: a processor waits when it loads at once what was just stored in parts.
  Number(const Number& other) : bits_(other.bits_), is_integer_(other.is_integer_) {}
  Number& operator=(const Number&) = default;

  double real() const { return is_integer_ ? static_cast<double>(bits_) : std::bit_cast<double>(bits_); }
  /// Whether the number survives a conversion to `dtype`: 2.5 and 1e19 do not survive one to i64, nor 2 one to boolean.
  bool fits(Dtype dtype) const;
  /// A number that fits i64.
  std::int64_t integer() const { return is_integer_ ? bits_ : static_cast<std::int64_t>(real()); }
  /// Writes the number as one element of `dtype`.
  void store(Dtype dtype, void* to) const;
  std::string str() const { return is_integer_ ? text(bits_) : text(real()); }

 private:
  std::int64_t bits_;        // of an integer, or of a double
  bool is_integer_ = false;  // an integer past 2^63 is held as a double
};

}  // namespace xgrad
#pragma GCC visibility pop
