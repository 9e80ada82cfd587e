#pragma once
#include <autograd/fused.hpp>

/// A function that two sources share, of which one is compiled plainly and the other with -march=native.
struct Polynomial {
  template <class X>
  X operator()(X x, X m) const {
    return (x * m + 1) * x - m / (1 + x * x);
  }
};

xgrad::Tensor native_polynomial(const xgrad::Tensor& x, const xgrad::Tensor& m);
/// Elements in a batch.
int native_width();
