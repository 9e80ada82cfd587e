#pragma once
#include <nn/init.hpp>
#include <nn/module.hpp>

#pragma GCC visibility push(default)

/// Layers with parameters or a mode of their own; activations are in nn/activations.hpp.
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

struct LayerNormOptions {
  double eps = 1e-5;
  bool affine = true;  // with weight and bias
  bool bias = true;
  Dtype dtype = f32;
};

/// layer_norm of autograd/ops.hpp over the last axes, of shape `features`, with a trained weight, at first 1, and bias,
/// at first 0 (Ba, Kiros and Hinton 2016; PyTorch's options and defaults): `LayerNorm{64}`, `LayerNorm{{8, 8}}`. Throws
/// ShapeError for a negative size or no axis, ValueError unless eps >= 0; ShapeError for an x with other last axes.
class LayerNorm : public Module {
 public:
  explicit LayerNorm(const Shape& features, LayerNormOptions options = {}, Place place = Place::here());
  Tensor operator()(const Operand& x) const;
  void members(Visitor& visit) override;
  std::string describe() const override;
  std::int64_t output_features(std::int64_t) const override { return features_[-1]; }

  Parameter weight, bias;

 private:
  Shape features_;
  double eps_;
};

/// (n, a, b, ...) -> (n, a b ...).
class Flatten : public Module {
 public:
  Tensor operator()(const Operand& x) const;
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
