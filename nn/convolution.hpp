#pragma once
#include <autograd/images.hpp>
#include <nn/init.hpp>
#include <nn/module.hpp>

#pragma GCC visibility push(default)

/// Layers that move a window along images (n, channels, height, width) or other signals, and what pools them. Sizes are
/// one number or braces, one for each axis: `Conv2d{3, 8, 5}`, `Conv2d{3, 8, {5, 3}, {.stride = 2, .padding = same}}`.
namespace xgrad::nn {

/// `.padding = same` (autograd/images.hpp).
inline constexpr Same same{};

struct ConvolutionOptions {
  Shape stride{1};
  Padding padding = 0;
  Shape dilation{1};
  std::int64_t groups = 1;
  bool bias = true;
  init::Initializer weight_init = init::glorot_uniform();
  init::Initializer bias_init = init::zeros();
  Dtype dtype = f32;
};
struct TransposedConvolutionOptions {
  Shape stride{1};
  Padding padding = 0;
  Shape dilation{1};
  std::int64_t groups = 1;
  bool bias = true;
  Shape output_padding{0};
  init::Initializer weight_init = init::glorot_uniform();
  init::Initializer bias_init = init::zeros();
  Dtype dtype = f32;
};

namespace detail {

/// `conv` of autograd/ops.hpp, whose names its options have. Weights are (out, in / groups, kernel...); an initialiser
/// counts in / groups and out, each times the size of the kernel, as its fans.
class Convolution : public Module {
 public:
  /// Throws ShapeError for an x of other axes or channels.
  Tensor operator()(const Operand& x) const;
  void members(Visitor& visit) override;
  std::string describe() const override;

  Parameter weight, bias;

 protected:
  Convolution(int axes, std::int64_t in, std::int64_t out, const Shape& kernel, const ConvolutionOptions& options,
              Place place);

 private:
  ConvOptions options_;
};

/// `conv_transpose` likewise. Weights are (in, out / groups, kernel...).
class TransposedConvolution : public Module {
 public:
  Tensor operator()(const Operand& x) const;
  void members(Visitor& visit) override;
  std::string describe() const override;

  Parameter weight, bias;

 protected:
  TransposedConvolution(int axes, std::int64_t in, std::int64_t out, const Shape& kernel,
                        const TransposedConvolutionOptions& options, Place place);

 private:
  ConvTransposeOptions options_;
};

}  // namespace detail

// Of `in` channels, `out` channels and a kernel. Throw ValueError for sizes below 1, and where groups do not divide
// both; ShapeError for sizes that are neither one number nor one for each axis.

class Conv1d : public detail::Convolution {
 public:
  Conv1d(std::int64_t in, std::int64_t out, const Shape& kernel, ConvolutionOptions options = {},
         Place place = Place::here())
      : Convolution(1, in, out, kernel, options, place) {}
};
class Conv2d : public detail::Convolution {
 public:
  Conv2d(std::int64_t in, std::int64_t out, const Shape& kernel, ConvolutionOptions options = {},
         Place place = Place::here())
      : Convolution(2, in, out, kernel, options, place) {}
};
class Conv3d : public detail::Convolution {
 public:
  Conv3d(std::int64_t in, std::int64_t out, const Shape& kernel, ConvolutionOptions options = {},
         Place place = Place::here())
      : Convolution(3, in, out, kernel, options, place) {}
};
class ConvTranspose1d : public detail::TransposedConvolution {
 public:
  ConvTranspose1d(std::int64_t in, std::int64_t out, const Shape& kernel, TransposedConvolutionOptions options = {},
                  Place place = Place::here())
      : TransposedConvolution(1, in, out, kernel, options, place) {}
};
class ConvTranspose2d : public detail::TransposedConvolution {
 public:
  ConvTranspose2d(std::int64_t in, std::int64_t out, const Shape& kernel, TransposedConvolutionOptions options = {},
                  Place place = Place::here())
      : TransposedConvolution(2, in, out, kernel, options, place) {}
};

// ---- pooling: max_pool, avg_pool and adaptive_avg_pool of autograd/ops.hpp ----

namespace detail {

/// A pooling op over windows of the kernel's size, side by side unless the options say otherwise. Sizes at which the op
/// would throw throw when the layer is made.
template <class Options>
class Pooling : public Module {
 public:
  /// Throws ShapeError for an x of other axes.
  Tensor operator()(const Operand& x) const;
  std::string describe() const override;

 protected:
  using Pool = Tensor(const Operand& x, const Shape& kernel, const Options& options);
  Pooling(const char* name, const char* op, Pool* pool, int axes, const Shape& kernel, const Options& options,
          Place place);

 private:
  const char *name_, *op_;
  Pool* pool_;
  int axes_;
  Shape kernel_;
  Options options_;
};
extern template class Pooling<MaxPoolOptions>;
extern template class Pooling<AvgPoolOptions>;

}  // namespace detail

class MaxPool1d : public detail::Pooling<MaxPoolOptions> {
 public:
  explicit MaxPool1d(const Shape& kernel, MaxPoolOptions options = {}, Place place = Place::here())
      : Pooling("MaxPool1d", "max_pool", max_pool, 1, kernel, options, place) {}
};
class MaxPool2d : public detail::Pooling<MaxPoolOptions> {
 public:
  explicit MaxPool2d(const Shape& kernel, MaxPoolOptions options = {}, Place place = Place::here())
      : Pooling("MaxPool2d", "max_pool", max_pool, 2, kernel, options, place) {}
};
class AvgPool1d : public detail::Pooling<AvgPoolOptions> {
 public:
  explicit AvgPool1d(const Shape& kernel, AvgPoolOptions options = {}, Place place = Place::here())
      : Pooling("AvgPool1d", "avg_pool", avg_pool, 1, kernel, options, place) {}
};
class AvgPool2d : public detail::Pooling<AvgPoolOptions> {
 public:
  explicit AvgPool2d(const Shape& kernel, AvgPoolOptions options = {}, Place place = Place::here())
      : Pooling("AvgPool2d", "avg_pool", avg_pool, 2, kernel, options, place) {}
};
/// Means of `size` windows along each axis, whatever the size of x: `AdaptiveAvgPool2d{1}` is the mean of each channel.
class AdaptiveAvgPool2d : public Module {
 public:
  explicit AdaptiveAvgPool2d(const Shape& size, Place place = Place::here());
  Tensor operator()(const Operand& x) const;
  std::string describe() const override;

 private:
  Shape size_;
};

/// Dropout of whole channels of x (n, channels, ...), for each n (Tompson et al. 2015). Throws as Dropout does.
class Dropout2d : public Module {
 public:
  explicit Dropout2d(double p = 0.5, Place place = Place::here());
  Tensor operator()(const Operand& x) const;
  std::string describe() const override;
  std::int64_t output_features(std::int64_t input) const override { return input; }

 private:
  double p_;
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
