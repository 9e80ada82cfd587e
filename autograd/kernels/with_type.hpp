#pragma once
#include <autograd/dtype.hpp>

namespace xgrad::kernels {

/// Calls body(T{}) with the element type; booleans move and order as bytes.
template <class Body>
void with_type(Dtype d, Body body) {
  switch (d) {
    case f32:
      return body(float{});
    case f64:
      return body(double{});
    case i64:
      return body(std::int64_t{});
    case boolean:
      return body(std::uint8_t{});
  }
}

}  // namespace xgrad::kernels
