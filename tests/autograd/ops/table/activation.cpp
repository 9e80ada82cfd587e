#include <autograd/ops/table/row.hpp>
#include <numbers>

namespace xgrad::op_table {
namespace {

const Domain smooth = interval(-3, 3), off_zero = around_zero(.1, 3);

Real sigmoid_of(Real x) { return 1 / (1 + std::exp(-x)); }
Real softplus_of(Real x) { return std::log(1 + std::exp(x)); }
Real elu_of(Real x) { return x > 0 ? x : std::exp(x) - 1; }

/// exp(x - max) / sum exp(x - max) along an axis, or its logarithm, or of -x for a sign of -1.
Reference softmax_reference(int axis, bool logarithm, Real sign) {
  return [=](const std::vector<Values>& x) {
    const Shape& shape = x[0].shape;
    const auto along = static_cast<std::size_t>(axis_of(axis, shape));
    return build(shape, [&](Index index) {
      Real total = 0;
      const Real own = x[0][index];
      for (index[along] = 0; index[along] < shape[axis]; ++index[along]) total += std::exp(sign * (x[0][index] - own));
      return logarithm ? -std::log(total) : 1 / total;
    });
  };
}

std::vector<Variant> softmax_variants(Tensor (*f)(const Operand&, int), bool logarithm, Real sign = 1) {
  std::vector<Variant> variants;
  for (const int axis : {-1, 0}) {
    Variant variant = unary(
        text("axis ", axis).c_str(), [=](const Tensors& x) { return f(x[0], axis); },
        softmax_reference(axis, logarithm, sign), smooth, 8);
    variant.shapes = at_least_one_axis();
    if (logarithm) variant.scale = 1;
    variants.push_back(std::move(variant));
  }
  return variants;
}

Special vector_at(std::vector<double> x, std::vector<double> value, std::vector<double> cotangent,
                  std::vector<double> gradient) {
  Special s{{std::move(x)}, std::move(value), {std::move(gradient)}};
  s.cotangent = std::move(cotangent);
  return s;
}

Row bce_row() {
  return {"bce_with_logits",
          {binary(bce_with_logits, each([](Real z, Real t) {
                    return std::fmax(z, Real(0)) - z * t + std::log1p(std::exp(-std::fabs(z)));
                  }),
                  smooth, interval(0, 1), 8)},
          {at2(1000, 1, 0, 0, -1000), at2(1000, 0, 1000, 1, -1000), at2(-1000, 1, 1000, -1, 1000),
           at2(-1000, 0, 0, 0, 1000), at2(inf, 1, 0, 0, -inf), at2(-inf, 0, 0, 0, inf),
           at2(0, .5, std::numbers::ln2, 0, 0), at2(nan, 1, nan, nan, nan)}};
}

/// A variant of an activation with options.
Variant with(const char* label, Function f, Real (*exact)(Real), Domain domain, double ulps = 4) {
  return unary(label, std::move(f), each(exact), std::move(domain), ulps);
}
/// A special point of one.
Special of(Function f, Special s) {
  s.f = std::move(f);
  return s;
}

Real mish_of(Real x) { return x * std::tanh(std::log1p(std::exp(x))); }
Real tanh_gelu_of(Real x) {
  return x / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi_v<Real>) * (x + .044715L * x * x * x)));
}
Tensor tanh_gelu(const Tensors& x) { return gelu(x[0], {.tanh = true}); }
Tensor sharp_softplus(const Tensors& x) { return softplus(x[0], 3); }

Row prelu_row() {
  Variant channels = binary(
      operator*,
      [](const std::vector<Values>& x) {
        return build(x[0].shape, [&](const Index& i) {
          const Real slope = x[1].v[x[1].v.size() == 1 ? 0 : static_cast<std::size_t>(i[1])];
          return x[0][i] * (x[0][i] > 0 ? 1 : slope);
        });
      },
      off_zero, interval(.1, .5));
  channels.f = [](const Tensors& x) { return prelu(x[0], x[1]); };
  channels.shapes = {{{}, {}},      {{4}, {1}},   {{2, 3}, {3}},         {{2, 3, 2}, {3}},
                     {{0, 3}, {3}}, {{2, 3}, {}}, {{2, 1, 3, 1, 2}, {1}}};
  Special slope = at2(inf, .5, inf, 1, 0);
  return {"prelu",
          {channels, with(
                         "a number", [](const Tensors& x) { return prelu(x[0], .25); },
                         [](Real x) { return x > 0 ? x : x / 4; }, off_zero)},
          {slope, at2(0, .5, 0, .5, 0), at2(-2, .5, -1, .5, -2), at2(nan, .5, nan, .5, nan)}};
}

Row glu_row() {
  std::vector<Variant> variants;
  for (const int axis : {-1, 0}) {
    Variant v = unary(
        text("axis ", axis).c_str(), [axis](const Tensors& x) { return glu(x[0], axis); },
        [axis](const std::vector<Values>& x) {
          Shape half = x[0].shape;
          half[axis] /= 2;
          return build(half, [&](const Index& i) {
            Index gate = i;
            gate[static_cast<std::size_t>(axis_of(axis, half))] += half[axis];
            return x[0][i] * sigmoid_of(x[0][gate]);
          });
        },
        smooth);
    v.shapes = axis == 0 ? ShapeTuples{{{2}}, {{4, 1}}, {{4, 3}}, {{2, 1, 3, 1, 2}}}
                         : ShapeTuples{{{2}}, {{6}}, {{0}}, {{3, 0}}, {{1, 4}}, {{2, 1, 3, 1, 2}}};
    variants.push_back(std::move(v));
  }
  return {"glu", std::move(variants), {}, scalars};
}

std::vector<Row> hard_rows() {
  const auto between = [](Real x, Real low, Real high) { return std::fmin(std::fmax(x, low), high); };
  static const auto limit = between;
  const Domain off_kinks = fixed({-4.2, -2.5, -1.4, -.6, .3, .8, 1.7, 2.6, 3.4, 5.5, 6.5});
  return {
      {"hardtanh",
       {with(
            "", [](const Tensors& x) { return hardtanh(x[0]); }, [](Real x) { return limit(x, -1, 1); }, off_kinks),
        with(
            "limits", [](const Tensors& x) { return hardtanh(x[0], -2, .5); }, [](Real x) { return limit(x, -2, .5L); },
            off_kinks)},
       {at(1, 1, 0, 0), at(-1, -1, 0, 0), at(.5, .5, 1, 0), at(inf, 1, 0), at(-inf, -1, 0), at(nan, nan, 1)}},
      {"relu6",
       {unary(relu6, each([](Real x) { return limit(x, 0, 6); }), off_kinks)},
       {at(0, 0, 0, 0), at(6, 6, 0, 0), at(inf, 6, 0), at(-inf, 0, 0), at(nan, nan, 1)}},
      {"hardsigmoid",
       {unary(hardsigmoid, each([](Real x) { return limit(x + 3, 0, 6) / 6; }), off_kinks)},
       {at(-3, 0, 0, 0), at(3, 1, 0, 0), at(0, .5, 1 / 6., 0), at(inf, 1, 0), at(-inf, 0, 0)}},
      {"hardswish",
       {unary(hardswish, each([](Real x) { return x * limit(x + 3, 0, 6) / 6; }), off_kinks, 8)},
       {at(-3, 0, -.5), at(3, 3, 1.5), at(0, 0, .5, 1 / 3.), at(inf, inf, 1, 0), at(-inf, 0, 0, 0), {{{nan}}, {nan}}}},
  };
}

Row masked_scale_row() {
  Variant variant =
      binary(operator*, each([](Real x, Real m) -> Real { return m != 0 ? x * 1.25L : 0; }), smooth, booleans());
  variant.f = [](const Tensors& x) { return masked_scale(x[0], x[1], 1.25); };
  variant.shapes.clear();
  for (const std::vector<Shape>& shapes : any_shape()) variant.shapes.push_back({shapes[0], shapes[0]});
  Special dropped = at(inf, 0, 0);
  dropped.f = [](const Tensors& x) { return masked_scale(x[0], x[0] < 0, 2); };
  return {"masked_scale", {variant}, {dropped}};
}

Row relu_grad_row() {
  Row row{"relu_grad",
          {binary(relu_grad, each([](Real g, Real y) { return y <= 0 ? 0 : g; }), smooth, off_zero)},
          {at2(3, 0, 0, 0, 0), at2(3, nan, 3, 1, 0), at2(nan, -1, 0, 0, 0), at2(inf, 1, inf, 1, 0)}};
  return row;
}

}  // namespace

std::vector<Row> rows_activation() {
  constexpr double scale = 1.0507009873554804934, alpha = 1.6732632423543772848;
  const Function celu_of_2 = [](const Tensors& x) { return celu(x[0], 2); };
  std::vector<Row> rows{
      {"celu",
       {with(
            "", [](const Tensors& x) { return celu(x[0]); }, elu_of, off_zero),
        with(
            "alpha 2", celu_of_2, [](Real x) { return x > 0 ? x : 2 * std::expm1(x / 2); }, off_zero)},
       {at(0, 0, 1, 1), at(inf, inf, 1, 0), at(-inf, -1, 0, 0), of(celu_of_2, at(-inf, -2, 0, 0)), at(nan, nan, nan)}},
      prelu_row(),
      glu_row(),
      {"mish",
       {unary(mish, each(mish_of), smooth, 6)},
       {at(0, 0, .6), at(inf, inf, 1, 0), at(-inf, 0, 0, 0), at(1000, 1000, 1, 0), at(-2000, 0, 0, 0),
        at(nan, nan, nan)}},
      {"sigmoid",
       {unary(sigmoid, each(sigmoid_of), smooth)},
       {at(0, .5, .25, 0), at(1000, 1, 0, 0), at(-1000, 0, 0, 0), at(inf, 1, 0, 0), at(-inf, 0, 0, 0),
        at(nan, nan, nan)}},
      {"relu",
       {unary(relu, each([](Real x) { return x > 0 ? x : 0; }), off_zero)},
       {at(0, 0, 0, 0), at(-0., 0, 0, 0), at(nan, nan, 1), at(inf, inf, 1, 0), at(-inf, 0, 0, 0)}},
      relu_grad_row(),
      {"leaky_relu",
       {unary(
            "", [](const Tensors& x) { return leaky_relu(x[0]); },
            each([](Real x) { return x > 0 ? x : x * Real(.01); }), off_zero),
        unary(
            "slope 0.3", [](const Tensors& x) { return leaky_relu(x[0], .3); },
            each([](Real x) { return x > 0 ? x : x * Real(.3); }), off_zero)},
       {at(0, 0, .01, 0), at(inf, inf, 1, 0), at(-inf, -inf, .01, 0), at(nan, nan, .01)}},
      {"elu",
       {unary(
            "", [](const Tensors& x) { return elu(x[0]); }, each(elu_of), off_zero),
        unary(
            "alpha 0.5", [](const Tensors& x) { return elu(x[0], .5); },
            each([](Real x) { return x > 0 ? x : (std::exp(x) - 1) / 2; }), off_zero)},
       {at(0, 0, 1, 1), at(1000, 1000, 1, 0), at(inf, inf, 1, 0), at(-inf, -1, 0, 0), at(-1000, -1, 0, 0),
        at(nan, nan, nan)}},
      {"selu",
       {unary(selu, each([](Real x) { return Real(scale) * (x > 0 ? x : Real(alpha) * (std::exp(x) - 1)); }),
              off_zero)},
       {at(0, 0, scale * alpha), at(inf, inf, scale, 0), at(-inf, -scale * alpha, 0, 0), at(nan, nan, nan)}},
      {"gelu",
       {unary(gelu, each([](Real x) { return x * std::erfc(-x / std::sqrt(Real(2))) / 2; }), smooth, 10),
        with("tanh form", tanh_gelu, tanh_gelu_of, smooth, 16)},
       {at(0, 0, .5, 2 / std::sqrt(2 * std::numbers::pi)), at(inf, inf, 1, 0), at(-inf, 0, 0, 0), at(1000, 1000, 1, 0),
        at(-1000, 0, 0, 0), at(nan, nan, nan, nan), of(tanh_gelu, at(0, 0, .5)), of(tanh_gelu, at(inf, inf, 1, 0)),
        of(tanh_gelu, at(-inf, 0, 0, 0)), of(tanh_gelu, {{{nan}}, {nan}})}},
      {"silu",
       {unary(silu, each([](Real x) { return x * sigmoid_of(x); }), smooth)},
       {at(0, 0, .5, .5), at(inf, inf, 1, 0), at(-inf, 0, 0, 0), at(1e4, 1e4, 1, 0), at(-1e4, 0, 0, 0),
        at(nan, nan, nan)}},
      {"softplus",
       {unary(softplus, each(softplus_of), smooth),
        with(
            "beta 3", sharp_softplus, [](Real x) { return softplus_of(3 * x) / 3; }, smooth, 16)},
       {at(1000, 1000, 1, 0),
        at(-1000, 0, 0, 0),
        at(20, 20.000000002061153620, .99999999793884618),
        {{{20.5}}, {20.50000000125015}, {}},
        at(inf, inf, 1, 0),
        at(-inf, 0, 0, 0),
        at(nan, nan, nan),
        of(sharp_softplus, at(1000, 1000, 1, 0)),
        of(sharp_softplus, at(-1000, 0, 0, 0))}},
      {"log_sigmoid",
       {unary(log_sigmoid, each([](Real x) { return -softplus_of(-x); }), smooth)},
       {at(1000, 0, 0, 0), at(-1000, -1000, 1, 0), at(0, -std::numbers::ln2, .5, -.25), at(-inf, -inf, 1, 0),
        at(inf, 0, 0, 0), at(nan, nan, nan)}},
      {"softsign",
       {unary(softsign, each([](Real x) { return std::isinf(x) ? std::copysign(1, x) : x / (1 + std::fabs(x)); }),
              off_zero)},
       {at(0, 0, 1, 0), at(inf, 1, 0, 0), at(-inf, -1, 0, 0),
        at(1e10, .99999999990000000001, 9.9999999980000000003e-21, -1.9999999994000000001e-30), at(nan, nan, nan)}},
      {"softmax",
       softmax_variants(softmax, false),
       {vector_at({1000, -1000, 0}, {1, 0, 0}, {1, 2, 3}, {0, 0, 0}),
        vector_at({-inf, 0, 0}, {0, .5, .5}, {5, 2, 3}, {0, -.25, .25}),
        vector_at({-inf, -inf}, {nan, nan}, {1, 2}, {nan, nan}), vector_at({inf, 0}, {nan, nan}, {1, 2}, {nan, nan}),
        vector_at({nan, 0}, {nan, nan}, {1, 2}, {nan, nan})},
       scalars},
      {"log_softmax",
       softmax_variants(log_softmax, true),
       {vector_at({1000, -1000}, {0, -2000}, {0, 1}, {-1, 1}), vector_at({-inf, 0}, {-inf, 0}, {1, 0}, {1, -1}),
        vector_at({-inf, -inf}, {nan, nan}, {1, 2}, {nan, nan}), vector_at({nan, 0}, {nan, nan}, {1, 2}, {nan, nan})},
       scalars},
      {"softmin",
       softmax_variants(softmin, false, -1),
       {vector_at({-1000, 1000, 0}, {1, 0, 0}, {1, 2, 3}, {0, 0, 0})},
       scalars},
      bce_row(),
      masked_scale_row(),
  };
  for (Row& row : hard_rows()) rows.push_back(std::move(row));
  return rows;
}

}  // namespace xgrad::op_table
