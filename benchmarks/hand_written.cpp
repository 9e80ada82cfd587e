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

constexpr int dtype = int(f32);

void multiply(const kernels::Gemm& shape, const float* a, const float* b, float* c) {
  table().gemm[dtype](shape, a, b, c);
}

void bias_relu(float* h, const float* bias, Size rows, Size columns) {
  table().add_row[dtype](bias, h, rows, columns);
  table().unary[int(kernels::Unary::relu)][dtype](h, h, rows * columns);
}

/// g, which has arrived for h = relu(z), becomes what z is sent.
void through_relu(float* g, const float* h, Size n) {
  table().binary[int(kernels::Binary::relu_grad)][dtype](g, h, g, kernels::Loop<2>::row(n, 1, 1));
}

void sum_rows(const float* x, Size rows, Size columns, float* sums) {
  if (rows == 1) {  // for which xgrad needs no kernel either
    std::copy(x, x + columns, sums);
    return;
  }
  table().reduce[int(kernels::Reduce::sum)][dtype](x, sums, 1, rows, columns);
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
  bias_relu(h1_.data(), p + b1, batch_, hidden1);
  if (options_.dropout > 0) {
    auto* const keep = reinterpret_cast<bool*>(keep_.data());
    table().keep(keep, batch_ * hidden1, 0, 1 - options_.dropout, 0, std::uint64_t(steps_));
    drop_out(h1_.data());
  }
  multiply({.m = batch_, .n = hidden2, .k = hidden1}, h1_.data(), p + w2, h2_.data());
  bias_relu(h2_.data(), p + b2, batch_, hidden2);
  multiply({.m = batch_, .n = 1, .k = hidden2}, h2_.data(), p + w3, z_.data());
  table().add_row[dtype](p + b3, z_.data(), batch_, 1);
  const auto loop = kernels::Loop<2>::row(batch_, 1, 1);
  table().binary[int(kernels::Binary::bce_with_logits)][dtype](z_.data(), t, losses_.data(), loop);
  float sum = 0;
  sum_rows(losses_.data(), batch_, 1, &sum);
  return sum / float(batch_);
}

void HandWrittenStep::backward(const float* x, const float* t) {
  const float* const p = parameters_.data();
  float* const g = gradients_.data();
  table().unary[int(kernels::Unary::sigmoid)][dtype](z_.data(), g3_.data(), batch_);
  for (Size i = 0; i < batch_; ++i) g3_[std::size_t(i)] = (g3_[std::size_t(i)] - t[i]) / float(batch_);

  multiply({.transpose_a = true, .m = hidden2, .n = 1, .k = batch_}, h2_.data(), g3_.data(), g + w3);
  sum_rows(g3_.data(), batch_, 1, g + b3);
  multiply({.transpose_b = true, .m = batch_, .n = hidden2, .k = 1}, g3_.data(), p + w3, g2_.data());

  through_relu(g2_.data(), h2_.data(), batch_ * hidden2);
  multiply({.transpose_a = true, .m = hidden1, .n = hidden2, .k = batch_}, h1_.data(), g2_.data(), g + w2);
  sum_rows(g2_.data(), batch_, hidden2, g + b2);
  multiply({.transpose_b = true, .m = batch_, .n = hidden1, .k = hidden2}, g2_.data(), p + w2, g1_.data());

  // Where dropout lets nothing pass, nothing comes back, whether relu would let it through or not.
  if (options_.dropout > 0) drop_out(g1_.data());
  through_relu(g1_.data(), h1_.data(), batch_ * hidden1);
  sum_rows(g1_.data(), batch_, hidden1, g + b1);
  multiply({.transpose_a = true, .m = inputs, .n = hidden1, .k = batch_}, x, g1_.data(), g + w1);
}

void HandWrittenStep::drop_out(float* x) const {
  const auto* const keep = reinterpret_cast<const bool*>(keep_.data());
  table().dropout[dtype](x, keep, 1 / (1 - options_.dropout), x, batch_ * hidden1);
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
  table().adam[dtype](&all, 1, numbers);
}

}  // namespace bench
