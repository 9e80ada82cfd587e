// Chooses the numbers that stand along an axis, and writes them.
#include <algorithm>
#include <autograd/error.hpp>
#include <autograd/picture/scale.hpp>
#include <autograd/support/markup.hpp>
#include <cmath>

namespace xgrad::detail {
namespace {

constexpr double rounding = 1e-9;  // of a step: an axis that was computed to end at a tick has that tick

/// Multiples of the largest of 1, 2 and 5 times a power of ten that gives at least four steps.
std::vector<double> even_ticks(const Scale& scale) {
  const double power = std::pow(10, std::floor(std::log10(scale.half() / 2))), ratio = scale.half() / 2 / power;
  const double step = power * (ratio >= 5 ? 5 : ratio >= 2 ? 2 : 1);
  std::vector<double> found;
  for (double k = std::ceil(scale.low / step - rounding);  // counted: a sum of steps misses 0 by its rounding
       std::isfinite(k * step) && k * step <= scale.high + rounding * step && found.size() < 20; ++k)
    found.push_back(k * step);
  return found;
}

/// Powers of ten; twice and five times these too where there would be no more than two.
std::vector<double> powers_of_ten(const Scale& scale) {
  const double width = scale.high - scale.low;
  if (width >= 4) return even_ticks(scale);  // whole numbers
  std::vector<double> found;
  for (double power = std::floor(scale.low + rounding); power <= scale.high + rounding; ++power)
    for (const double factor : {1., 2., 5.}) {
      const double v = power + std::log10(factor);
      if (v >= scale.low - rounding && v <= scale.high + rounding && (factor == 1 || width < 2)) found.push_back(v);
    }
  return found;
}

}  // namespace

std::vector<double> Scale::ticks() const { return logarithmic ? powers_of_ten(*this) : even_ticks(*this); }

std::string Scale::label(double tick, const std::vector<double>& ticks) const {
  if (logarithmic) return brief(std::pow(10, tick));
  const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : 1;
  const double largest = std::max(std::abs(ticks.front()), std::abs(ticks.back()));
  if (largest >= 1e6) return brief(tick);
  int digits = 0;
  for (double s = step; s < 0.9999 && digits < 4; s *= 10) ++digits;
  return text(tick < 0 ? "−" : "", fixed(std::abs(tick), digits));
}

}  // namespace xgrad::detail
