#include "nn/table/sequence_layers.hpp"

#include "nn/table/image_layers.hpp"

#include <filesystem>
#include <numbers>

using namespace xgrad;
using namespace xgrad::nn_table;

/// The rows of the table of layers.
namespace {

using op_table::around_zero, op_table::each, op_table::each_index;

const std::vector<std::vector<Shape>> any_shape{{{3, 4}}, {{1, 2}}, {{0, 3}}, {{2, 1, 3}}, {{5}}};
const std::string plain_number = "the argument is a plain number; make it a tensor with tensor(...)",
                  plain_numbers = "all arguments are plain numbers; make one a tensor with tensor(...)";

/// x[0] x[1] + x[2] over the last axis; without x[2] where it is not there.
Values affine(const std::vector<Values>& x) {
  Shape shape = x[0].shape;
  shape[-1] = x[1].shape[1];
  return build(shape, [&](const Index& at) {
    Index from = at;
    Real total = x.size() > 2 ? x[2][{at.back()}] : 0;
    for (std::int64_t k = 0; k < x[1].shape[0]; ++k) {
      from.back() = k;
      total += x[0][from] * x[1][{k, at.back()}];
    }
    return total;
  });
}

/// The row of an activation, whose op has this name.
template <class L>
LayerRow activation(const char* name, Real (*f)(Real), std::vector<Bad> bad, Domain domain = around_zero(.1, 2)) {
  return {name, {layer("", L{}, each(f), any_shape, std::move(domain))}, std::move(bad)};
}

Real elu(Real x) { return x > 0 ? x : std::expm1(x); }
Real softplus(Real x) { return std::log1p(std::exp(x)); }

/// exp(x) / sum exp(x) along the axis, or its logarithm.
Reference softmax(int axis, bool logarithm) {
  return [=](const std::vector<Values>& x) {
    const auto along = static_cast<std::size_t>(op_table::axis_of(axis, x[0].shape));
    return build(x[0].shape, [&](Index at) {
      const Real own = x[0][at];
      Real total = 0;
      for (at[along] = 0; at[along] < x[0].shape[axis]; ++at[along]) total += std::exp(x[0][at] - own);
      return logarithm ? -std::log(total) : 1 / total;
    });
  };
}

/// (x - mean) / sqrt(variance + eps) over the last `axes` axes, times x[1] plus x[2] where they are there.
Reference layer_norm(int axes, Real eps) {
  return [=](const std::vector<Values>& x) {
    const Shape inner(x[0].shape.end() - axes, x[0].shape.end());
    return build(x[0].shape, [&](const Index& at) {
      Real total = 0, squares = 0;
      Index other = at;
      const auto count = static_cast<Real>(inner.size());
      const auto each_other = [&](const std::function<void(Real)>& visit) {
        each_index(inner, [&](const Index& in) {
          std::copy(in.begin(), in.end(), other.end() - axes);
          visit(x[0][other]);
        });
      };
      each_other([&](Real e) { total += e; });
      each_other([&](Real e) { squares += (e - total / count) * (e - total / count); });
      const Index own(at.end() - axes, at.end());
      const Real y = (x[0][at] - total / count) / std::sqrt(squares / count + eps);
      return y * (x.size() > 1 ? x[1][own] : 1) + (x.size() > 2 ? x[2][own] : 0);
    });
  };
}

/// The rows of x[1] at the indices x[0], negative ones counted from the end.
Values rows_of(const std::vector<Values>& x) {
  Shape shape = x[0].shape;
  shape.push_back(x[1].shape[1]);
  return build(shape, [&](Index at) {
    const std::int64_t feature = at.back();
    at.pop_back();
    return x[1][{op_table::counted(x[0][at], x[1].shape[0]), feature}];
  });
}

std::vector<LayerRow> affine_rows() {
  const std::vector<std::vector<Shape>> three{{{4, 3}}, {{1, 3}}, {{0, 3}}, {{3}}, {{2, 2, 3}}};
  return {
      {"Dense",
       {layer("", nn::Dense{3, 2}, affine, three),
        layer("without bias", nn::Dense{3, 2, {.bias = false}}, affine, three),
        layer("no inputs", nn::Dense{0, 4}, affine, {{{2, 0}}, {{1, 0}}, {{0, 0}}}),
        layer("no outputs", nn::Dense{3, 0}, affine, three)},
       {BAD(ValueError, (nn::Dense{-1, 4}), "Dense: negative size: -1 inputs and 4 outputs; both must be at least 0"),
        BAD(ShapeError, (nn::Dense{3, 4}(zeros({2, 5}))),
            "in Dense 3 -> 4: dense: inner dimensions differ: x is (2, 5), w is (3, 4), b is (4,); x needs 3 "
            "features"),
        BAD(DtypeError, (nn::Dense{3, 4}(zeros({2, 3}, {.dtype = f64}))),
            "in Dense 3 -> 4: dense: x is f64, w is f32, b is f32; convert with .to(...)"),
        BAD(ValueError, (nn::Dense{1, 1}(1.)),
            "in Dense 1 -> 1: dense: an argument is a plain number; make it a tensor with tensor(...)")}},
      {"LayerNorm",
       {layer("", nn::LayerNorm{3}, layer_norm(1, 1e-5L), three),
        layer("two axes", nn::LayerNorm{{2, 3}}, layer_norm(2, 1e-5L), {{{4, 2, 3}}, {{1, 2, 3}}, {{0, 2, 3}}}),
        layer("without bias", nn::LayerNorm{3, {.eps = .5, .bias = false}}, layer_norm(1, .5L), three),
        layer("without weight", nn::LayerNorm{3, {.affine = false}}, layer_norm(1, 1e-5L), three)},
       {BAD(ShapeError, (nn::LayerNorm{4}(zeros({2, 5}))),
            "in LayerNorm 4: layer_norm: x is (2, 5), the axes to normalise are (4,); they must be its last ones"),
        BAD(ShapeError, nn::LayerNorm{Shape{}},
            "LayerNorm: no axis to normalise over; give the sizes of the last axes, such as {features}"),
        BAD(ShapeError, nn::LayerNorm{-1}, "LayerNorm: negative size in shape (-1,)"),
        BAD(ValueError, (nn::LayerNorm{4, {.eps = -1}}), "LayerNorm: eps is -1; it must be at least 0")}},
      {"Sequential",
       {layer(
            "", nn::Sequential{nn::Dense{3, 2}, nn::Tanh{}},
            [](const std::vector<Values>& x) { return each([](Real y) { return std::tanh(y); })({affine(x)}); }, three),
        layer("empty", nn::Sequential{}, each([](Real x) { return x; }), any_shape)},
       {BAD(ValueError, nn::Sequential{}[0], "Sequential: index 0 is out of range for a model of 0 layers"),
        BAD(ValueError, nn::Sequential{nn::Sigmoid{}}(1.), "in model[0] (Sigmoid): sigmoid: " + plain_number)}},
      {"Embedding",
       {layer("", nn::Embedding{4, 3}, rows_of, {{{2, 5}}, {{1}}, {{0}}, {{3}}}, op_table::integers(-4, 3)),
        layer("padding", nn::Embedding{4, 3, {.padding_index = 1}}, rows_of, {{{2, 2}}, {{1}}, {{0, 2}}},
              op_table::integers(0, 3)),
        layer("no features", nn::Embedding{4, 0}, rows_of, {{{2}}, {{1}}, {{0}}}, op_table::integers(0, 3))},
       {BAD(ValueError, (nn::Embedding{-1, 4}),
            "Embedding: negative size: -1 rows of 4 features; both must be at least 0"),
        BAD(ValueError, (nn::Embedding{2, 4, {.padding_index = 2}}),
            "Embedding: the padding index is 2; expected one of 2 rows, or -1 for none"),
        BAD(ValueError, (nn::Embedding{2, 4}(tensor({2}, i64))),
            "in Embedding 2 x 4: embedding: index 2 at position 0 is out of range for axis 0 of size 2"),
        BAD(DtypeError, (nn::Embedding{2, 4}(tensor({1.}))),
            "in Embedding 2 x 4: embedding: the indices are f32, not i64; convert them with .to(i64)"),
        BAD(ValueError, (nn::Embedding{2, 4}(1)), "in Embedding 2 x 4: embedding: " + plain_number)}},
      {"Flatten",
       {layer("", nn::Flatten{},
              [](const std::vector<Values>& x) {
                Values y = x[0];
                y.shape = Shape{y.shape[0], y.shape.product(1, y.shape.ndim())};
                return y;
              },
              {{{2, 3, 4}}, {{1, 2}}, {{0, 3, 4}}, {{2, 1, 2, 1, 2}}})},
       {BAD(ShapeError, nn::Flatten{}(zeros({3})),
            "in Flatten: flatten: needs a batch axis and at least one more, and the input is (3,)"),
        BAD(ValueError, nn::Flatten{}(1.), "in Flatten: flatten: " + plain_number)}}};
}

LayerRow dropout_row() {
  const Reference same = [](const std::vector<Values>& x) { return x[0]; };
  LayerRow row{
      "Dropout",
      {layer("", nn::Dropout{}, same, any_shape), layer("p = 1", nn::Dropout{1}, same, any_shape),
       layer("p = 0", nn::Dropout{0}, same, any_shape)},
      {BAD(ValueError, nn::Dropout{1.5}, "Dropout: the probability is 1.5; it must be between 0 and 1"),
       BAD(ValueError, nn::Dropout{-.1}, "Dropout: the probability is -0.1; it must be between 0 and 1"),
       BAD(ValueError, nn::Dropout{op_table::nan}, "Dropout: the probability is nan; it must be between 0 and 1"),
       BAD(ValueError, nn::Dropout{}(1.), "in Dropout 0.5: dropout: " + plain_number)}};
  row.cases[0].draws = row.cases[1].draws = true;
  return row;
}

std::vector<LayerRow> activation_rows() {
  constexpr Real scale = 1.0507009873554804934L, alpha = 1.6732632423543772848L;
  return {
      activation<nn::ReLU>("ReLU", [](Real x) { return std::max<Real>(x, 0); },
                           {BAD(ValueError, nn::ReLU{}(1.), "in ReLU: relu: " + plain_number)}),
      {"LeakyReLU",
       {layer("", nn::LeakyReLU{}, each([](Real x) { return x > 0 ? x : x * Real(.01); }), any_shape,
              around_zero(.1, 2)),
        layer("slope", nn::LeakyReLU{.3}, each([](Real x) { return x > 0 ? x : x * Real(.3); }), any_shape,
              around_zero(.1, 2))},
       {BAD(ValueError, nn::LeakyReLU{}(1.), "in LeakyReLU 0.01: leaky_relu: " + plain_numbers)}},
      {"ELU",
       {layer("", nn::ELU{}, each(elu), any_shape, around_zero(.1, 2)),
        layer("alpha", nn::ELU{2}, each([](Real x) { return x > 0 ? x : 2 * elu(x); }), any_shape, around_zero(.1, 2))},
       {BAD(ValueError, nn::ELU{}(1.), "in ELU: elu: " + plain_numbers)}},
      activation<nn::SELU>("SELU", [](Real x) { return scale * (x > 0 ? x : alpha * elu(x)); },
                           {BAD(ValueError, nn::SELU{}(1.), "in SELU: selu: " + plain_numbers)}),
      {"GELU",
       {layer("", nn::GELU{}, each([](Real x) { return x * std::erfc(-x / std::numbers::sqrt2_v<Real>) / 2; }),
              any_shape),
        layer("tanh form", nn::GELU{{.tanh = true}}, each([](Real x) {
                return x / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi_v<Real>) * (x + .044715L * x * x * x)));
              }),
              any_shape)},
       {BAD(ValueError, nn::GELU{}(1.), "in GELU: gelu: " + plain_number)}},
      activation<nn::SiLU>("SiLU", [](Real x) { return x / (1 + std::exp(-x)); },
                           {BAD(ValueError, nn::SiLU{}(1.), "in SiLU: silu: " + plain_number)}),
      activation<nn::Sigmoid>("Sigmoid", [](Real x) { return 1 / (1 + std::exp(-x)); },
                              {BAD(ValueError, nn::Sigmoid{}(1.), "in Sigmoid: sigmoid: " + plain_number)}),
      activation<nn::LogSigmoid>(
          "LogSigmoid", [](Real x) { return -softplus(-x); },
          {BAD(ValueError, nn::LogSigmoid{}(1.), "in LogSigmoid: log_sigmoid: " + plain_number)}),
      activation<nn::Tanh>("Tanh", [](Real x) { return std::tanh(x); },
                           {BAD(ValueError, nn::Tanh{}(1.), "in Tanh: tanh: " + plain_number)}),
      {"Softplus",
       {layer("", nn::Softplus{}, each(softplus), any_shape),
        layer("beta", nn::Softplus{2}, each([](Real x) { return softplus(2 * x) / 2; }), any_shape)},
       {BAD(ValueError, nn::Softplus{}(1.), "in Softplus: softplus: " + plain_number),
        BAD(ValueError, nn::Softplus{0}(ones({2})), "in Softplus: softplus: beta is 0; it must be above 0")}},
      {"Softmax",
       {layer("", nn::Softmax{}, softmax(-1, false), any_shape),
        layer("axis 0", nn::Softmax{0}, softmax(0, false), any_shape)},
       {BAD(ValueError, nn::Softmax{}(1.), "in Softmax: softmax: " + plain_number),
        BAD(ShapeError, nn::Softmax{2}(ones({2, 3})),
            "in Softmax: softmax: axis 2 is out of range for a tensor of shape (2, 3); expected one in [-2, 1]")}},
      {"LogSoftmax",
       {layer("", nn::LogSoftmax{}, softmax(-1, true), any_shape),
        layer("axis 0", nn::LogSoftmax{0}, softmax(0, true), any_shape)},
       {BAD(ValueError, nn::LogSoftmax{}(1.), "in LogSoftmax: log_softmax: " + plain_number)}},
  };
}

Real limited(Real x, Real low, Real high) { return std::fmin(std::fmax(x, low), high); }

std::vector<LayerRow> later_activation_rows() {
  const auto prelu = [](const std::vector<Values>& x) {
    return build(x[0].shape, [&](const Index& at) {
      const Real slope = x[1].v[x[1].v.size() == 1 ? 0 : static_cast<std::size_t>(at[1])];
      return x[0][at] * (x[0][at] > 0 ? 1 : slope);
    });
  };
  const auto glu = [](int axis) {
    return [axis](const std::vector<Values>& x) {
      Shape half = x[0].shape;
      half[axis] /= 2;
      return build(half, [&](const Index& at) {
        Index gate = at;
        gate[static_cast<std::size_t>(op_table::axis_of(axis, half))] += half[axis];
        return x[0][at] / (1 + std::exp(-x[0][gate]));
      });
    };
  };
  const Reference negative_softmax = [](const std::vector<Values>& x) {
    return softmax(-1, false)({each([](Real e) { return -e; })({x[0]})});
  };
  return {
      activation<nn::Softsign>("Softsign", [](Real x) { return x / (1 + std::fabs(x)); },
                               {BAD(ValueError, nn::Softsign{}(1.), "in Softsign: softsign: " + plain_number)}),
      activation<nn::ReLU6>("ReLU6", [](Real x) { return limited(x, 0, 6); },
                            {BAD(ValueError, nn::ReLU6{}(1.), "in ReLU6: relu6: " + plain_numbers)}),
      activation<nn::Hardsigmoid>(
          "Hardsigmoid", [](Real x) { return limited(x + 3, 0, 6) / 6; },
          {BAD(ValueError, nn::Hardsigmoid{}(1.), "in Hardsigmoid: hardsigmoid: " + plain_numbers)}),
      activation<nn::Hardswish>("Hardswish", [](Real x) { return x * limited(x + 3, 0, 6) / 6; },
                                {BAD(ValueError, nn::Hardswish{}(1.), "in Hardswish: hardswish: " + plain_number)}),
      activation<nn::Mish>("Mish", [](Real x) { return x * std::tanh(softplus(x)); },
                           {BAD(ValueError, nn::Mish{}(1.), "in Mish: mish: " + plain_numbers)}),
      {"Hardtanh",
       {layer("", nn::Hardtanh{}, each([](Real x) { return limited(x, -1, 1); }), any_shape, around_zero(.1, .9)),
        layer("limits", nn::Hardtanh{-2.5, 3}, each([](Real x) { return limited(x, -2.5L, 3); }), any_shape)},
       {BAD(ValueError, nn::Hardtanh{}(1.), "in Hardtanh: hardtanh: " + plain_numbers),
        BAD(ValueError, (nn::Hardtanh{1, 0}(ones({2}))),
            "in Hardtanh: hardtanh: low is 1, high is 0; expected low < high")}},
      {"CELU",
       {layer("", nn::CELU{}, each(elu), any_shape, around_zero(.1, 2)),
        layer("alpha", nn::CELU{2}, each([](Real x) { return x > 0 ? x : 2 * std::expm1(x / 2); }), any_shape,
              around_zero(.1, 2))},
       {BAD(ValueError, nn::CELU{}(1.), "in CELU: celu: " + plain_numbers),
        BAD(ValueError, nn::CELU{0}(ones({2})), "in CELU: celu: alpha is 0; it must be a number other than 0")}},
      {"PReLU",
       {layer("", nn::PReLU{}, prelu, any_shape, around_zero(.1, 2)),
        layer("channels", nn::PReLU{3, .1}, prelu, {{{2, 3}}, {{1, 3}}, {{0, 3}}}, around_zero(.1, 2))},
       {BAD(ValueError, nn::PReLU{0}, "PReLU: there are 0 channels; at least 1 is needed"),
        BAD(ShapeError, nn::PReLU{3}(ones({2, 4})),
            "in PReLU: prelu: x is (2, 4), the slopes are (3,); give one, or one for each index of axis 1")}},
      {"GLU",
       {layer("", nn::GLU{}, glu(-1), {{{3, 4}}, {{1, 2}}, {{0, 4}}, {{2, 1, 6}}}),
        layer("axis 1", nn::GLU{1}, glu(1), {{{3, 4}}, {{1, 2, 3}}, {{0, 4}}})},
       {BAD(ShapeError, nn::GLU{}(ones({2, 3})),
            "in GLU: glu: axis 1 of shape (2, 3) has an odd size; it is cut into two halves")}},
      {"Softmin",
       {layer("", nn::Softmin{}, negative_softmax, any_shape)},
       {BAD(ValueError, nn::Softmin{}(1.), "in Softmin: softmin: " + plain_number)}},
  };
}

std::vector<LayerRow> all_rows() {
  std::vector<LayerRow> rows = affine_rows();
  rows.push_back(dropout_row());
  for (const auto family : {activation_rows, later_activation_rows, image_rows, sequence_rows})
    for (LayerRow& row : family()) rows.push_back(std::move(row));
  return rows;
}

std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const LayerRow& row : all_rows()) result.push_back(row.name);
  return result;
}

}  // namespace

TEST_CASE("every layer that a header of nn declares has one row, and deleting any row is noticed, by name") {
  std::string headers;
  const auto folder = std::filesystem::path(XGRAD_SOURCE_FOLDER) / "nn";
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".hpp") headers += text_of(entry.path().string());
  check_complete(declared_layers(headers), names());
}

TEST_CASE("every layer does what holds for all layers") {
  std::int64_t checks = 0;
  for (const LayerRow& row : all_rows()) {
    const Findings findings = check(row);
    CHECK_MESSAGE(findings.failures.empty(), joined(findings.failures));
    checks += findings.checks;
  }
  MESSAGE(names().size(), " layers, ", checks, " checks");
}

namespace {

/// A layer of which one thing can be wrong.
struct Faulty : nn::Module {
  enum Fault { none, value, gradient, mode, unlisted, unhooked, features };
  Fault fault;
  nn::Parameter scale{ones({3})}, forgotten;
  explicit Faulty(Fault f) : fault(f), forgotten(f == unlisted ? Tensor(ones({3})) : Tensor()) {}
  Tensor operator()(const Operand& x) const {
    return fault == unhooked ? scaled(x.tensor()) : hooked(x, [&](const Tensor& input) { return scaled(input); });
  }
  Tensor scaled(const Tensor& x) const {
    if (fault == value) return x * scale * 1.001;
    if (fault == gradient) return x * (2 * scale - scale.detach());
    return fault == mode && !is_training() ? x * scale * 2 : x * scale;
  }
  void members(nn::Visitor& visit) override { visit("scale", scale); }
  std::int64_t output_features(std::int64_t) const override { return fault == features ? 4 : 3; }
};

std::vector<std::string> failures_of(Faulty::Fault fault) {
  const Reference scaled = [](const std::vector<Values>& x) {
    return build(x[0].shape, [&](const Index& at) { return x[0][at] * x[1][{at.back()}]; });
  };
  return check({"Faulty",
                {layer("", Faulty(fault), scaled, {{{2, 3}}, {{1, 3}}, {{0, 3}}})},
                {BAD(ValueError, nn::ReLU{}(1.), "in ReLU: relu: " + plain_number)}})
      .failures;
}

}  // namespace

TEST_CASE("the table catches a layer whose value, gradient, mode, members, hooks or features are wrong") {
  CHECK(joined(failures_of(Faulty::none)) == "");
  for (const auto fault :
       {Faulty::value, Faulty::gradient, Faulty::mode, Faulty::unlisted, Faulty::unhooked, Faulty::features})
    CHECK_FALSE(failures_of(fault).empty());
}
