#include <autograd/ops/reduce.hpp>
#include <autograd/ops/shared_rule.hpp>
#include <autograd/outputs.hpp>
#include <autograd/primitive.hpp>

/// Normalisations: elements less their mean, by their deviation, scaled and shifted by what a model trains.
namespace xgrad {
namespace {

/// x seen as (outer, slices, inner), whose slices are normalised each for itself.
struct View {
  kernels::Slices slices;
  Shape shape;
  View(std::int64_t outer, std::int64_t count, std::int64_t inner, bool centred)
      : slices{outer, count, inner, 0, count, centred}, shape{outer, count, inner} {}
};

Array moments_of(const View& view) { return {f64, Shape{2, view.slices.slices}}; }

/// The slices, standardised by ops, and by what each was multiplied: as the view sees them.
std::pair<Tensor, Tensor> composed(const Tensor& x, const View& view, double eps) {
  const Tensor along = reshape(x, view.shape), apart = view.slices.centred != 0 ? centre(along, {0, 2}) : along;
  Tensor scale = rsqrt(mean(square(apart), {0, 2}, true) + eps);
  return {apart * scale, std::move(scale)};
}

/// The cotangent of x for that of the standardised slices, by ops.
Tensor composed_cotangent(const Tensor& x, const View& view, double eps, const Tensor& g) {
  const Tensor h = reshape(g, view.shape);
  const auto [z, scale] = composed(x, view, eps);
  // z is centred, so that centring h - z mean(h z) takes the mean off h only.
  const Tensor rest = h - z * mean(h * z, {0, 2}, true);
  return reshape((view.slices.centred != 0 ? centre(rest, {0, 2}) : rest) * scale, x.shape());
}

/// (x - mean) / sqrt(variance + eps) of each slice, or x / sqrt(mean(x^2) + eps), and the moments of the slices, which
/// are written when the forward has run. A pass that is itself recorded differentiates a composition.
Tensor standardised(const char* name, const Tensor& x, const View& view, double eps, const Array& moments) {
  const kernels::Slices s = view.slices;
  const auto forward = [&] {
    Array y(x.dtype(), x.shape());
    if (y.size() > 0)
      kernels::table().standardise[int(x.dtype())](s, eps, x.array().data(), nullptr, nullptr, y.data(),
                                                   moments.data<double>());
    return y;
  };
  return primitive(name, {x}, forward, [x, view, eps, moments](const Tensor& g, const Tensor& y) {
    if (grad_enabled()) return composed_cotangent(x, view, eps, g);
    Array dx(g.dtype(), g.shape());
    if (dx.size() > 0)
      kernels::table().standardise_grad[int(g.dtype())](view.slices, eps, g.array().data(), nullptr, y.array().data(),
                                                        moments.data<double>(), dx.data(), nullptr);
    return Tensor(std::move(dx));
  });
}

/// Throws unless the parameter, if there is one, has this shape and dtype.
void check_parameter(const OpScope& scope, const char* what, const Tensor& p, const Shape& shape, const char* of,
                     Dtype dtype) {
  if (!p.defined()) return;
  if (p.shape() != shape)
    scope.fail("the ", what, " is ", p.shape(), ", the ", of, " are ", shape, "; they must be equal");
  if (p.dtype() != dtype)
    scope.fail<DtypeError>("x is ", name_of(dtype), ", the ", what, " is ", name_of(p.dtype()),
                           "; convert one with .to(...)");
}

void check_eps(const OpScope& scope, double eps) {
  if (!(eps >= 0)) scope.fail<ValueError>("eps is ", eps, "; it must be at least 0");
}

/// The number of x's last axes, which must be `normalized`.
int checked_last(const OpScope& scope, const Operand& x, const Shape& normalized) {
  const int count = normalized.ndim(), first = x.ndim() - count;
  if (count == 0) scope.fail("no axis to normalise over; give the sizes of the last axes, such as {features}");
  if (first < 0 || Shape(x.shape().begin() + first, x.shape().end()) != normalized)
    scope.fail("x is ", x.shape(), ", the axes to normalise are ", normalized, "; they must be its last ones");
  return count;
}

View last_axes(const Operand& x, const Shape& normalized, bool centred) {
  return {1, x.shape().product(0, x.ndim() - normalized.ndim()), normalized.size(), centred};
}

/// A primitive each of whose cotangents is summed to its input's shape, as those of an elementwise op are.
template <std::size_t N, class Forward, class... Rules>
Tensor summing(const char* name, const OperandRef (&inputs)[N], const Forward& forward, Rules&&... rules) {
  detail::check_inputs(inputs, N);
  detail::Watch watch(name, inputs, N);
  Tensor result = detail::record(name, inputs, true, watch.computed(forward()), std::forward<Rules>(rules)...);
  watch.ends(result);
  return result;
}

/// One normalisation over the last axes, times w, plus perhaps a bias.
struct Affine {
  Tensor x, w;
  View view;
  double eps;
  Array moments;
  SharedRule shared;

  Affine(const Tensor& from, const Tensor& weight, const View& seen, double e, int rules)
      : x(from), w(weight), view(seen), eps(e), moments(moments_of(seen)), shared(rules) {}

  Array forward(const Tensor& b) const {
    Array y(x.dtype(), x.shape());
    if (y.size() > 0)
      kernels::table().standardise[int(x.dtype())](view.slices, eps, x.array().data(), w.array().data(),
                                                   b.defined() ? b.array().data() : nullptr, y.data(),
                                                   moments.data<double>());
    return y;
  }

  /// The cotangents of x, w and the bias in one pass.
  std::array<Array, 3> backward(const Array& g) const {
    std::array<Array, 3> result{Array(g.dtype(), g.shape()), Array(g.dtype(), w.shape()), Array(g.dtype(), w.shape())};
    if (w.size() == 0) return result;
    const Array sums(f64, {2, w.size()});
    const int d = int(g.dtype());
    kernels::table().standardise_grad[d](view.slices, eps, g.data(), w.array().data(), x.array().data(),
                                         moments.data<double>(), result[0].data(), sums.data<double>());
    for (const int k : {0, 1})
      kernels::table().cast[int(f64)][d](sums.data<double>() + k * w.size(), result[std::size_t(k + 1)].data(),
                                         w.size());
    return result;
  }

  Tensor cotangent(std::size_t i, const Tensor& g) {
    return shared.take(i, g, [&] {
      const auto parts = primitive(
          "standardise_backward", {g, x, w}, [&] { return backward(g.array()); }, not_differentiable,
          not_differentiable, not_differentiable);
      return std::vector<Tensor>(parts.begin(), parts.end());
    });
  }
};

/// The same over the last axes, times w, plus b where it is defined.
Tensor standardised(const char* name, const Tensor& x, const View& view, double eps, const Tensor& w, const Tensor& b) {
  const int rules = x.requires_grad() + w.requires_grad() + (b.defined() && b.requires_grad());
  const auto call = std::make_shared<Affine>(x, w, view, eps, rules);
  const auto forward = [&] { return call->forward(b); };
  const auto to_x = [call](const Tensor& g) {
    if (grad_enabled()) return composed_cotangent(call->x, call->view, call->eps, g * call->w);
    return call->cotangent(0, g);
  };
  const auto to_w = [call](const Tensor& g) {
    if (grad_enabled()) return g * reshape(composed(call->x, call->view, call->eps).first, call->x.shape());
    return call->cotangent(1, g);
  };
  if (!b.defined()) return summing(name, {x, w}, forward, to_x, to_w);
  const auto to_b = [call](const Tensor& g) { return grad_enabled() ? g : call->cotangent(2, g); };
  return summing(name, {x, w, b}, forward, to_x, to_w, to_b);
}

/// The last axes standardised, times weight plus bias, each where it is defined.
Tensor over_last_axes(const char* name, const Tensor& x, const View& view, double eps, const Tensor& weight,
                      const Tensor& bias) {
  if (weight.defined()) return standardised(name, x, view, eps, weight, bias);
  const Tensor z = standardised(name, x, view, eps, moments_of(view));
  return bias.defined() ? z + bias : z;
}

/// g summed over all axes but the channels'.
Tensor sum_to_channels(const Tensor& g) {
  std::vector<int> axes{0};
  for (int d = 2; d < g.ndim(); ++d) axes.push_back(d);
  return sum(g, axes);
}

/// x (n, channels, ...) times w (channels), plus b (channels) where it is defined, as one node.
Tensor channel_affine(const Tensor& x, const Tensor& w, const Tensor& b) {
  const auto forward = [&] {
    Array y(x.dtype(), x.shape());
    if (y.size() == 0) return y;
    const std::int64_t n = x.shape()[0], channels = w.size(), inner = y.size() / (n * channels);
    kernels::Loop<2> loop{3, {n, channels, inner}, {{channels * inner, inner, 1}, {0, 1, 0}}};
    loop.collapse();
    const auto run = [&](kernels::Binary kernel, const Array& by, const Tensor& p) {
      kernels::table().binary[int(kernel)][int(y.dtype())](by.data(), p.array().data(), y.data(), loop);
    };
    run(kernels::Binary::multiply, x.array(), w);
    if (b.defined()) run(kernels::Binary::add, y, b);
    return y;
  };
  auto to_x = [w = Saved(w)](const Tensor& g) { return channel_affine(g, w.tensor(), {}); };
  auto to_w = [x = Saved(x)](const Tensor& g) { return sum_to_channels(g * x); };
  if (!b.defined()) return primitive("channel_affine", {x, w}, forward, std::move(to_x), std::move(to_w));
  return primitive("channel_affine", {x, w, b}, forward, std::move(to_x), std::move(to_w), sum_to_channels);
}

/// The same with a weight that need not be there.
Tensor per_channel(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (weight.defined()) return channel_affine(x, weight, bias);
  return bias.defined() ? channel_affine(x, ones(bias.shape(), {.dtype = bias.dtype()}), bias) : x;
}

void check_channels(const OpScope& scope, const Operand& x, const Tensor& weight, const Tensor& bias) {
  check_floating(x);
  if (x.ndim() < 2) scope.fail("x is ", x.shape(), "; it needs axes (n, channels) and perhaps more");
  const Shape channels{x.shape()[1]};
  check_parameter(scope, "weight", weight, channels, "channels", x.dtype());
  check_parameter(scope, "bias", bias, channels, "channels", x.dtype());
}

}  // namespace

Tensor layer_norm(const Operand& x, const Shape& normalized, const Tensor& weight, const Tensor& bias, double eps) {
  const OpScope scope("layer_norm", x.place());
  check_floating(x);
  checked_last(scope, x, normalized);
  check_eps(scope, eps);
  check_parameter(scope, "weight", weight, normalized, "axes to normalise", x.dtype());
  check_parameter(scope, "bias", bias, normalized, "axes to normalise", x.dtype());
  return over_last_axes("layer_norm", x.tensor(), last_axes(x, normalized, true), eps, weight, bias);
}

Tensor rms_norm(const Operand& x, const Shape& normalized, const Tensor& weight, double eps) {
  const OpScope scope("rms_norm", x.place());
  check_floating(x);
  checked_last(scope, x, normalized);
  check_eps(scope, eps);
  check_parameter(scope, "weight", weight, normalized, "axes to normalise", x.dtype());
  return over_last_axes("rms_norm", x.tensor(), last_axes(x, normalized, false), eps, weight, {});
}

Tensor group_norm(const Operand& x, std::int64_t groups, const Tensor& weight, const Tensor& bias, double eps) {
  const OpScope scope("group_norm", x.place());
  check_channels(scope, x, weight, bias);
  check_eps(scope, eps);
  const std::int64_t channels = x.shape()[1];
  if (groups < 1 || channels % groups != 0)
    scope.fail<ValueError>("there are ", groups, " groups, and x is ", x.shape(), "; they must divide its ", channels,
                           " channels");
  const std::int64_t slices = x.shape()[0] * groups;
  const View view(1, slices, channels / groups * x.shape().product(2, x.ndim()), true);
  return per_channel(standardised("group_norm", x.tensor(), view, eps, moments_of(view)), weight, bias);
}

Tensor batch_norm(const Operand& x, const Tensor& weight, const Tensor& bias, double eps, BatchMoments* moments) {
  const OpScope scope("batch_norm", x.place());
  check_channels(scope, x, weight, bias);
  check_eps(scope, eps);
  const std::int64_t inner = x.shape().product(2, x.ndim());
  if (x.shape()[0] * inner == 1)
    scope.fail<ValueError>("x is ", x.shape(),
                           ", a single element for each channel, of which nothing would be left; "
                           "take a larger batch, or given moments");
  const View view(x.shape()[0], x.shape()[1], inner, true);
  const Array both = moments_of(view);
  const Tensor y = standardised("batch_norm", x.tensor(), view, eps, both);
  if (moments) {
    const Tensor all = x.size() > 0 ? Tensor(both).to(x.dtype()) : zeros(both.shape(), {.dtype = x.dtype()});
    *moments = {all[0], all[1]};
  }
  return per_channel(y, weight, bias);
}

Tensor batch_norm(const Operand& x, const BatchMoments& moments, const Tensor& weight, const Tensor& bias, double eps) {
  const OpScope scope("batch_norm", x.place());
  check_channels(scope, x, weight, bias);
  check_eps(scope, eps);
  const Shape channels{x.shape()[1]};
  if (!moments.mean.defined() || !moments.variance.defined())
    scope.fail<ValueError>("the moments hold no mean or no variance; give both");
  check_parameter(scope, "mean", moments.mean, channels, "channels", x.dtype());
  check_parameter(scope, "variance", moments.variance, channels, "channels", x.dtype());
  // One factor and one shift for each channel.
  const Tensor scale = rsqrt(moments.variance + eps), factor = weight.defined() ? scale * weight : scale;
  const Tensor shift = bias.defined() ? bias - moments.mean * factor : -moments.mean * factor;
  return channel_affine(x.tensor(), factor, shift);
}

}  // namespace xgrad
