#include <algorithm>
#include <autograd/core/capturing.hpp>
#include <autograd/core/row_gradient.hpp>
#include <autograd/kernels/table.hpp>
#include <autograd/node.hpp>
#include <cmath>
#include <optim/clip.hpp>

namespace xgrad::optim {
namespace {

using kernels::Size;

/// What a message says of a parameter. Captured calls hold a copy.
struct Label {
  char name[64];  // empty if it has none
  Size index;
  Dtype dtype;
  Shape shape;
};
static_assert(std::is_trivially_destructible_v<Label>);

struct Gradient {
  Array numbers;
  Label label;
};
using Gradients = std::vector<Gradient, memory::PoolAllocator<Gradient>>;

/// The gradient of p that is to be changed: of one of rows these alone, each in one place, unless the ordinary tensor
/// is known to somebody already.
Tensor numbers_of(const Tensor& p) {
  using xgrad::detail::RowGradient;
  if (!p.has_grad()) return {};
  Node& node = *p.node();
  RowGradient* const rows = RowGradient::of(node.gradient());
  if (!rows || rows->known_dense().defined()) return p.grad();
  node.set_gradient(xgrad::detail::summed(node.gradient()));
  return RowGradient::of(node.gradient())->values;
}

/// The gradients that there are. `parameter(i)` is the i-th of so many, called `name(i)`.
template <class Parameter, class Name>
Gradients gradients_of(const OpScope& scope, std::size_t count, Parameter parameter, Name name) {
  Gradients found;
  std::vector<const Node*, memory::PoolAllocator<const Node*>> nodes;
  for (std::size_t i = 0; i < count; ++i) {
    const Tensor& p = parameter(i);
    if (!p.defined()) scope.fail<ValueError>("parameter ", i, " is undefined (default-built); give it a value first");
    const Tensor g = numbers_of(p);
    if (!g.defined()) continue;
    capturing::keep(g);
    nodes.push_back(p.node().get());
    Gradient& gradient = found.emplace_back(Gradient{g.array(), {{}, static_cast<Size>(i), p.dtype(), p.shape()}});
    name(i).copy(gradient.label.name, sizeof gradient.label.name - 1);
  }
  std::sort(nodes.begin(), nodes.end());
  if (std::adjacent_find(nodes.begin(), nodes.end()) != nodes.end())
    scope.fail<ValueError>("a parameter is given twice; pass each once");
  return found;
}

void check_limit(const OpScope& scope, const char* what, double limit) {
  if (!(limit >= 0)) scope.fail<ValueError>(what, " is ", limit, "; it must be at least 0");
}

constexpr double scale_down = 0x1p-600;  // the square of every finite number times this is finite

template <class T>
double scaled_norm(const T* x, Size n) {
  double squares = 0;
  for (Size i = 0; i < n; ++i) squares += (x[i] * scale_down) * (x[i] * scale_down);
  return std::sqrt(squares);
}

/// The norm of g, which may be above the largest double, and 2^-600 times the norm, which is finite if all of g is.
void norm_of(const void* g, double* norm, double* scaled, Dtype dtype, Size n) {
  float narrow;
  void* const to = dtype == f64 ? static_cast<void*>(norm) : &narrow;
  kernels::table().reduce[int(kernels::Reduce::norm2)][int(dtype)](g, to, 1, n, 1);
  if (dtype == f32) *norm = narrow;
  if (std::isfinite(*norm)) {
    *scaled = *norm * scale_down;
    return;
  }
  *scaled = dtype == f32 ? scaled_norm(static_cast<const float*>(g), n) : scaled_norm(static_cast<const double*>(g), n);
  *norm = *scaled / scale_down;
}

void check_finite(const double* norm, const double* scaled, const Label& label) {
  if (std::isfinite(*scaled)) return;
  const std::string name = label.name[0] ? text(" (", label.name, ")") : "";
  xgrad::detail::fail<ValueError>(
      "the gradient of parameter ", label.index, name, ", ", name_of(label.dtype), " ", label.shape, ", has the norm ",
      *norm,
      ", and no gradient has been changed; find the cause with DetectAnomaly, or pass {.error_if_nonfinite = false}");
}

/// The common norm, and what gradients are multiplied by: two factors, the first a power of two, as one alone may be
/// too small for the dtype.
void factors_of(const double* norms, const double* scaled, double* total, double* factors, double limit, Size count) {
  *total = 0;
  if (count > 0) kernels::table().reduce[int(kernels::Reduce::norm2)][int(f64)](norms, total, 1, count, 1);
  factors[0] = factors[1] = 1;
  if (!(*total > limit)) return;
  if (std::isfinite(*total)) {
    factors[1] = limit / *total;
    if (factors[1] < 0x1p-64) factors[0] = 0x1p-64, factors[1] *= 0x1p64;
    return;
  }
  double scaled_total;
  kernels::table().reduce[int(kernels::Reduce::norm2)][int(f64)](scaled, &scaled_total, 1, count, 1);
  if (std::isfinite(scaled_total)) factors[0] = scale_down, factors[1] = limit / scaled_total;
}

/// g = f(g, number).
void apply(kernels::Binary f, Storage* storage, void* g, double number, Dtype dtype, Size n) {
  alignas(8) std::byte element[8];
  Number(number).store(dtype, element);
  kernels::table().binary[int(f)][int(dtype)](g, element, g, kernels::Loop<2>::row(n, 1, 0));
  storage->written.store(tick(), std::memory_order_relaxed);
}

void scale(Storage* storage, void* g, const double* factors, Dtype dtype, Size n) {
  for (int i = 0; i < 2; ++i)
    if (factors[i] != 1 && n > 0) apply(kernels::Binary::multiply, storage, g, factors[i], dtype, n);
}

void clamp_to(Storage* storage, void* g, double limit, Dtype dtype, Size n) {
  if (n == 0) return;
  apply(kernels::Binary::minimum, storage, g, limit, dtype, n);
  apply(kernels::Binary::maximum, storage, g, -limit, dtype, n);
}

Tensor clip_norm(const OpScope& scope, const Gradients& gradients, double max_norm, const ClipOptions& options) {
  check_limit(scope, "max_norm", max_norm);
  const auto count = static_cast<Size>(gradients.size());
  const Array norms(f64, {count}), scaled(f64, {count}), total(f64, {}), factors(f64, {2});
  const Tensor norm(total);  // made before anything is changed, as all that takes memory
  for (Size i = 0; i < count; ++i) {
    const Gradient& gradient = gradients[static_cast<std::size_t>(i)];
    double *const own = norms.data<double>() + i, *const own_scaled = scaled.data<double>() + i;
    capturing::repeat(norm_of, gradient.numbers.data(), own, own_scaled, gradient.numbers.dtype(),
                      gradient.numbers.size());
    if (options.error_if_nonfinite) capturing::repeat(check_finite, own, own_scaled, gradient.label);
  }
  capturing::repeat(factors_of, norms.data<double>(), scaled.data<double>(), total.data<double>(),
                    factors.data<double>(), max_norm, count);
  for (const auto& [g, label] : gradients)
    capturing::repeat(scale, g.storage().get(), g.data(), factors.data<double>(), g.dtype(), g.size());
  return norm;
}

std::string_view no_name(std::size_t) { return {}; }

}  // namespace

Tensor clip_grad_norm(const std::vector<Tensor>& parameters, double max_norm, ClipOptions options, Place place) {
  const OpScope scope("clip_grad_norm", place);
  const auto parameter = [&](std::size_t i) -> const Tensor& { return parameters[i]; };
  return clip_norm(scope, gradients_of(scope, parameters.size(), parameter, no_name), max_norm, options);
}

Tensor clip_grad_norm(const std::vector<std::pair<std::string, Tensor>>& parameters, double max_norm,
                      ClipOptions options, Place place) {
  const OpScope scope("clip_grad_norm", place);
  const auto parameter = [&](std::size_t i) -> const Tensor& { return parameters[i].second; };
  const auto name = [&](std::size_t i) { return std::string_view(parameters[i].first); };
  return clip_norm(scope, gradients_of(scope, parameters.size(), parameter, name), max_norm, options);
}

Tensor clip_grad_norm(const Tensor& parameter, double max_norm, ClipOptions options, Place place) {
  const OpScope scope("clip_grad_norm", place);
  const auto only = [&](std::size_t) -> const Tensor& { return parameter; };
  return clip_norm(scope, gradients_of(scope, 1, only, no_name), max_norm, options);
}

void clip_grad_value(const std::vector<Tensor>& parameters, double limit, Place place) {
  const OpScope scope("clip_grad_value", place);
  check_limit(scope, "limit", limit);
  const auto parameter = [&](std::size_t i) -> const Tensor& { return parameters[i]; };
  for (const auto& [g, label] : gradients_of(scope, parameters.size(), parameter, no_name))
    capturing::repeat(clamp_to, g.storage().get(), g.data(), limit, g.dtype(), g.size());
}

}  // namespace xgrad::optim
