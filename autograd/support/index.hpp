#pragma once
#include <cstddef>

/// Numbers of things are ints here, and so may be -1; containers take std::size_t.
namespace xgrad::detail {

inline std::size_t at(int i) { return static_cast<std::size_t>(i); }

}  // namespace xgrad::detail
