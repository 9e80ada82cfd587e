#include <nn/layers.hpp>

#include <nn/layers/common.hpp>

/// Dense layers, dropout and flattening.
namespace xgrad::nn {

Dense::Dense(std::int64_t in, std::int64_t out, DenseOptions options, Place place) {
  const OpScope scope("Dense", place);
  if (in < 0 || out < 0)
    scope.fail<ValueError>("negative size: ", in, " inputs and ", out, " outputs; both must be at least 0");
  weight = Parameter(options.weight_init({in, out}, {.dtype = options.dtype}));
  if (options.bias) bias = Parameter(options.bias_init({out}, {.dtype = options.dtype}));
}

Tensor Dense::operator()(const Operand& x) const {
  return hooked(x, [this](const Operand& input) { return dense(input, weight, bias); });
}

void Dense::members(Visitor& visit) {
  visit("weight", weight);
  visit("bias", bias);
}

std::string Dense::describe() const {
  return weight.defined() ? text("Dense ", weight.shape()[0], " -> ", weight.shape()[1]) : "Dense (moved from)";
}

std::int64_t Dense::output_features(std::int64_t) const { return weight.defined() ? weight.shape()[1] : -1; }

Dropout::Dropout(double p, Place place) : p_(p) {
  const OpScope scope("Dropout", place);
  detail::check_share(scope, "probability", p);
}

Tensor Dropout::operator()(const Operand& x) const {
  return hooked(x, [this](const Operand& input) {
    const OpScope scope("dropout", input.place());
    if (!is_training() || p_ == 0) return input.tensor();
    return detail::dropped(input, bernoulli(input.shape(), 1 - p_), p_);
  });
}

std::string Dropout::describe() const { return text("Dropout ", p_); }

Tensor Flatten::operator()(const Operand& x) const {
  return hooked(x, [](const Operand& input) {
    const OpScope scope("flatten", input.place());
    if (input.ndim() < 2) scope.fail("needs a batch axis and at least one more, and the input is ", input.shape());
    return flatten(input, 1);
  });
}

}  // namespace xgrad::nn
