#include <autograd/ops/table/row.hpp>
#include <numbers>

namespace xgrad::op_table {
namespace {

constexpr double pi = std::numbers::pi;
const Domain signed_numbers = interval(-2, 2), inside = interval(-.9, .9), positive = interval(.3, 3);

Special in_f64(Special s) {
  s.f64_only = true;
  return s;
}

Special in_f32(Special s) {
  s.f32_only = true;
  return s;
}

}  // namespace

std::vector<Row> rows_transcendental() {
  return {
      {"exp",
       {unary(exp, each([](Real x) { return std::exp(x); }), signed_numbers)},
       {at(0, 1, 1, 1), at(710, inf, inf), at(-746, 0, 0), in_f32(at(88.8, inf, inf)), in_f32(at(-104, 0, 0)),
        at(-inf, 0, 0, 0), at(nan, nan, nan)}},
      {"expm1",
       {unary(expm1, each([](Real x) { return std::expm1(x); }), signed_numbers)},
       {at(0, 0, 1, 1), at(1e-20, 1e-20, 1, 1), at(-1000, -1, 0, 0), at(710, inf, inf)}},
      {"log",
       {unary(log, each([](Real x) { return std::log(x); }), positive)},
       {at(0, -inf, inf), at(-0., -inf, -inf), at(-1, nan, nan, nan), at(1, 0, 1, -1), at(inf, inf, 0)}},
      {"log1p",
       {unary(log1p, each([](Real x) { return std::log1p(x); }), interval(-.5, 2))},
       {at(-1, -inf, inf), at(1e-20, 1e-20, 1, -1), at(-2, nan, nan, nan), at(inf, inf, 0)}},
      {"sin",
       {unary(sin, each([](Real x) { return std::sin(x); }), interval(-4, 4))},
       {at(0, 0, 1, 0), at(inf, nan, nan), at(nan, nan, nan)}},
      {"cos",
       {unary(cos, each([](Real x) { return std::cos(x); }), interval(-4, 4))},
       {at(0, 1, 0, -1), at(-inf, nan, nan)}},
      {"tan", {unary(tan, each([](Real x) { return std::tan(x); }), interval(-1.2, 1.2))}, {at(0, 0, 1, 0)}},
      {"asin",
       {unary(asin, each([](Real x) { return std::asin(x); }), inside)},
       {at(1, pi / 2, inf, inf), at(-1, -pi / 2, inf, -inf), at(1e-17, 1e-17, 1, 1e-17), at(1.5, nan, nan, nan)}},
      {"acos",
       {unary(acos, each([](Real x) { return std::acos(x); }), inside)},
       {at(1, 0, -inf, -inf), at(-1, pi, -inf, inf), at(1e-17, pi / 2, -1, -1e-17), at(-1.5, nan, nan, nan)}},
      {"atan",
       {unary(atan, each([](Real x) { return std::atan(x); }), interval(-4, 4))},
       {at(0, 0, 1, 0), at(inf, pi / 2, 0, 0), at(-inf, -pi / 2, 0, 0), in_f64(at(1e200, pi / 2, 0, 0))}},
      {"atan2",
       {binary(atan2, each([](Real y, Real x) { return std::atan2(y, x); }), around_zero(.3, 2), around_zero(.3, 2))},
       {at2(0, 0, 0, 0, 0), at2(0, -1, pi, -1, 0), at2(0, 1, 0, 1, 0), at2(1, 0, pi / 2, 0, -1),
        in_f64(at2(1e200, 1e200, pi / 4, 5e-201, -5e-201)), in_f64(at2(1e-200, 1e-200, pi / 4, 5e199, -5e199)),
        at2(1, inf, 0, 0, 0), at2(-inf, 2, -pi / 2, 0, 0), at2(inf, -inf, 3 * pi / 4, 0, 0),
        at2(nan, inf, nan, nan, nan)}},
      {"sinh", {unary(sinh, each([](Real x) { return std::sinh(x); }), signed_numbers)}, {at(0, 0, 1, 0)}},
      {"cosh", {unary(cosh, each([](Real x) { return std::cosh(x); }), signed_numbers)}, {at(0, 1, 0, 1)}},
      {"tanh",
       {unary(tanh, each([](Real x) { return std::tanh(x); }), signed_numbers)},
       {at(0, 0, 1, 0), at(1000, 1, 0, 0), at(-1000, -1, 0, 0), at(inf, 1, 0, 0), at(-inf, -1, 0, 0)}},
      {"erf",
       {unary(erf, each([](Real x) { return std::erf(x); }), signed_numbers)},
       {at(0, 0, 2 / std::sqrt(pi), 0), at(inf, 1, 0, 0), at(-inf, -1, 0, 0), at(1000, 1, 0, 0),
        at(nan, nan, nan, nan)}},
      {"erfc",
       {unary(erfc, each([](Real x) { return std::erfc(x); }), signed_numbers)},
       {at(0, 1, -2 / std::sqrt(pi), 0), at(inf, 0, 0, 0), at(-inf, 2, 0, 0), at(nan, nan, nan, nan)}},
  };
}

}  // namespace xgrad::op_table
