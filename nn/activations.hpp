#pragma once
#include <autograd/ops.hpp>
#include <nn/module.hpp>

#pragma GCC visibility push(default)

/// The activations of autograd/ops.hpp as layers; the functions themselves are found in xgrad::nn too.
namespace xgrad::nn {

using xgrad::elu, xgrad::gelu, xgrad::leaky_relu, xgrad::log_sigmoid, xgrad::log_softmax, xgrad::relu, xgrad::selu,
    xgrad::sigmoid, xgrad::silu, xgrad::softmax, xgrad::softplus, xgrad::tanh;

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
class GELU : public detail::Activation<xgrad::gelu> {};
class SiLU : public detail::Activation<xgrad::silu> {};
class Sigmoid : public detail::Activation<xgrad::sigmoid> {};
class LogSigmoid : public detail::Activation<xgrad::log_sigmoid> {};
class Tanh : public detail::Activation<xgrad::tanh> {};
class Softplus : public detail::Activation<xgrad::softplus> {};

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
