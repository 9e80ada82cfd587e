// Compares derivatives with differences at ever smaller steps until they tell enough.
#include <algorithm>
#include <autograd/gradcheck/ladder.hpp>

namespace xgrad::checking {

namespace {

constexpr double ratio = 8;
constexpr std::size_t most_levels = 40;

}  // namespace

/// Takes the four points of a step, and settles the rows that agree.
void Ladder::take(double h, bool finer) {
  Numbers above, below, half_above, half_below;
  const double up = line_.move(h, above), down = line_.move(-h, below), half_up = line_.move(h / 2, half_above),
               half_down = line_.move(-h / 2, half_below);
  slopes_.emplace_back(line_.at.size());
  for (std::size_t o = 0; o < line_.at.size(); ++o)
    slopes_.back()[o] = (half_above[o] - half_below[o]) / (half_up - half_down);
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    Row& row = rows_[r];
    if (row.settled) continue;
    const Level level = compare(claims_[r], line_.rows.sample(r, below, line_.at, above),
                                line_.rows.sample(r, half_below, line_.at, half_above), (up - down) / 2,
                                (half_up - half_down) / 2, tolerance_, row.rounding);
    const auto where = finer ? row.levels.size() : 0;
    row.levels.insert(row.levels.begin() + static_cast<std::ptrdiff_t>(where), level);
    row.taken.insert(row.taken.begin() + static_cast<std::ptrdiff_t>(where), slopes_.size() - 1);
    row.settled = level.verdict == Verdict::pass;
    if (!row.settled) continue;
    row.decided = level;
    row.basis = slopes_.size() - 1;
  }
}

std::vector<Difference> Ladder::judge(const std::function<Rounding(std::size_t row)>& rounding) {
  const auto any = [&](auto&& wants) {
    bool some = false;
    for (std::size_t r = 0; r < rows_.size(); ++r) some |= !rows_[r].settled && wants(r);
    return some;
  };
  const double first = step(line_.size, tolerance_.single), widest = 0.3 * line_.size;
  take(first, true);
  if (rounding && any([](std::size_t) { return true; })) {
    for (std::size_t r = 0; r < rows_.size(); ++r)
      if (!rows_[r].settled) rows_[r].rounding = rounding(r);
    for (Row& row : rows_) {
      if (row.settled) continue;
      row.levels.clear();
      row.taken.clear();
    }
    slopes_.clear();
    take(first, true);
  }
  double h = first / ratio;
  for (std::size_t k = 1; k < most_levels && h >= line_.finest; ++k, h /= ratio) {
    if (!any([&](std::size_t r) { return wants_finer(r); })) break;
    take(h, true);
  }
  for (h = first * ratio; h <= widest && any([&](std::size_t r) { return wants_wider(r); }); h *= ratio) take(h, false);
  std::vector<Difference> result;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    if (!rows_[r].settled) decide(r);
    result.push_back(rows_[r].decided);
  }
  return result;
}

/// Whether a finer step can still see what this row differs by.
bool Ladder::wants_finer(std::size_t r) {
  Row& row = rows_[r];
  const Level& last = row.levels.back();
  // The edge of a domain is rarely closer to x than this.
  constexpr std::size_t few = 8;
  if (!last.finite)
    return row.levels.size() < few || last.step > line_.finest / std::sqrt(epsilon_of(tolerance_.single));
  const double jump = std::fabs(last.right - last.left);
  if (last.rounding > std::max({last.gap, jump, last.allowed}) / 8) return false;
  if (!last.moved) return row.levels.size() < 2;
  if (row.levels.size() < line_.patience || last.step > line_.near) return true;
  decide(r);
  return row.decided.verdict != Verdict::fail && row.decided.verdict != Verdict::kink;
}

/// Whether the steps so far are too small to see f move, and the widest is the best.
bool Ladder::wants_wider(std::size_t r) {
  Row& row = rows_[r];
  const Level& widest = row.levels.front();
  if (!widest.finite) return false;
  if (!widest.moved) return true;
  decide(r);
  if (row.decided.verdict == Verdict::fail || row.decided.verdict == Verdict::kink) return false;
  for (const Level& l : row.levels)
    if (l.smooth && l.moved && l.error < widest.error) return false;
  return widest.rounding > widest.error / 2 || !widest.smooth;
}

/// The finest level with a kink, if the function is smooth at none below it that would show it.
bool Ladder::is_kink(const Row& row, const Level*& kink) const {
  for (std::size_t k = row.levels.size(); k-- > 0;) {
    const Level& l = row.levels[k];
    if (!l.finite) continue;
    if (l.kinked) {
      const double jump = std::fabs(l.right - l.left);
      for (std::size_t finer = k + 1; finer < row.levels.size(); ++finer)
        if (row.levels[finer].finite && row.levels[finer].rounding * 16 < jump) return false;
      if (k == 0) return false;
      const Level& before = row.levels[k - 1];
      kink = &l;
      return before.kinked && std::fabs(before.left - l.left) <= jump / 4 &&
             std::fabs(before.right - l.right) <= jump / 4;
    }
  }
  return false;
}

void Ladder::decide(std::size_t r) {
  Row& row = rows_[r];
  const Claim& claim = claims_[r];
  const auto settle_on = [&](const Level& l, Verdict v) {
    row.decided = l;
    row.decided.verdict = v;
    row.basis = row.taken[static_cast<std::size_t>(&l - row.levels.data())];
  };
  const Level* best = nullptr;
  if (is_kink(row, best)) return settle_on(*best, best->verdict);
  best = nullptr;
  // Steps too small for f to move say nothing if it moves further out.
  const bool moves =
      std::any_of(row.levels.begin(), row.levels.end(), [](const Level& l) { return l.smooth && l.moved; });
  const Level* any = nullptr;
  for (const Level& l : row.levels) {
    if (!l.finite) continue;
    if (!any || l.error < any->error) any = &l;
    if (l.smooth && (l.moved || !moves) && (!best || l.error < best->error)) best = &l;
  }
  if (!any) {
    row.decided = row.levels.back();
    return;
  }
  if (best && !std::isfinite(claim.analytic)) return settle_on(*best, Verdict::fail);
  if (best && is_wrong(row, *best, moves)) return settle_on(*best, Verdict::fail);
  // Both are zero as far as their rounding can tell: that of the rule, and that of f over the widest step.
  const double epsilon = epsilon_of(tolerance_.single),
               terms = std::max(any->magnitude, row.rounding.output / epsilon) / line_.size;
  const bool zero =
      std::fabs(claim.analytic) <= std::max(row.rounding.analytic, 64 * epsilon * any->magnitude / line_.size) &&
      any->gap <= any->allowed + any->error && any->error <= tolerance_.atol * terms;
  if (zero) return settle_on(*any, Verdict::pass);
  settle_on(best ? *best : *any, Verdict::unreliable);
}

/// Whether the gap at the level with the least error is more than errors explain.
bool Ladder::is_wrong(const Row& row, const Level& best, bool moves) {
  const double gap = best.gap;
  if (!(gap > best.allowed + (best.error > best.allowed ? 8 : 1) * best.error)) return false;
  bool supported = false;
  for (const Level& l : row.levels) {
    if (&l == &best || !l.finite || (!l.moved && moves)) continue;
    // It moves as far over a finer step: what it does over this one is chance.
    if (!l.smooth && l.step < best.step && l.range > best.range / 4) return false;
    if (!l.smooth) continue;
    const double apart = std::fabs(l.numeric - best.numeric);
    supported |= apart <= gap / 4 && l.error <= std::max(gap / 4, l.allowed);
    if (l.step < best.step && l.rounding <= gap / 8 && apart > gap / 4 + 2 * l.error) return false;
  }
  return supported;
}

}  // namespace xgrad::checking
