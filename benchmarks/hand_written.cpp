#include "hand_written.hpp"

#include <algorithm>
#include <autograd/kernels/table.hpp>
#include <cmath>

namespace bench {

using namespace xgrad;
using kernels::Size, kernels::table;

namespace {

template <class T>
Buffer<T> buffer(Size rows, Size columns) {
  return Buffer<T>(static_cast<std::size_t>(rows * columns));
}

void multiply(const kernels::Gemm& shape, const float* a, const float* b, float* c) {
  table().gemm[int(f32)](shape, a, b, c);
}

/// h = relu(h + bias).
template <Size columns>
void bias_relu(float* h, const float* bias, Size rows) {
  for (; rows > 0; --rows, h += columns)
    for (Size j = 0; j < columns; ++j) h[j] = std::max(h[j] + bias[j], 0.f);
}

/// h = keep ? relu(h + bias) * scale : 0.
template <Size columns>
void bias_relu_dropout(float* h, const float* bias, const unsigned char* keep, float scale, Size rows) {
  for (; rows > 0; --rows, h += columns, keep += columns)
    for (Size j = 0; j < columns; ++j) {
      const float y = std::max(h[j] + bias[j], 0.f) * scale;
      h[j] = keep[j] ? y : 0.f;
    }
}

/// g = h > 0 ? g * scale : 0, and the sums of its columns. An output is positive where relu and dropout let it pass.
template <Size columns>
void through_relu(float* g, const float* h, float scale, Size rows, float* column_sums) {
  float sums[columns] = {};
  for (; rows > 0; --rows, g += columns, h += columns)
    for (Size j = 0; j < columns; ++j) {
      const float scaled = g[j] * scale, passed = h[j] > 0 ? scaled : 0.f;
      g[j] = passed;
      sums[j] += passed;
    }
  std::copy(sums, sums + columns, column_sums);
}

}  // namespace

HandWrittenStep::HandWrittenStep(const std::vector<float>& parameters, std::int64_t batch, Options options)
    : batch_(batch),
      options_(options),
      parameters_(parameters.begin(), parameters.end()),
      gradients_(parameters.size()),
      mean_(parameters.size()),
      mean_square_(parameters.size()),
      h1_(buffer<float>(batch, hidden1)),
      h2_(buffer<float>(batch, hidden2)),
      z_(buffer<float>(batch, 1)),
      losses_(buffer<float>(batch, 1)),
      g1_(buffer<float>(batch, hidden1)),
      g2_(buffer<float>(batch, hidden2)),
      g3_(buffer<float>(batch, 1)),
      keep_(buffer<unsigned char>(batch, hidden1)) {}

float HandWrittenStep::step(const float* x, const float* t) {
  ++steps_;
  const float loss = forward(x, t);
  backward(x, t);
  update();
  return loss;
}

float HandWrittenStep::forward(const float* x, const float* t) {
  const float* const p = parameters_.data();
  multiply({.m = batch_, .n = hidden1, .k = inputs}, x, p + w1, h1_.data());
  if (options_.dropout > 0) {
    const double kept = 1 - options_.dropout;
    table().keep(reinterpret_cast<bool*>(keep_.data()), batch_ * hidden1, 0, kept, 0, std::uint64_t(steps_));
    bias_relu_dropout<hidden1>(h1_.data(), p + b1, keep_.data(), float(1 / kept), batch_);
  } else {
    bias_relu<hidden1>(h1_.data(), p + b1, batch_);
  }
  multiply({.m = batch_, .n = hidden2, .k = hidden1}, h1_.data(), p + w2, h2_.data());
  bias_relu<hidden2>(h2_.data(), p + b2, batch_);
  const float* h = h2_.data();
  for (float& z : z_) {
    float sum = 0;
    for (Size j = 0; j < hidden2; ++j) sum += h[j] * p[w3 + j];
    z = sum + p[b3];
    h += hidden2;
  }
  constexpr int dtype = int(f32);
  const auto loop = kernels::Loop<2>::row(batch_, 1, 1);
  table().binary[int(kernels::Binary::bce_with_logits)][dtype](z_.data(), t, losses_.data(), loop);
  float sum = 0;
  table().reduce[int(kernels::Reduce::sum)][dtype](losses_.data(), &sum, 1, batch_, 1);
  return sum / float(batch_);
}

void HandWrittenStep::backward(const float* x, const float* t) {
  const float* const p = parameters_.data();
  float* const g = gradients_.data();
  table().unary[int(kernels::Unary::sigmoid)][int(f32)](z_.data(), g3_.data(), batch_);
  for (Size i = 0; i < batch_; ++i) g3_[std::size_t(i)] = (g3_[std::size_t(i)] - t[i]) / float(batch_);

  float to_w3[hidden2] = {}, to_b3 = 0;
  const float* h = h2_.data();
  float* to_h = g2_.data();
  for (const float gz : g3_) {
    for (Size j = 0; j < hidden2; ++j) to_w3[j] += gz * h[j];
    for (Size j = 0; j < hidden2; ++j) to_h[j] = gz * p[w3 + j];
    to_b3 += gz;
    h += hidden2;
    to_h += hidden2;
  }
  std::copy(to_w3, to_w3 + hidden2, g + w3);
  g[b3] = to_b3;

  through_relu<hidden2>(g2_.data(), h2_.data(), 1, batch_, g + b2);
  multiply({.transpose_a = true, .m = hidden1, .n = hidden2, .k = batch_}, h1_.data(), g2_.data(), g + w2);
  multiply({.transpose_b = true, .m = batch_, .n = hidden1, .k = hidden2}, g2_.data(), p + w2, g1_.data());
  through_relu<hidden1>(g1_.data(), h1_.data(), float(1 / (1 - options_.dropout)), batch_, g + b1);
  multiply({.transpose_a = true, .m = inputs, .n = hidden1, .k = batch_}, x, g1_.data(), g + w1);
}

void HandWrittenStep::update() {
  constexpr double beta1 = 0.9, beta2 = 0.999;
  kernels::OptimiserStep numbers{};
  numbers.lr = options_.lr;
  numbers.beta1 = beta1;
  numbers.beta2 = beta2;
  numbers.eps = 1e-8;
  numbers.rate1 = options_.lr / (1 - std::pow(beta1, double(steps_)));
  numbers.rate2 = 1 / std::sqrt(1 - std::pow(beta2, double(steps_)));
  const kernels::OptimiserArrays all{parameters_.data(),  gradients_.data(), mean_.data(),
                                     mean_square_.data(), nullptr,           parameter_count};
  table().adam[int(f32)](&all, 1, numbers);
}

}  // namespace bench
