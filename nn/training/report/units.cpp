#include <autograd/ops.hpp>
#include <autograd/primitive.hpp>
#include <nn/training/report/units.hpp>
#include <string_view>
#include <utility>

namespace xgrad::nn::detail {
namespace {

/// Those that stand between layers, whether they are one op or composed of several.
bool is_activation(std::string_view name) {
  for (const char* known :
       {"relu", "relu6", "leaky_relu", "prelu", "elu", "celu", "selu", "gelu", "silu", "mish", "glu", "softplus",
        "softsign", "sigmoid", "log_sigmoid", "tanh", "hardtanh", "hardsigmoid", "hardswish"})
    if (name == known) return true;
  return false;
}

/// All axes but that of the units.
std::vector<int> others(const Tensor& y) {
  const int units = y.ndim() >= 4 ? 1 : y.ndim() - 1;
  std::vector<int> axes;
  for (int axis = 0; axis < y.ndim(); ++axis)
    if (axis != units) axes.push_back(axis);
  return axes;
}

}  // namespace

void UnitWatch::begin(std::int64_t rows) {
  rows_ = rows;
  next_ = 0;
}

void UnitWatch::op_ends(const OpCall&, const Tensor& y) {
  const char* const called = OpScope::name();  // what the model calls, such as a relu6 that is composed of others
  if (last_.name && (!called || std::string_view(called) != last_.name)) note();
  if (called && is_activation(called)) last_ = {called, PathScope::path(), y};
}

void UnitWatch::note() {
  const Last last = std::exchange(last_, {});
  const Tensor& y = last.result;
  if (!last.name || !y.defined() || y.ndim() < 2 || y.shape()[0] != rows_ || y.size() == 0) return;
  const std::vector<int> axes = others(y);
  const Tensor low = min(y, axes), high = max(y, axes);
  if (next_ == activations_.size()) {
    activations_.push_back({last.path.empty() ? last.name : text(last.name, " in ", last.path), low, high});
  } else if (Activation& seen = activations_[next_]; seen.low.shape() == low.shape()) {
    seen.low = minimum(seen.low, low);
    seen.high = maximum(seen.high, high);
  }
  ++next_;
}

std::vector<Units> UnitWatch::found() const {
  std::vector<Units> all;
  for (const Activation& a : activations_)
    all.push_back({a.where, a.low.size(), static_cast<std::int64_t>(sum((a.low == a.high).to(f64)).item<double>())});
  return all;
}

}  // namespace xgrad::nn::detail
