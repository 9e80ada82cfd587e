// Checks what must hold of an op's rules whatever its derivative is.
#include <algorithm>
#include <autograd/gradcheck/locator.hpp>

namespace xgrad::checking {

/// What must hold of a rule whatever the derivative is.
void Locator::ask_rules(int i) {
  const Op& op = program_.op(i);
  Asked& asked = at(asked_, i);
  if (!op.node || !program_.has_floating_result(op)) return;
  const std::size_t m = program_.result(op).numbers.size();
  asked.cotangent = random(m);
  const Numbers zero(m), other = random(m);
  Numbers mixed(m);
  for (std::size_t o = 0; o < m; ++o) mixed[o] = asked.cotangent[o] - 2 * other[o];
  for (std::uint32_t e = 0; e < op.node->edge_count; ++e) {
    const Edge& edge = op.node->edges()[e];
    asked.gradients.push_back(program_.vjp(op, edge, asked.cotangent));
    const Numbers &g = asked.gradients.back(), again = program_.vjp(op, edge, asked.cotangent);
    if (asked.wrong_edge >= 0) continue;
    const auto wrong_if = [&](const char* pattern, const char* hint, auto&& is) {
      for (std::size_t x = 0; x < g.size() && asked.wrong_edge < 0; ++x) {
        if (!is(x)) continue;
        asked.wrong_edge = static_cast<int>(e);
        asked.pattern = pattern;
        asked.hint = hint;
        asked.element = static_cast<std::int64_t>(x);
      }
    };
    if (!same_bits(g, again)) {
      wrong_if("jitter", "the rule gives other numbers when it is called again",
               [&](std::size_t x) { return !same_bits({g[x]}, {again[x]}); });
      continue;
    }
    const Numbers of_zero = program_.vjp(op, edge, zero), of_other = program_.vjp(op, edge, other),
                  of_mixed = program_.vjp(op, edge, mixed);
    double largest = 0;
    bool finite = true;
    for (std::size_t x = 0; x < g.size(); ++x) {
      largest = std::max({largest, std::fabs(g[x]), std::fabs(of_other[x])});
      finite &= std::isfinite(g[x]) && std::isfinite(of_other[x]);
    }
    if (!finite) continue;
    const int from = program_.slot_of(edge);
    const bool narrow = from >= 0 && is_single(from, i);
    const double allowed = (narrow ? 1e-4 : 1e-12) * largest;
    wrong_if("not linear", "a zero cotangent does not give zero", [&](std::size_t x) { return of_zero[x] != 0; });
    wrong_if("not linear", "the vjp of a sum of cotangents is not the sum of their vjps",
             [&](std::size_t x) { return !(std::fabs(of_mixed[x] - (g[x] - 2 * of_other[x])) <= allowed); });
  }
}

/// After f has run elsewhere, a rule must still give what it gave.
void Locator::ask_again() {
  for (std::size_t i = first_; i < program_.ops().size(); ++i) {
    Asked& asked = asked_[i];
    if (asked.wrong_edge >= 0) continue;
    for (std::size_t e = 0; e < asked.gradients.size() && asked.wrong_edge < 0; ++e) {
      const Op& op = program_.ops()[i];
      const Numbers again = program_.vjp(op, op.node->edges()[e], asked.cotangent);
      const Numbers& g = asked.gradients[e];
      for (std::size_t x = 0; x < g.size() && asked.wrong_edge < 0; ++x) {
        if (same_bits({g[x]}, {again[x]})) continue;
        asked.wrong_edge = static_cast<int>(e);
        asked.element = static_cast<std::int64_t>(x);
        asked.pattern = "stale";
        asked.hint = "the rule uses a saved value that later calls overwrite";
      }
    }
  }
}

/// An op that computes something else from the same numbers.
void Locator::ask_forward() {
  const Program::Run run = program_.run({}, true);
  for (std::size_t i = first_; i < run.ops.size(); ++i) {
    const Numbers &then = program_.result(program_.ops()[i]).numbers, &now = run.ops[i].numbers;
    if (now.empty() || same_bits(then, now)) continue;
    GradcheckCulprit found = culprit(static_cast<int>(i), -1);
    found.pattern = "jitter";
    found.hint = "the op computes other numbers when f runs again";
    for (std::size_t o = 0; o < now.size(); ++o) {
      if (same_bits({then[o]}, {now[o]})) continue;
      found.output = static_cast<std::int64_t>(o);
      break;
    }
    found.analytic = found.numeric = found.error = found.left = found.right = std::numeric_limits<double>::quiet_NaN();
    wrong.push_back(std::move(found));
    return;
  }
}

void Locator::blame_rule(int i) {
  const Asked& asked = at(asked_, i);
  GradcheckCulprit found = culprit(i, static_cast<int>(program_.op(i).node->edges()[asked.wrong_edge].argument));
  found.element = asked.element;
  found.pattern = asked.pattern;
  found.hint = asked.hint;
  found.analytic = at(asked.gradients[static_cast<std::size_t>(asked.wrong_edge)], asked.element);
  found.numeric = found.error = found.left = found.right = std::numeric_limits<double>::quiet_NaN();
  wrong.push_back(std::move(found));
}

/// A rule that returned its result without the history: which element moves most with what it depends on?
void Locator::blame_return(const Program::Cut& c) {
  const int maker = program_.op_of(c.slot);
  GradcheckCulprit found = culprit(c.rule_of, c.argument);
  found.numeric = 1;
  found.element = 0;
  if (maker >= 0) {
    found.numeric = 0;
    for (const Program::Source& source : program_.op(maker).sources) {
      if (source.slot < 0 || !slot(source.slot).moves) continue;
      const Numbers along = direction({maker, source.slot, {}, -1});
      const auto end = static_cast<std::int64_t>(along.size());
      const Program::Run up = move(source.slot, 0, end, along, 1), down = move(source.slot, 0, end, along, -1);
      const Numbers &above = at(up.ops, maker).numbers, &below = at(down.ops, maker).numbers;
      for (std::size_t o = 0; o < std::min(above.size(), below.size()); ++o) {
        const double slope = (above[o] - below[o]) / (2 * step(0, tolerance_.single));
        if (!(std::fabs(slope) > std::fabs(found.numeric))) continue;
        found.numeric = slope;
        found.element = static_cast<std::int64_t>(o);
      }
    }
  }
  found.left = found.right = found.numeric;
  found.pattern = "detached";
  if (found.numeric != 0) add_cut(std::move(found), c.rule_of, c.argument);
}

}  // namespace xgrad::checking
