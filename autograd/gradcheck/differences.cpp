// Compares one analytic derivative with differences at one step, and judges.
#include <algorithm>
#include <autograd/gradcheck/gradchecker.hpp>

namespace xgrad {

using namespace checking;

Sample Rows::sample(std::size_t row, const Numbers& below, const Numbers& at, const Numbers& above) const {
  if (sums.empty()) {
    return {below[row], at[row], above[row],
            std::max({std::fabs(below[row]), std::fabs(at[row]), std::fabs(above[row])})};
  }
  // Relative to f(x), so that what does not move adds nothing. Outputs round independently of each other.
  Sample s{0, 0, 0, 0};
  const Numbers& c = sums[row];
  for (std::size_t o = 0; o < at.size(); ++o) {
    s.below += c[o] * (below[o] - at[o]);
    s.above += c[o] * (above[o] - at[o]);
    const double largest = c[o] * std::max({std::fabs(below[o]), std::fabs(at[o]), std::fabs(above[o])});
    s.magnitude += largest * largest;
  }
  s.magnitude = std::sqrt(s.magnitude);
  return s;
}

double Rows::spread(std::size_t row, const Numbers& outputs) const {
  if (sums.empty()) return outputs[row];
  double square = 0;
  for (std::size_t o = 0; o < outputs.size(); ++o) square += sums[row][o] * outputs[o] * sums[row][o] * outputs[o];
  return std::sqrt(square);
}

Level checking::compare(const Claim& claim, const Sample& whole, const Sample& half, double step, double half_step,
                        const Tolerance& tolerance, const Rounding& rounding) {
  Level d;
  d.step = step;
  d.magnitude = whole.magnitude;
  const double wide = (whole.above - whole.below) / (2 * step), narrow = (half.above - half.below) / (2 * half_step);
  if (!std::isfinite(wide) || !std::isfinite(narrow) || !std::isfinite(whole.at)) return d;
  d.finite = true;
  d.numeric = narrow;
  const double up = whole.above - whole.at, down = whole.below - whole.at, half_up = half.above - whole.at,
               half_down = half.below - whole.at;
  d.range = std::max({std::fabs(up), std::fabs(down), std::fabs(half_up), std::fabs(half_down)});
  d.moved = d.range > 0;
  // Third and fourth differences, which vanish with the step on a smooth curve.
  const double odd = up - 2 * half_up + 2 * half_down - down, even = up - 4 * half_up - 4 * half_down + down;
  d.smooth = std::max(std::fabs(odd), std::fabs(even)) <= d.range / 8;
  // What does not move at all was not rounded differently, if it should not move either.
  const bool still = claim.analytic == 0 && !d.moved;
  d.rounding =
      still ? 0 : std::max(2 * epsilon_of(tolerance.single) * whole.magnitude, rounding.output) / std::fabs(step);
  d.error = std::fabs(wide - narrow) + d.rounding + rounding.analytic;
  d.allowed = claim.least + tolerance.rtol * std::max({std::fabs(claim.analytic), std::fabs(narrow), claim.scale});
  d.gap = std::fabs(claim.analytic - narrow);
  settle(d, d.gap, d.allowed);
  // A smooth function's second difference over the step halves with the step; a kink's stays.
  d.left = (half.at - half.below) / half_step;
  d.right = (half.above - half.at) / half_step;
  const double jump = std::fabs(d.right - d.left);
  const double wide_jump = std::fabs((whole.above - whole.at) - (whole.at - whole.below)) / step;
  if (jump > 0.75 * wide_jump && jump > 1e-3 * (std::fabs(d.left) + std::fabs(d.right)) + 10 * d.allowed &&
      jump > 16 * d.rounding) {
    const bool between = claim.analytic >= std::min(d.left, d.right) - d.allowed &&
                         claim.analytic <= std::max(d.left, d.right) + d.allowed;
    d.verdict = between ? Verdict::kink : Verdict::fail;
    d.kinked = true;
  }
  return d;
}

void checking::settle(Difference& d, double gap, double allowed) {
  d.badness = gap == 0             ? 0
              : std::isfinite(gap) ? std::fabs(gap) / (allowed + d.error)
                                   : std::numeric_limits<double>::infinity();
  if (!std::isfinite(gap)) {
    d.verdict = Verdict::fail;
  } else if (d.error > allowed) {
    d.verdict = Verdict::unreliable;
  } else {
    d.verdict = d.badness <= 1 ? Verdict::pass : Verdict::fail;
  }
}

}  // namespace xgrad
