// Looks for the ops that make a check fail: all at once, then the suspects one by one.
#include <algorithm>
#include <autograd/gradcheck/locator.hpp>
#include <autograd/ops/random_scope.hpp>

namespace xgrad {
namespace checking {

Locator::Locator(Gradchecker& checker, int order, std::size_t first)
    : checker_(checker),
      program_(checker, order),
      order_(order),
      first_(first),
      draw_(checker.options_.seed + 977 * static_cast<std::uint64_t>(order)),
      asked_(program_.ops().size()),
      suspect_(program_.ops().size()) {
  const Tolerance& t = checker.tolerance_;
  const GradcheckOptions& options = checker.options_;
  tolerance_ = {t.single ? t.rtol : options.rtol, t.single ? t.atol : options.atol, t.single};
}

std::size_t Locator::run(bool failed) {
  const std::size_t count = program_.ops().size();
  for (std::size_t i = first_; i < count; ++i) ask_rules(static_cast<int>(i));
  program_.visit_elsewhere(2e-3);
  ask_again();
  program_.run({});
  screen();
  const auto look = [&](bool at_suspects) {
    for (std::size_t i = first_; i < count; ++i) {
      if (suspect_[i] == at_suspects) {
        examine(static_cast<int>(i));
      } else if (at_suspects && asked_[i].wrong_edge >= 0) {
        blame_rule(static_cast<int>(i));
      }
    }
  };
  look(true);
  ask_forward();
  for (const Program::Cut& c : program_.cuts()) blame_return(c);
  // What is small beside an op's other derivatives does not show along a direction through all.
  if (failed && wrong.empty() && cut.empty()) look(false);
  const auto by_op = [](const GradcheckCulprit& a, const GradcheckCulprit& b) { return a.op_index < b.op_index; };
  std::stable_sort(wrong.begin(), wrong.end(), by_op);
  std::stable_sort(cut.begin(), cut.end(), by_op);
  if (program_.exhausted())
    checker_.report_.notes_.emplace_back("not every op was looked at: the program is too large");
  return count;
}

Numbers Locator::random(std::size_t n) {
  Numbers v(n);
  for (double& x : v) x = draw_();
  return v;
}

/// All ops at once: each result along a random direction through all that can move.
void Locator::screen() {
  for (int draw = 0; draw < 3; ++draw) {
    std::vector<Numbers> directions;
    std::vector<bool> frozen(program_.slots().size());
    for (const Program::Slot& slot : program_.slots()) {
      directions.push_back(slot.moves ? random(slot.numbers.size()) : Numbers());
      for (std::size_t x = 0; x < directions.back().size(); ++x)
        directions.back()[x] *= step(slot.numbers[x], tolerance_.single || slot.recorded.dtype() == f32);
    }
    const auto run = [&](double factor) {
      std::vector<Program::Moved> moved;
      for (std::size_t s = 0; s < directions.size(); ++s) {
        if (directions[s].empty() || frozen[s]) continue;
        moved.push_back({static_cast<int>(s), program_.slots()[s].numbers});
        for (std::size_t x = 0; x < directions[s].size(); ++x) moved.back().numbers[x] += factor * directions[s][x];
      }
      return program_.run(moved);
    };
    Program::Run above = run(1), below = run(-1), half_above = run(0.5), half_below = run(-0.5);
    // An op that refuses a moved input is looked at by itself; the others without it.
    for (int tries = 0; tries < 8; ++tries) {
      int threw = -1;
      for (const Program::Run* r : {&above, &below, &half_above, &half_below}) threw = std::max(threw, r->threw);
      if (threw < 0) break;
      for (const Program::Source& source : program_.op(threw).sources)
        if (source.slot >= 0) at(frozen, source.slot) = true;
      above = run(1), below = run(-1), half_above = run(0.5), half_below = run(-0.5);
    }
    const double h = step(0, tolerance_.single);
    for (std::size_t i = first_; i < program_.ops().size(); ++i) {
      const Op& op = program_.ops()[i];
      if (suspect_[i] || !program_.has_floating_result(op)) continue;
      for (const Program::Source& source : op.sources)
        if (source.slot >= 0 && at(frozen, source.slot)) suspect_[i] = true;
      const Numbers& here = program_.result(op).numbers;
      Rows rows{{random(here.size())}, 1};
      double analytic = 0, scale = 0;
      for (std::uint32_t e = 0; op.node && e < op.node->edge_count; ++e) {
        const Edge& edge = op.node->edges()[e];
        const int slot = program_.slot_of(edge);
        if (slot < 0 || at(directions, slot).empty() || at(frozen, slot)) continue;
        const Numbers g = program_.vjp(op, edge, rows.sums[0]);
        for (std::size_t x = 0; x < g.size(); ++x) {
          const double part = g[x] * at(directions, slot)[x] / h;
          analytic += part;
          scale += part * part;
        }
      }
      const auto &a = above.ops[i], &b = below.ops[i], &ha = half_above.ops[i], &hb = half_below.ops[i];
      if (a.numbers.empty() || b.numbers.empty() || ha.numbers.empty() || hb.numbers.empty()) {
        suspect_[i] = true;
        continue;
      }
      scale = std::sqrt(scale);
      const Difference d =
          compare({analytic, scale, tolerance_.atol * scale}, rows.sample(0, b.numbers, here, a.numbers),
                  rows.sample(0, hb.numbers, here, ha.numbers), h, h / 2, tolerance_);
      suspect_[i] = suspect_[i] || d.verdict != Verdict::pass || a.number_moved >= 0 || b.number_moved >= 0;
    }
  }
}

}  // namespace checking

using namespace checking;

void Gradchecker::locate(int order) {
  const bool failed = report_.count(Verdict::fail) > 0 || !report_.problems_.empty();
  std::vector<GradcheckCulprit> wrong, cut;
  try {
    const DetachedScope detached;
    const RandomScope random;
    Locator locator(*this, order, located_);
    located_ = locator.run(failed);
    wrong = std::move(locator.wrong);
    cut = std::move(locator.cut);
  } catch (const std::exception& e) {
    report_.notes_.push_back(text("order ", order, ": the ops were not looked at, since one threw: ", e.what()));
  }
  // Cuts are often meant: they are to blame if nothing else is.
  if (wrong.empty() && report_.culprits_.empty() && failed) wrong = std::move(cut);
  for (GradcheckCulprit& c : wrong) report_.culprits_.push_back(std::move(c));
}

}  // namespace xgrad
