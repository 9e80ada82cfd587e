#include "hand_written_between.hpp"

#include <cmath>

namespace bench {

namespace {

template <class T>
Buffer<T> buffer(Size rows, Size columns) {
  return Buffer<T>(static_cast<std::size_t>(rows * columns));
}

}  // namespace

template <class Between>
HandWrittenStep<Between>::HandWrittenStep(const std::vector<float>& parameters, std::int64_t batch, Options options)
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

template <class Between>
float HandWrittenStep<Between>::step(const float* x, const float* t) {
  ++steps_;
  const float loss = forward(x, t);
  backward(x, t);
  update();
  return loss;
}

template <class Between>
float HandWrittenStep<Between>::forward(const float* x, const float* t) {
  const float* const p = parameters_.data();
  multiply({.m = batch_, .n = hidden1, .k = inputs}, x, p + w1, h1_.data());
  const unsigned char* const keep = options_.dropout > 0 ? keep_.data() : nullptr;
  const double kept = 1 - options_.dropout;
  if (keep) table().keep(reinterpret_cast<bool*>(keep_.data()), batch_ * hidden1, 0, kept, 0, std::uint64_t(steps_));
  Between::template activate<hidden1>(h1_.data(), p + b1, keep, 1 / kept, batch_);
  multiply({.m = batch_, .n = hidden2, .k = hidden1}, h1_.data(), p + w2, h2_.data());
  Between::template activate<hidden2>(h2_.data(), p + b2, nullptr, 1, batch_);
  Between::template output<hidden2>(h2_.data(), p + w3, p + b3, z_.data(), batch_);
  constexpr int dtype = int(f32);
  const auto loop = kernels::Loop<2>::row(batch_, 1, 1);
  table().binary[int(kernels::Binary::bce_with_logits)][dtype](z_.data(), t, losses_.data(), loop);
  float sum = 0;
  table().reduce[int(kernels::Reduce::sum)][dtype](losses_.data(), &sum, 1, batch_, 1);
  return sum / float(batch_);
}

template <class Between>
void HandWrittenStep<Between>::backward(const float* x, const float* t) {
  const float* const p = parameters_.data();
  float* const g = gradients_.data();
  table().unary[int(kernels::Unary::sigmoid)][int(f32)](z_.data(), g3_.data(), batch_);
  for (Size i = 0; i < batch_; ++i) g3_[std::size_t(i)] = (g3_[std::size_t(i)] - t[i]) / float(batch_);

  Between::template output_back<hidden2>(g3_.data(), h2_.data(), p + w3, g + w3, g + b3, g2_.data(), batch_);
  Between::template pass_back<hidden2>(g2_.data(), h2_.data(), nullptr, 1, batch_, g + b2);
  multiply({.transpose_a = true, .m = hidden1, .n = hidden2, .k = batch_}, h1_.data(), g2_.data(), g + w2);
  multiply({.transpose_b = true, .m = batch_, .n = hidden1, .k = hidden2}, g2_.data(), p + w2, g1_.data());
  const unsigned char* const keep = options_.dropout > 0 ? keep_.data() : nullptr;
  Between::template pass_back<hidden1>(g1_.data(), h1_.data(), keep, 1 / (1 - options_.dropout), batch_, g + b1);
  multiply({.transpose_a = true, .m = inputs, .n = hidden1, .k = batch_}, x, g1_.data(), g + w1);
}

template <class Between>
void HandWrittenStep<Between>::update() {
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

template class HandWrittenStep<Kernels>;
template class HandWrittenStep<Loops>;

}  // namespace bench
