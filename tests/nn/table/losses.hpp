#pragma once
#include <nn/losses.hpp>

#include "nn/table/check.hpp"

/// The table of losses. Each loss that nn/losses.hpp declares has one LossRow; check() drives it through everything
/// that holds for every loss.
namespace xgrad::nn_table {

/// One way to call a loss.
struct LossCase {
  std::string label;
  std::function<Tensor(const Tensors&, nn::Reduction)> f;
  Reference reference;                     // with Reduction::none
  std::vector<std::vector<Shape>> shapes;  // of prediction and target; among them batches of 0 and of 1
  std::vector<Domain> domains;
  std::function<Real(const std::vector<Values>&)> divisor = {};  // of the mean; the number of losses unless given
};

struct LossRow {
  std::string name;
  std::vector<LossCase> cases;
  std::vector<Bad> bad;
};

namespace detail {

inline void check_loss(const LossCase& c, const std::vector<Shape>& shapes, Findings& findings) {
  const Tensors drawn = draw(c.domains, shapes), other = draw(c.domains, shapes, 8);
  const std::string where = findings.where;
  for (const nn::Reduction reduction : {nn::Reduction::none, nn::Reduction::sum, nn::Reduction::mean}) {
    findings.where = where + (reduction == nn::Reduction::none  ? " none"
                              : reduction == nn::Reduction::sum ? " sum"
                                                                : " mean");
    const auto f = [&](const Tensors& x) { return c.f(x, reduction); };
    const std::vector<Values> numbers = values_of(drawn);
    Values want = c.reference(numbers);
    if (reduction != nn::Reduction::none) {
      Real total = 0;
      for (const Real loss : want.v) total += loss;
      const Real count = c.divisor ? c.divisor(numbers) : static_cast<Real>(want.v.size());
      want = Values(Shape{}, reduction == nn::Reduction::sum ? total : total / count);
    }
    const Tensor y = f(as(drawn, f64));
    findings.compare("value", Values(y), want, 1e-13);
    const Tensors wide = as(drawn, f64, true), narrow = as(drawn, f32, true);
    findings.compare("f32 value", Values(f(narrow)), want, 1e-5);
    Tensors leaves;
    for (const Tensor& t : narrow)
      if (t.requires_grad()) leaves.push_back(t);
    if (y.size() > 0 && std::isfinite(static_cast<double>(want.v[0]))) findings.check_gradients(f, wide);
    findings.check_capture([&] { return f(narrow); }, leaves, narrow, as(drawn, f32), as(other, f32));
  }
}

}  // namespace detail

/// Checks, for each case, shape and reduction: values in f64 and f32 against the reference, gradients of prediction and
/// target to order 2, captured against eager, and the messages.
inline Findings check(const LossRow& row) {
  Findings findings;
  for (const LossCase& c : row.cases) {
    bool none = false, one = false;
    for (const std::vector<Shape>& shapes : c.shapes) {
      findings.where = text(row.name, " [", c.label, "] ", shapes[0]);
      none |= shapes[0][0] == 0;
      one |= shapes[0][0] == 1;
      try {
        detail::check_loss(c, shapes, findings);
      } catch (const std::exception& e) {
        findings.expect(false, text("threw ", e.what()));
      }
    }
    findings.where = text(row.name, " [", c.label, "]");
    findings.expect(none && one, "is tried on no batch of 0 or of 1");
  }
  findings.where = row.name;
  findings.check_messages(row.bad);
  return findings;
}

}  // namespace xgrad::nn_table
