#pragma once
#include <cstdint>

/// Arithmetic on integers that wraps around.
namespace xgrad::kernels::XGRAD_ISA {

/// The type in which T is added and multiplied: for i64 an unsigned one, where wrapping around is defined.
template <class T>
struct WrappingOf {
  using type = T;
};
template <>
struct WrappingOf<std::int64_t> {
  using type = std::uint64_t;
};

}  // namespace xgrad::kernels::XGRAD_ISA
