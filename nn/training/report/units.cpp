#include <algorithm>
#include <autograd/ops.hpp>
#include <autograd/primitive.hpp>
#include <nn/training/report/units.hpp>
#include <string_view>

namespace xgrad::nn::detail {
namespace {

/// Those that are flat somewhere, so that a unit can get stuck.
bool can_get_stuck(std::string_view op) {
  for (const char* name : {"relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "sigmoid", "tanh", "softsign"})
    if (op == name) return true;
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

void UnitWatch::op_ends(const OpCall& call, const Tensor& y) {
  if (!y.defined() || !can_get_stuck(call.name) || y.ndim() < 2 || y.shape()[0] != rows_ || y.size() == 0) return;
  const std::vector<int> axes = others(y);
  const Tensor low = min(y, axes), high = max(y, axes);
  if (next_ == activations_.size()) {
    const std::string path = PathScope::path();
    activations_.push_back({path.empty() ? call.name : text(call.name, " in ", path), low, high});
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
