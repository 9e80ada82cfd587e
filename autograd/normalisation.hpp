#pragma once
#include <autograd/factories.hpp>

#pragma GCC visibility push(default)

/// Normalisations, part of ops.hpp, which says what holds for all ops.
namespace xgrad {

// ---- normalisations ----

/// (x - mean) / sqrt(variance + eps) over the last axes, which must be of shape `normalized`, times weight plus bias of
/// that shape, each where it is defined (Ba, Kiros and Hinton 2016). The variance divides by the count, in two passes
/// with the mean held in double.
Tensor layer_norm(const Operand& x, const Shape& normalized, const Tensor& weight = {}, const Tensor& bias = {},
                  double eps = 1e-5);
/// x / sqrt(mean(x^2) + eps) over the last axes, which must be of shape `normalized`, times weight of that shape where
/// it is defined (Zhang and Sennrich 2019).
Tensor rms_norm(const Operand& x, const Shape& normalized, const Tensor& weight = {}, double eps = 1e-5);
/// (x - mean) / sqrt(variance + eps) over each of `groups` groups of neighbouring channels of x (n, channels, ...) for
/// each n, times weight plus bias (channels), each where it is defined (Wu and He 2018). Throws ValueError unless
/// groups divide the channels.
Tensor group_norm(const Operand& x, std::int64_t groups, const Tensor& weight = {}, const Tensor& bias = {},
                  double eps = 1e-5);
/// The mean and the variance, divided by the count, of each channel.
struct BatchMoments {
  Tensor mean, variance;
};
/// (x - mean) / sqrt(variance + eps) over all axes of x (n, channels, ...) but the channels', times weight plus bias
/// (channels), each where it is defined (Ioffe and Szegedy 2015); constants of these moments go to `moments`, if given.
/// Throws ValueError for a single element for each channel, of which nothing would be left.
Tensor batch_norm(const Operand& x, const Tensor& weight = {}, const Tensor& bias = {}, double eps = 1e-5,
                  BatchMoments* moments = nullptr);
/// The same by given moments, (channels) each.
Tensor batch_norm(const Operand& x, const BatchMoments& moments, const Tensor& weight = {}, const Tensor& bias = {},
                  double eps = 1e-5);

}  // namespace xgrad
#pragma GCC visibility pop
