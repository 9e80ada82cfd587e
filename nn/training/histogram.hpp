#pragma once
#include <nn/module.hpp>
#include <nn/training/history.hpp>

/// Histograms of tensors, as fit keeps them and TensorBoard is told them.
namespace xgrad::nn::detail {

/// Of the finite numbers. A tensor without any has no counts and both limits 0.
Histogram histogram_of(const Tensor& t);

/// Of all parameters and their gradients.
std::vector<ParameterHistograms> histograms_of(const Module& model);

}  // namespace xgrad::nn::detail
