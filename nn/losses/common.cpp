#include <nn/losses/common.hpp>

/// What the losses check and how they reduce.
namespace xgrad::nn::detail {
namespace {

std::string braces(const Shape& shape) {
  std::string s = "{";
  for (const std::int64_t size : shape) s += text(s.size() > 1 ? ", " : "", size);
  return s + "}";
}

}  // namespace

void check_pair(const OpScope& scope, const Operand& y, const Operand& t, const char* y_name, const char* t_name) {
  for (const Operand* o : {&y, &t})
    if (o->is_number()) scope.fail<ValueError>("an argument is a plain number; make it a tensor with full(...)");
  if (y.shape() != t.shape()) {
    const std::string_view name = t_name, argument = name.substr(name.starts_with("the ") ? 4 : 0);
    scope.fail(y_name, " is ", y.shape(), ", ", t_name, " is ", t.shape(), ", and a loss never broadcasts; ",
               y.size() == t.size()
                   ? text("bring one to the other's shape, as by reshape(", argument, ", ", braces(y.shape()), ")")
                   : "both must have one shape");
  }
  if (!is_floating(y.dtype())) scope.fail<DtypeError>(y_name, " is ", name_of(y.dtype()), "; f32 or f64 is needed");
  if (y.dtype() != t.dtype())
    scope.fail<DtypeError>(y_name, " is ", name_of(y.dtype()), ", ", t_name, " is ", name_of(t.dtype()), "; convert ",
                           t_name, " with .to(", name_of(y.dtype()), ")");
}

namespace {

constexpr auto in_unit_interval = [](auto x) { return (x >= 0) & (x <= 1); };

[[noreturn]] void fail_unit_interval(const char* what, const Invalid& found) {
  xgrad::detail::fail<ValueError>("the ", what, " holds ", found.value, " at position ", found.position, " of shape ",
                                  found.shape, "; all must be between 0 and 1");
}

}  // namespace

void check_prediction_in_unit_interval(const Tensor& t) {
  check_elements(t, in_unit_interval, [](const Invalid& found) { fail_unit_interval("prediction", found); });
}

void check_target_in_unit_interval(const Tensor& t) {
  check_elements(t, in_unit_interval, [](const Invalid& found) { fail_unit_interval("target", found); });
}

void check_target_is_sign(const Tensor& t) {
  check_elements(
      t, [](auto x) { return (x == 1) | (x == -1); },
      [](const Invalid& found) {
        xgrad::detail::fail<ValueError>("the target holds ", found.value, " at position ", found.position,
                                        "; all must be -1 or 1, which 2 * t - 1 makes of 0 and 1");
      });
}

bool fits_into(const Shape& from, const Shape& to) {
  Shape both;
  return broadcast(from, to, both) && both == to;
}

Tensor reduced(const OpScope& scope, Tensor loss, Reduction reduction, const Tensor& weight) {
  if (weight.defined()) {
    if (weight.dtype() != loss.dtype())
      scope.fail<DtypeError>("the weight is ", name_of(weight.dtype()), ", the loss is ", name_of(loss.dtype()),
                             "; convert the weight with .to(", name_of(loss.dtype()), ")");
    if (!fits_into(weight.shape(), loss.shape()))
      scope.fail("the weight is ", weight.shape(), ", the loss is ", loss.shape(),
                 "; it must have or broadcast to that");
    loss = loss * weight;
  }
  if (reduction == Reduction::none) return loss;
  if (reduction == Reduction::mean) return mean(loss);
  const std::int64_t rows = loss.ndim() > 0 ? loss.shape()[0] : 1;
  return reduction == Reduction::sum ? sum(loss) : sum(loss) / static_cast<double>(rows);
}

}  // namespace xgrad::nn::detail
