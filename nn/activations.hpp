#pragma once
#include <autograd/ops.hpp>
#include <nn/module.hpp>

#pragma GCC visibility push(default)

/// The activations of autograd/ops.hpp as layers; the functions themselves are found in xgrad::nn too.
namespace xgrad::nn {

using xgrad::celu, xgrad::elu, xgrad::gelu, xgrad::glu, xgrad::hardsigmoid, xgrad::hardswish, xgrad::hardtanh,
    xgrad::leaky_relu, xgrad::log_sigmoid, xgrad::log_softmax, xgrad::mish, xgrad::prelu, xgrad::relu, xgrad::relu6,
    xgrad::selu, xgrad::sigmoid, xgrad::silu, xgrad::softmax, xgrad::softmin, xgrad::softplus, xgrad::softsign,
    xgrad::tanh;

namespace detail {
/// A layer that keeps its input's shape.
class ShapeKeeping : public Module {
 public:
  std::int64_t output_features(std::int64_t input) const override { return input; }
};

template <Tensor (*function)(const Operand&)>
class Activation : public ShapeKeeping {
 public:
  Tensor operator()(const Operand& x) const { return hooked(x, function); }
};
}  // namespace detail

class ReLU : public detail::Activation<xgrad::relu> {};
class SELU : public detail::Activation<xgrad::selu> {};
class SiLU : public detail::Activation<xgrad::silu> {};
class Sigmoid : public detail::Activation<xgrad::sigmoid> {};
class LogSigmoid : public detail::Activation<xgrad::log_sigmoid> {};
class Tanh : public detail::Activation<xgrad::tanh> {};
class Softsign : public detail::Activation<xgrad::softsign> {};
class ReLU6 : public detail::Activation<xgrad::relu6> {};
class Hardsigmoid : public detail::Activation<xgrad::hardsigmoid> {};
class Hardswish : public detail::Activation<xgrad::hardswish> {};
class Mish : public detail::Activation<xgrad::mish> {};

class GELU : public detail::ShapeKeeping {
 public:
  explicit GELU(GeluOptions options = {}) : options_(options) {}
  Tensor operator()(const Operand& x) const {
    return hooked(x, [this](const Operand& input) { return xgrad::gelu(input, options_); });
  }

 private:
  GeluOptions options_;
};

class Softplus : public detail::ShapeKeeping {
 public:
  explicit Softplus(double beta = 1) : beta_(beta) {}
  Tensor operator()(const Operand& x) const {
    return hooked(x, [this](const Operand& input) { return xgrad::softplus(input, beta_); });
  }

 private:
  double beta_;
};

class Hardtanh : public detail::ShapeKeeping {
 public:
  explicit Hardtanh(double low = -1, double high = 1) : low_(low), high_(high) {}
  Tensor operator()(const Operand& x) const {
    return hooked(x, [this](const Operand& input) { return xgrad::hardtanh(input, low_, high_); });
  }

 private:
  double low_, high_;
};

class LeakyReLU : public detail::ShapeKeeping {
 public:
  explicit LeakyReLU(double slope = 0.01) : slope_(slope) {}
  Tensor operator()(const Operand& x) const {
    return hooked(x, [this](const Operand& input) { return xgrad::leaky_relu(input, slope_); });
  }
  std::string describe() const override { return text("LeakyReLU ", slope_); }

 private:
  double slope_;
};

class ELU : public detail::ShapeKeeping {
 public:
  explicit ELU(double alpha = 1) : alpha_(alpha) {}
  Tensor operator()(const Operand& x) const {
    return hooked(x, [this](const Operand& input) { return xgrad::elu(input, alpha_); });
  }

 private:
  double alpha_;
};

class CELU : public detail::ShapeKeeping {
 public:
  explicit CELU(double alpha = 1) : alpha_(alpha) {}
  Tensor operator()(const Operand& x) const {
    return hooked(x, [this](const Operand& input) { return xgrad::celu(input, alpha_); });
  }

 private:
  double alpha_;
};

/// Slopes for negative x that are trained: one, or one for each of `channels`, the size of axis 1.
class PReLU : public detail::ShapeKeeping {
 public:
  explicit PReLU(std::int64_t channels = 1, double slope = 0.25, Place place = Place::here());
  Tensor operator()(const Operand& x) const {
    return hooked(x, [this](const Operand& input) { return xgrad::prelu(input, weight); });
  }
  void members(Visitor& visit) override;

  Parameter weight;
};

/// Halves the axis: the first half times the sigmoid of the second.
class GLU : public Module {
 public:
  explicit GLU(int axis = -1) : axis_(axis) {}
  Tensor operator()(const Operand& x) const {
    return hooked(x, [this](const Operand& input) { return xgrad::glu(input, axis_); });
  }
  std::int64_t output_features(std::int64_t input) const override { return axis_ == -1 && input >= 0 ? input / 2 : -1; }

 private:
  int axis_;
};

class Softmin : public detail::ShapeKeeping {
 public:
  explicit Softmin(int axis = -1) : axis_(axis) {}
  Tensor operator()(const Operand& x) const {
    return hooked(x, [this](const Operand& input) { return xgrad::softmin(input, axis_); });
  }

 private:
  int axis_;
};

class Softmax : public detail::ShapeKeeping {
 public:
  explicit Softmax(int axis = -1) : axis_(axis) {}
  Tensor operator()(const Operand& x) const {
    return hooked(x, [this](const Operand& input) { return xgrad::softmax(input, axis_); });
  }

 private:
  int axis_;
};

class LogSoftmax : public detail::ShapeKeeping {
 public:
  explicit LogSoftmax(int axis = -1) : axis_(axis) {}
  Tensor operator()(const Operand& x) const {
    return hooked(x, [this](const Operand& input) { return xgrad::log_softmax(input, axis_); });
  }

 private:
  int axis_;
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
