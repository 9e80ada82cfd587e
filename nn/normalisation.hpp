#pragma once
#include <nn/module.hpp>

#pragma GCC visibility push(default)

/// Layers that normalise, by the ops of autograd/normalisation.hpp, with a trained weight, at first 1, and bias, at
/// first 0. Defaults are PyTorch's, but for RMSNorm's eps. All throw ValueError unless eps >= 0.
namespace xgrad::nn {

struct LayerNormOptions {
  double eps = 1e-5;
  bool affine = true;  // with weight and bias
  bool bias = true;
  Dtype dtype = f32;
};

/// layer_norm over the last axes, of shape `features` (Ba, Kiros and Hinton 2016): `LayerNorm{64}`, `LayerNorm{{8,
/// 8}}`. Throws ShapeError for a negative size or no axis, and for an x with other last axes.
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

struct RMSNormOptions {
  double eps = 1e-5;
  bool affine = true;  // with a weight
  Dtype dtype = f32;
};

/// rms_norm over the last axes, of shape `features` (Zhang and Sennrich 2019). Throws as LayerNorm does.
class RMSNorm : public Module {
 public:
  explicit RMSNorm(const Shape& features, RMSNormOptions options = {}, Place place = Place::here());
  Tensor operator()(const Operand& x) const;
  void members(Visitor& visit) override;
  std::string describe() const override;
  std::int64_t output_features(std::int64_t) const override { return features_[-1]; }

  Parameter weight;

 private:
  Shape features_;
  double eps_;
};

struct GroupNormOptions {
  double eps = 1e-5;
  bool affine = true;
  Dtype dtype = f32;
};

/// group_norm of x (n, channels, ...) in `groups` groups of channels (Wu and He 2018). Throws ValueError unless groups
/// divide the channels.
class GroupNorm : public Module {
 public:
  GroupNorm(std::int64_t groups, std::int64_t channels, GroupNormOptions options = {}, Place place = Place::here());
  Tensor operator()(const Operand& x) const;
  void members(Visitor& visit) override;
  std::string describe() const override;

  Parameter weight, bias;

 private:
  std::int64_t groups_, channels_;
  double eps_;
};

struct BatchNormOptions {
  double eps = 1e-5;
  double momentum = 0.1;  // of the running moments: the share of the newest batch
  bool affine = true;
  Dtype dtype = f32;
};

namespace detail {

/// batch_norm of x (n, channels, ...): in training by the moments of the batch, which also move the running ones,
/// buffers that start as 0 and 1; in evaluation by these (Ioffe and Szegedy 2015). The running variance is the unbiased
/// one. What is run twice, as in a checkpoint, moves them twice.
class BatchNorm : public Module {
 public:
  /// In training throws ValueError for a single element for each channel.
  Tensor operator()(const Operand& x) const;
  void members(Visitor& visit) override;
  std::string describe() const override;

  Parameter weight, bias;
  Buffer running_mean, running_variance;

 protected:
  BatchNorm(int axes, std::int64_t channels, const BatchNormOptions& options, Place place);

 private:
  int axes_;
  double eps_, momentum_;
};

}  // namespace detail

/// For x (n, channels) or (n, channels, length). Throws ValueError for channels below 0 and a momentum outside of [0,
/// 1].
class BatchNorm1d : public detail::BatchNorm {
 public:
  explicit BatchNorm1d(std::int64_t channels, BatchNormOptions options = {}, Place place = Place::here())
      : BatchNorm(1, channels, options, place) {}
};
/// For x (n, channels, height, width).
class BatchNorm2d : public detail::BatchNorm {
 public:
  explicit BatchNorm2d(std::int64_t channels, BatchNormOptions options = {}, Place place = Place::here())
      : BatchNorm(2, channels, options, place) {}
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
