#include <algorithm>
#include <autograd/checking/gradchecker.hpp>

namespace xgrad {

using namespace checking;

Sample Rows::sample(std::size_t row, const Numbers& below, const Numbers& at, const Numbers& above) const {
  if (sums.empty()) {
    return {below[row], at[row], above[row],
            std::max({std::fabs(below[row]), std::fabs(at[row]), std::fabs(above[row])})};
  }
  // Relative to f(x), so that outputs which do not move add no rounding.
  Sample s{0, 0, 0, 0};
  const Numbers& c = sums[row];
  for (std::size_t o = 0; o < at.size(); ++o) {
    if (below[o] == at[o] && above[o] == at[o]) continue;
    s.below += c[o] * (below[o] - at[o]);
    s.above += c[o] * (above[o] - at[o]);
    s.magnitude += std::fabs(c[o] * at[o]);
  }
  return s;
}

Difference checking::compare(double analytic, const Sample& whole, const Sample& half, double step, double half_step,
                             double scale, const Tolerance& tolerance) {
  Difference d;
  const double epsilon = tolerance.single ? 1.2e-7 : 2.3e-16;
  const double wide = (whole.above - whole.below) / (2 * step), narrow = (half.above - half.below) / (2 * half_step);
  if (!std::isfinite(wide) || !std::isfinite(narrow) || !std::isfinite(whole.at)) return d;
  d.numeric = narrow;
  // What does not move at all was not rounded differently, if it should not move either.
  const bool still = analytic == 0 && whole.above == whole.at && whole.below == whole.at;
  const double rounding = still ? 0 : 2 * epsilon * whole.magnitude / step;
  d.error = std::fabs(wide - narrow) + rounding;
  const double allowed = tolerance.atol + tolerance.rtol * std::max({std::fabs(analytic), std::fabs(narrow), scale});
  settle(d, analytic, allowed);
  // A smooth function's second difference over the step halves with the step; a kink's stays.
  d.left = (half.at - half.below) / half_step;
  d.right = (half.above - half.at) / half_step;
  const double jump = std::fabs(d.right - d.left);
  const double wide_jump = std::fabs((whole.above - whole.at) - (whole.at - whole.below)) / step;
  const bool kink = jump > 0.75 * wide_jump && jump > 1e-3 * (std::fabs(d.left) + std::fabs(d.right)) + 10 * allowed &&
                    jump > 16 * rounding;
  if (kink) {
    const bool between =
        analytic >= std::min(d.left, d.right) - allowed && analytic <= std::max(d.left, d.right) + allowed;
    d.verdict = between ? Verdict::kink : Verdict::fail;
  }
  return d;
}

void checking::settle(Difference& d, double analytic, double allowed) {
  const double gap = std::fabs(analytic - d.numeric);
  d.badness = std::isfinite(gap) ? gap / (allowed + d.error) : std::numeric_limits<double>::infinity();
  if (!std::isfinite(analytic)) {
    d.verdict = Verdict::fail;
  } else if (d.error > allowed) {
    d.verdict = Verdict::unreliable;
  } else {
    d.verdict = d.badness <= 1 ? Verdict::pass : Verdict::fail;
  }
}

}  // namespace xgrad
