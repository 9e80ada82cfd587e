#pragma once
#include <nn/init.hpp>
#include <nn/normalisation.hpp>

#pragma GCC visibility push(default)

/// Layers with parameters or a mode of their own; activations are in nn/activations.hpp,
/// what moves windows along images in nn/convolution.hpp, and what normalises in nn/normalisation.hpp.
namespace xgrad::nn {

struct DenseOptions {
  bool bias = true;
  init::Initializer weight_init = init::glorot_uniform();
  init::Initializer bias_init = init::zeros();
  Dtype dtype = f32;
};

/// y = x W + b for x (..., in), W (in, out) and b (out). Throws ValueError for a negative size; 0 is allowed.
class Dense : public Module {
 public:
  Dense(std::int64_t in, std::int64_t out, DenseOptions options = {}, Place place = Place::here());
  /// Throws ShapeError naming both shapes if x has other than `in` features.
  Tensor operator()(const Operand& x) const;
  void members(Visitor& visit) override;
  std::string describe() const override;
  std::int64_t output_features(std::int64_t input) const override;

  Parameter weight, bias;
};

/// In training mode sets each element to 0 with probability p and scales the rest by 1 / (1 - p), so that the mean
/// stays (Srivastava et al. 2014); the identity in evaluation mode and for p = 0. Each call draws a new mask. Throws
/// ValueError unless p is in [0, 1].
class Dropout : public Module {
 public:
  explicit Dropout(double p = 0.5, Place place = Place::here());
  Tensor operator()(const Operand& x) const;
  std::string describe() const override;
  std::int64_t output_features(std::int64_t input) const override { return input; }

 private:
  double p_;
};

/// (n, a, b, ...) -> (n, a b ...).
class Flatten : public Module {
 public:
  Tensor operator()(const Operand& x) const;
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
