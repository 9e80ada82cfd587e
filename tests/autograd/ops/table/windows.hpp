#pragma once
#include <autograd/ops/table/values.hpp>

/// References of convolutions, pooling and normalisations, which the tables of ops and of layers share.
namespace xgrad::op_table {

/// A window's arguments, one for each axis.
struct Moves {
  Index stride, padding, dilation;
  std::int64_t groups = 1;
};

/// a[0] with the kernels a[1], plus a[2] if it is there; and the transposed map, with more elements behind.
Values convolution(const std::vector<Values>& a, const Moves& m);
Values transposed_convolution(const std::vector<Values>& a, const Moves& m, const Index& more);

/// combine(values inside of x) for each window.
using Combine = Real (*)(const std::vector<Real>&);
ElementReference pooled(const Shape& kernel, const Moves& m, Combine combine);
Real sum_of(const std::vector<Real>& v);
Real mean_of(const std::vector<Real>& v);
Real largest_of(const std::vector<Real>& v);

/// Along each axis in turn: element i of the result is `weight(i, j, n, size)` times elements j < n, summed.
ElementReference along_axes(const Index& sizes, Real (*weight)(std::int64_t, std::int64_t, std::int64_t, std::int64_t));
/// The weight of an adaptive average.
Real adaptive(std::int64_t i, std::int64_t j, std::int64_t n, std::int64_t size);

/// (x - mean) / sqrt(variance + eps), or x / sqrt(mean(x^2) + eps), of the elements that are together, times
/// a[1][place] plus a[2][place] where they are there.
using Together = std::function<bool(const Shape&, const Index&, const Index&)>;
Values normalised(const std::vector<Values>& a, const Together& together, bool centred, Real eps,
                  const std::function<Index(const Index&)>& place);
/// The same with places in the channel, by groups of channels.
Values group_normalised(const std::vector<Values>& a, std::int64_t groups, Real eps);
/// By moments: (x - mean) / sqrt(variance + eps) for each channel, times w plus b.
Values by_moments(const Values& x, const Values& mean, const Values& variance, const Values* w, const Values* b);

}  // namespace xgrad::op_table
