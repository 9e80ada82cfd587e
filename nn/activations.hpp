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

/// The same of a function with an argument.
template <class Argument, Tensor (*function)(const Operand&, Argument)>
class ActivationBy : public ShapeKeeping {
 public:
  explicit ActivationBy(Argument argument) : argument_(argument) {}
  Tensor operator()(const Operand& x) const {
    return hooked(x, [this](const Operand& input) { return function(input, argument_); });
  }

 protected:
  Argument argument_;
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

class GELU : public detail::ActivationBy<GeluOptions, xgrad::gelu> {
 public:
  explicit GELU(GeluOptions options = {}) : ActivationBy(options) {}
};

class Softplus : public detail::ActivationBy<double, xgrad::softplus> {
 public:
  explicit Softplus(double beta = 1) : ActivationBy(beta) {}
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

class LeakyReLU : public detail::ActivationBy<double, xgrad::leaky_relu> {
 public:
  explicit LeakyReLU(double slope = 0.01) : ActivationBy(slope) {}
  std::string describe() const override { return text("LeakyReLU ", argument_); }
};

class ELU : public detail::ActivationBy<double, xgrad::elu> {
 public:
  explicit ELU(double alpha = 1) : ActivationBy(alpha) {}
};

class CELU : public detail::ActivationBy<double, xgrad::celu> {
 public:
  explicit CELU(double alpha = 1) : ActivationBy(alpha) {}
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

class Softmin : public detail::ActivationBy<int, xgrad::softmin> {
 public:
  explicit Softmin(int axis = -1) : ActivationBy(axis) {}
};

class Softmax : public detail::ActivationBy<int, xgrad::softmax> {
 public:
  explicit Softmax(int axis = -1) : ActivationBy(axis) {}
};

class LogSoftmax : public detail::ActivationBy<int, xgrad::log_softmax> {
 public:
  explicit LogSoftmax(int axis = -1) : ActivationBy(axis) {}
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
