#pragma once
#include "hand_written.hpp"

#include <algorithm>
#include <autograd/kernels/table.hpp>

namespace bench {

using namespace xgrad;
using kernels::Size, kernels::table;

inline void multiply(const kernels::Gemm& shape, const float* a, const float* b, float* c) {
  table().gemm[int(f32)](shape, a, b, c);
}

// The layers' activations and their derivatives, and the last layer, which has one output.
//
//   activate       h = relu(h + bias), with dropout unless `keep` is null: h = keep ? h * scale : 0
//   pass_back      g, for h, becomes g for h before its activation; `sums` those of its columns
//   output         z = h w + b
//   output_back    the gradients for w, b and h of g, that for z

struct Kernels {
  static constexpr int dtype = int(f32);
  static const bool* mask(const unsigned char* keep) { return reinterpret_cast<const bool*>(keep); }

  template <Size columns>
  static void activate(float* h, const float* bias, const unsigned char* keep, double scale, Size rows) {
    table().add_row[dtype](bias, h, rows, columns);
    table().unary[int(kernels::Unary::relu)][dtype](h, h, rows * columns);
    if (keep) table().dropout[dtype](h, mask(keep), scale, h, rows * columns);
  }
  template <Size columns>
  static void pass_back(float* g, const float* h, const unsigned char* keep, double scale, Size rows, float* sums) {
    const Size n = rows * columns;
    if (keep) table().dropout[dtype](g, mask(keep), scale, g, n);
    table().binary[int(kernels::Binary::relu_grad)][dtype](g, h, g, kernels::Loop<2>::row(n, 1, 1));
    table().reduce[int(kernels::Reduce::sum)][dtype](g, sums, 1, rows, columns);
  }
  template <Size columns>
  static void output(const float* h, const float* w, const float* b, float* z, Size rows) {
    multiply({.m = rows, .n = 1, .k = columns}, h, w, z);
    table().add_row[dtype](b, z, rows, 1);
  }
  template <Size columns>
  static void output_back(const float* g, const float* h, const float* w, float* to_w, float* to_b, float* to_h,
                          Size rows) {
    multiply({.transpose_a = true, .m = columns, .n = 1, .k = rows}, h, g, to_w);
    multiply({.transpose_b = true, .m = rows, .n = columns, .k = 1}, g, w, to_h);
    table().reduce[int(kernels::Reduce::sum)][dtype](g, to_b, 1, rows, 1);
  }
};

struct Loops {
  template <Size columns>
  static void activate(float* h, const float* bias, const unsigned char* keep, double scale, Size rows) {
    const float factor = keep ? static_cast<float>(scale) : 1;
    for (Size i = 0; i < rows; ++i, h += columns)
      for (Size j = 0; j < columns; ++j) {
        const float y = std::max(h[j] + bias[j], 0.f) * factor;
        h[j] = !keep || keep[i * columns + j] ? y : 0.f;
      }
  }
  /// An output is positive where relu and dropout let it pass.
  template <Size columns>
  static void pass_back(float* g, const float* h, const unsigned char* keep, double scale, Size rows, float* sums) {
    const float factor = keep ? static_cast<float>(scale) : 1;
    float partial[columns] = {};
    for (; rows > 0; --rows, g += columns, h += columns)
      for (Size j = 0; j < columns; ++j) {
        const float scaled = g[j] * factor, passed = h[j] > 0 ? scaled : 0.f;
        g[j] = passed;
        partial[j] += passed;
      }
    std::copy(partial, partial + columns, sums);
  }
  template <Size columns>
  static void output(const float* h, const float* w, const float* b, float* z, Size rows) {
    for (Size i = 0; i < rows; ++i, h += columns) {
      float sum = 0;
      for (Size j = 0; j < columns; ++j) sum += h[j] * w[j];
      z[i] = sum + *b;
    }
  }
  template <Size columns>
  static void output_back(const float* g, const float* h, const float* w, float* to_w, float* to_b, float* to_h,
                          Size rows) {
    float partial[columns] = {}, sum = 0;
    for (Size i = 0; i < rows; ++i, h += columns, to_h += columns) {
      for (Size j = 0; j < columns; ++j) partial[j] += g[i] * h[j];
      for (Size j = 0; j < columns; ++j) to_h[j] = g[i] * w[j];
      sum += g[i];
    }
    std::copy(partial, partial + columns, to_w);
    *to_b = sum;
  }
};

}  // namespace bench
