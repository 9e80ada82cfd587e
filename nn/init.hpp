#pragma once
#include <autograd/tensor.hpp>

#pragma GCC visibility push(default)

/// How the parameters of a layer begin: `nn::Dense{64, 32, {.weight_init = nn::init::he_normal()}}`, or by hand
/// `nn::Parameter w{nn::init::orthogonal()({64, 64})}`. All draw from the generator of manual_seed.
///
/// fan_in and fan_out of a weight (..., in, out) are in and out times the leading sizes; of one axis, both its size.
/// The normal forms of glorot, he and lecun are truncated at two sigma and scaled to the stated deviation, as Keras
/// does.
namespace xgrad::nn::init {

/// A function from a shape to a tensor with two settings.
class Initializer {
 public:
  using Make = Tensor (*)(const Shape& shape, double first, double second, const TensorOptions& options);
  constexpr Initializer(Make make, double first = 0, double second = 0) : make_(make), first_(first), second_(second) {}
  /// A new tensor. Throws DtypeError unless f32 or f64.
  Tensor operator()(const Shape& shape, TensorOptions options = {}, Place place = Place::here()) const;

 private:
  Make make_;
  double first_, second_;
};

Initializer zeros();
Initializer ones();
Initializer constant(double value);
/// On [low, high).
Initializer uniform(double low = -0.05, double high = 0.05, Place place = Place::here());
Initializer normal(double mean = 0, double stddev = 0.05, Place place = Place::here());
/// A normal distribution without what lies beyond mean +- 2 stddev; `stddev` is that before the cut.
Initializer truncated_normal(double mean = 0, double stddev = 0.05, Place place = Place::here());
/// Variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010); uniform on +- sqrt(6 / (fan_in + fan_out)).
Initializer glorot_uniform();
Initializer glorot_normal();
/// Variance 2 / fan_in (He et al. 2015); uniform on +- sqrt(6 / fan_in).
Initializer he_uniform();
Initializer he_normal();
/// Variance 1 / fan_in (LeCun et al. 1998); uniform on +- sqrt(3 / fan_in).
Initializer lecun_uniform();
Initializer lecun_normal();
/// gain times a matrix with orthonormal columns, or rows where these are fewer, uniform over all such (Saxe et al.
/// 2014); leading axes count as rows. Throws ShapeError for fewer than two axes.
Initializer orthogonal(double gain = 1);

}  // namespace xgrad::nn::init
#pragma GCC visibility pop
