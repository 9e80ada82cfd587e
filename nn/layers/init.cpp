#include <nn/init.hpp>

#include <autograd/core/capturing.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/ops.hpp>
#include <cmath>

/// How each initialiser draws its numbers.
namespace xgrad::nn::init {
namespace {

struct Fans {
  double in, out;
};

/// At least 1 each, so that an empty weight has a finite scale.
Fans fans(const Shape& shape) {
  const int n = shape.ndim();
  if (n == 0) return {1, 1};
  const auto field = static_cast<double>(shape.product(0, n > 2 ? n - 2 : 0));
  const auto in = static_cast<double>(shape[n > 1 ? -2 : -1]) * field;
  const auto out = static_cast<double>(shape[-1]) * field;
  return {std::max(in, 1.0), std::max(out, 1.0)};
}

Tensor make_full(const Shape& shape, double value, double, const TensorOptions& options) {
  return full(shape, value, options);
}

/// The largest T below `high`, or `low` where that is none.
template <class T>
double below(double high, double low) {
  return static_cast<double>(std::nextafter(static_cast<T>(high), static_cast<T>(low)));
}

Tensor make_uniform(const Shape& shape, double low, double high, const TensorOptions& options) {
  const bool narrow = options.dtype == f32;
  if (!std::isfinite(narrow ? static_cast<double>(static_cast<float>(high - low)) : high - low))
    xgrad::detail::fail<ValueError>("uniform: the bounds are ", low, " and ", high, ", and ", name_of(options.dtype),
                                    " cannot hold their difference; bring them closer");
  // Numbers close to the upper bound are rounded to it.
  return minimum(rand(shape, options) * (high - low) + low,
                 narrow ? below<float>(high, low) : below<double>(high, low));
}

Tensor make_normal(const Shape& shape, double mean, double stddev, const TensorOptions& options) {
  return randn(shape, options) * stddev + mean;
}

/// Draws again what fell beyond two sigma, 4.6 % of the numbers, until nothing does.
template <class T>
void truncate(const Tensor& x, const Shape& shape, const TensorOptions& options) {
  T* const to = x.data<T>();
  bool beyond = true;
  while (beyond) {
    beyond = false;
    Tensor fresh;
    for (std::int64_t i = 0; i < shape.size(); ++i) {
      if (std::abs(to[i]) <= 2) continue;
      if (!fresh.defined()) fresh = randn(shape, options);
      to[i] = fresh.data<T>()[i];
      beyond |= std::abs(to[i]) > 2;
    }
  }
}

Tensor make_truncated_normal(const Shape& shape, double mean, double stddev, const TensorOptions& options) {
  capturing::refuse();
  const Tensor x = randn(shape, options);
  if (options.dtype == f32) {
    truncate<float>(x, shape, options);
  } else {
    truncate<double>(x, shape, options);
  }
  return x * stddev + mean;
}

constexpr double fan_average = 0, fan_in = 1;

double variance(const Shape& shape, double scale, double mode) {
  const Fans f = fans(shape);
  return scale / (mode == fan_average ? (f.in + f.out) / 2 : f.in);
}

Tensor make_scaled_uniform(const Shape& shape, double scale, double mode, const TensorOptions& options) {
  const double limit = std::sqrt(3 * variance(shape, scale, mode));
  return make_uniform(shape, -limit, limit, options);
}

Tensor make_scaled_normal(const Shape& shape, double scale, double mode, const TensorOptions& options) {
  // The deviation that is left of a standard normal distribution cut at +-2.
  constexpr double after_cut = 0.87962566103423978;
  return make_truncated_normal(shape, 0, std::sqrt(variance(shape, scale, mode)) / after_cut, options);
}

/// Gram and Schmidt's process on the rows, each projection done twice because once loses orthogonality.
void orthonormalise(double* rows, std::int64_t count, std::int64_t length) {
  const auto dot = [length](const double* a, const double* b) {
    double s = 0;
    for (std::int64_t k = 0; k < length; ++k) s += a[k] * b[k];
    return s;
  };
  for (std::int64_t i = 0; i < count; ++i) {
    double* const row = rows + i * length;
    for (int pass = 0; pass < 2; ++pass) {
      for (std::int64_t j = 0; j < i; ++j) {
        const double* const earlier = rows + j * length;
        const double along = dot(row, earlier);
        for (std::int64_t k = 0; k < length; ++k) row[k] -= along * earlier[k];
      }
    }
    const double scale = 1 / std::sqrt(dot(row, row));
    for (std::int64_t k = 0; k < length; ++k) row[k] *= scale;
  }
}

Tensor make_orthogonal(const Shape& shape, double gain, double, const TensorOptions& options) {
  capturing::refuse();
  if (shape.ndim() < 2) xgrad::detail::fail<ShapeError>("orthogonal needs at least 2 axes, and the shape is ", shape);
  const std::int64_t rows = shape.product(0, shape.ndim() - 1), columns = shape[-1];
  const std::int64_t fewer = std::min(rows, columns), more = std::max(rows, columns);
  Tensor q = randn({fewer, more}, {.dtype = f64});
  orthonormalise(q.data<double>(), fewer, more);
  if (columns < rows) q = transpose(q);
  return reshape(q * gain, shape).to(options.dtype);
}

Initializer with_deviation(const char* name, Initializer::Make make, double mean, double stddev, Place place) {
  const OpScope scope(name, place);
  if (!(stddev >= 0))
    scope.fail<ValueError>("mean and deviation are ", mean, " and ", stddev, "; the deviation must be at least 0");
  return {make, mean, stddev};
}

}  // namespace

Tensor Initializer::operator()(const Shape& shape, TensorOptions options, Place place) const {
  const OpScope scope("init", place);
  check_sizes(shape);
  if (!is_floating(options.dtype))
    scope.fail<DtypeError>("not defined for ", name_of(options.dtype), "; use f32 or f64");
  const NoGrad guard;
  Tensor t = make_(shape, first_, second_, {.dtype = options.dtype});
  return options.requires_grad ? t.set_requires_grad(true) : t;
}

Initializer zeros() { return {make_full, 0}; }
Initializer ones() { return {make_full, 1}; }
Initializer constant(double value) { return {make_full, value}; }
Initializer uniform(double low, double high, Place place) {
  const OpScope scope("uniform", place);
  if (!(low <= high)) scope.fail<ValueError>("the bounds are ", low, " and ", high, "; the first must not be larger");
  return {make_uniform, low, high};
}
Initializer normal(double mean, double stddev, Place place) {
  return with_deviation("normal", make_normal, mean, stddev, place);
}
Initializer truncated_normal(double mean, double stddev, Place place) {
  return with_deviation("truncated_normal", make_truncated_normal, mean, stddev, place);
}
Initializer glorot_uniform() { return {make_scaled_uniform, 1, fan_average}; }
Initializer glorot_normal() { return {make_scaled_normal, 1, fan_average}; }
Initializer he_uniform() { return {make_scaled_uniform, 2, fan_in}; }
Initializer he_normal() { return {make_scaled_normal, 2, fan_in}; }
Initializer lecun_uniform() { return {make_scaled_uniform, 1, fan_in}; }
Initializer lecun_normal() { return {make_scaled_normal, 1, fan_in}; }
Initializer orthogonal(double gain) { return {make_orthogonal, gain}; }

}  // namespace xgrad::nn::init
