#include <algorithm>
#include <cmath>
#include <optim/optimizers/line_search.hpp>

namespace xgrad::optim::detail {
namespace {

/// Where the cubic through both points with their slopes is lowest, or their middle, within [low, high] (Nocedal and
/// Wright, formula 3.59).
double lowest_of_cubic(const LinePoint& a, const LinePoint& b, double low, double high) {
  const double mean = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t);
  const double root = std::copysign(std::sqrt(mean * mean - a.slope * b.slope), b.t - a.t);
  const double t = b.t - (b.t - a.t) * (b.slope + root - mean) / (b.slope - a.slope + 2 * root);
  return std::isfinite(t) ? std::clamp(t, low, high) : (low + high) / 2;
}

}  // namespace

LinePoint strong_wolfe(const std::function<LinePoint(double t)>& evaluate, const LinePoint& start, double first,
                       double narrow) {
  int left = 25;
  const auto try_at = [&](double t) {
    --left;
    return evaluate(t);
  };
  const auto high = [&](const LinePoint& p) { return !(p.loss <= start.loss + 1e-4 * p.t * start.slope); };  // or NaN
  const auto flat = [&](const LinePoint& p) { return std::abs(p.slope) <= -0.9 * start.slope; };

  // Further and further, until a minimum lies between `best` and `other`.
  LinePoint best = start, other = try_at(first);
  for (bool again = false; !high(other) && !(again && other.loss >= best.loss); again = true) {
    if (flat(other)) return other;
    if (other.slope >= 0) {
      std::swap(best, other);
      break;
    }
    if (left == 0) return other;
    const double t = lowest_of_cubic(best, other, other.t + 0.01 * (other.t - best.t), 10 * other.t);
    best = std::exchange(other, try_at(t));
  }

  // Closer and closer: `best` is the lowest point that is low enough, and its slope leads towards `other`.
  bool at_the_edge = false;
  while (left > 0 && std::abs(best.t - other.t) >= narrow) {
    const auto [low, high_end] = std::minmax(best.t, other.t);
    double t = lowest_of_cubic(best, other, low, high_end);
    const double margin = 0.1 * (high_end - low);
    const bool close = std::min(high_end - t, t - low) < margin;
    // A second time in a row, or at the end itself, would make no progress.
    const bool moved = close && (at_the_edge || t <= low || t >= high_end);
    if (moved) t = high_end - t < t - low ? high_end - margin : low + margin;
    at_the_edge = close && !moved;
    LinePoint p = try_at(t);
    if (high(p) || p.loss >= best.loss) {
      other = std::move(p);
      continue;
    }
    if (flat(p)) return p;
    if (p.slope * (other.t - best.t) >= 0) other = best;
    best = std::move(p);
  }
  return best;
}

}  // namespace xgrad::optim::detail
