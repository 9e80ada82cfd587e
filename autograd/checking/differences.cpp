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

namespace {

/// A central difference taken at ever smaller steps and extrapolated to 0 by Neville's scheme.
class Extrapolation {
 public:
  explicit Extrapolation(double ratio) : ratio_(ratio * ratio) {}
  /// Takes the difference at the next step; false once that makes it worse.
  bool add(double difference, double rounding) {
    Numbers row{difference};
    double power = ratio_;
    for (const double before : last_) {
      row.push_back((power * row.back() - before) / (power - 1));
      power *= ratio_;
      const double error =
          std::max(std::fabs(row.back() - row[row.size() - 2]), std::fabs(row.back() - before)) + rounding;
      if (!(error < error_)) continue;
      error_ = error;
      value_ = row.back();
    }
    const bool good = last_.empty() || !(std::fabs(row.back() - last_.back()) >= 2 * error_);
    last_ = std::move(row);
    return good;
  }
  double value() const { return value_; }
  double error() const { return error_; }

 private:
  double ratio_, value_ = 0, error_ = std::numeric_limits<double>::infinity();
  Numbers last_;
};

}  // namespace

void Gradchecker::record(int order, int input, std::int64_t element, std::int64_t output, double analytic,
                         const Difference& d) {
  ++report_.counts_[static_cast<int>(d.verdict)];
  constexpr std::int64_t mapped = 65536;
  if (input >= 0 && report_.shapes_[static_cast<std::size_t>(input)].size() <= mapped) {
    auto& maps = report_.maps_;
    if (maps.empty() || maps.back().order != order || maps.back().input != input) {
      const auto size = static_cast<std::size_t>(report_.shapes_[static_cast<std::size_t>(input)].size());
      maps.push_back({order, input, Numbers(size), std::vector<Verdict>(size)});
    }
    auto& [of_order, of_input, badness, verdicts] = maps.back();
    const auto at = static_cast<std::size_t>(element);
    if (d.verdict == Verdict::fail || verdicts[at] == Verdict::pass) verdicts[at] = d.verdict;
    if (std::isfinite(d.badness)) badness[at] = std::max(badness[at], d.badness);
    if (d.verdict == Verdict::fail) badness[at] = std::max(badness[at], 1.0);
  }
  report_.entries_.push_back(
      {d.verdict, order, input, element, output, analytic, d.numeric, d.error, d.badness, d.left, d.right});
}

void Gradchecker::check_elements(int order, const Tensors& ys, Rows rows) {
  std::vector<Numbers> analytic(rows.count);
  Numbers cotangent(values(ys).size());
  for (std::size_t r = 0; r < rows.count; ++r) {
    if (rows.sums.empty()) {
      cotangent[r] = 1;
      analytic[r] = gradient(ys, cotangent);
      cotangent[r] = 0;
    } else {
      analytic[r] = gradient(ys, rows.sums[r]);
    }
  }
  Numbers at, above, below, half_above, half_below;
  if (!probe(order, at)) scope_.fail<ValueError>("f threw in f64: ", thrown_);
  constexpr double shrink = 8;
  const int attempts = tolerance_.single ? 1 : 6;
  std::size_t flat = 0;
  bool zero_gradient = order > 1, moved = false;
  constexpr std::int64_t enough = 300;  // failures, of which a hundred are shown
  std::vector<Difference> best;
  for (std::size_t input = 0; input < probes_.size(); ++input) {
    const Tensor& x = probes_[input];
    if (!is_floating(x.dtype())) continue;
    for (std::int64_t i = 0; i < x.size(); ++i, ++flat) {
      if (!rows.sums.empty() && report_.count(Verdict::fail) >= enough) continue;
      const double here = get(x, i);
      const auto probe_at = [&](double value, Numbers& y) {
        set(x, i, value);
        const double taken = get(x, i);
        const bool good = probe(order, y);
        set(x, i, here);
        if (good && y.size() != at.size())
          scope_.fail<ValueError>("f's output has ", at.size(), " elements at the point and ", y.size(),
                                  " when element ", i, " of input ", input, " moves");
        if (!good) y.assign(at.size(), std::numeric_limits<double>::quiet_NaN());
        return taken;
      };
      best.assign(rows.count, {});
      double h = step(here, tolerance_.single);
      for (int attempt = 0; attempt < attempts; ++attempt, h /= shrink) {
        const double right = probe_at(here + h, above), left = probe_at(here - h, below);
        const double near_right = probe_at(here + h / 2, half_above), near_left = probe_at(here - h / 2, half_below);
        bool settled = true;
        for (std::size_t r = 0; r < rows.count; ++r) {
          if (best[r].verdict == Verdict::pass) continue;
          const Difference d =
              compare(analytic[r][flat], rows.sample(r, below, at, above), rows.sample(r, half_below, at, half_above),
                      (right - left) / 2, (near_right - near_left) / 2, 0, tolerance_);
          if (attempt == 0 || d.verdict == Verdict::pass || d.error < best[r].error) best[r] = d;
          settled &= best[r].verdict == Verdict::pass;
        }
        if (settled) break;
      }
      if (options_.stencil != Stencil::central) {
        const bool ridders = options_.stencil == Stencil::ridders;
        const double ratio = ridders ? 1.4 : 2, start = (ridders ? 0.1 : 1e-2) * std::max(1.0, std::fabs(here));
        std::vector<Extrapolation> tables(rows.count, Extrapolation(ratio));
        std::vector<bool> done(rows.count);
        double wide = start;
        for (int k = 0; k < (ridders ? 10 : 3); ++k, wide /= ratio) {
          const double right = probe_at(here + wide, above), left = probe_at(here - wide, below);
          for (std::size_t r = 0; r < rows.count; ++r) {
            const Sample s = rows.sample(r, below, at, above);
            const double difference = (s.above - s.below) / (right - left);
            if (done[r] || !std::isfinite(difference)) continue;
            const double epsilon = tolerance_.single ? 1.2e-7 : 2.3e-16;
            done[r] = !tables[r].add(difference, 2 * epsilon * s.magnitude / wide);
          }
        }
        for (std::size_t r = 0; r < rows.count; ++r) {
          if (best[r].verdict == Verdict::kink || !(tables[r].error() < best[r].error)) continue;
          best[r].numeric = tables[r].value();
          best[r].error = tables[r].error();
          settle(
              best[r], analytic[r][flat],
              tolerance_.atol + tolerance_.rtol * std::max(std::fabs(analytic[r][flat]), std::fabs(best[r].numeric)));
        }
      }
      for (std::size_t r = 0; r < rows.count; ++r) {
        const auto output = static_cast<std::int64_t>(r);
        record(order, static_cast<int>(input), i, rows.sums.empty() ? output : -1 - output, analytic[r][flat], best[r]);
        zero_gradient &= analytic[r][flat] == 0;
        moved |= best[r].verdict == Verdict::fail;
      }
    }
  }
  if (!rows.sums.empty() && report_.count(Verdict::fail) >= enough)
    report_.notes_.push_back(text("order ", order, ": not all elements are checked, since ", enough, " failed"));
  if (zero_gradient && moved)
    report_.problems_.push_back(
        text("the gradient of order ", order - 1,
             " has no graph although it is not constant: a rule is not written in ops, or detaches what it uses"));
}

/// Three random sums of all outputs along three random directions through all inputs at once.
bool Gradchecker::check_directions(int order, const Tensors& ys) {
  const std::size_t before = report_.entries_.size();
  std::int64_t counts[5];
  std::copy(std::begin(report_.counts_), std::end(report_.counts_), counts);
  const Tensors moving = floating(probes_, probes_.size());
  const Numbers here = values(moving);
  Numbers at, above, below, half_above, half_below, taken(here.size());
  if (!probe(order, at)) scope_.fail<ValueError>("f threw in f64: ", thrown_);
  bool good = true;
  for (std::uint64_t k = 0; k < 3; ++k) {
    Gaussian draw(options_.seed + 101 * k + 7 * static_cast<std::uint64_t>(order));
    Rows rows{{Numbers(at.size())}, 1};
    for (double& c : rows.sums[0]) c = draw();
    Numbers direction(here.size());
    for (double& u : direction) u = draw();
    const auto probe_at = [&](double factor, Numbers& y, Numbers* steps) {
      std::size_t flat = 0;
      for (const Tensor& t : moving) {
        for (std::int64_t i = 0; i < t.size(); ++i, ++flat) {
          set(t, i, here[flat] + factor * step(here[flat], tolerance_.single) * direction[flat]);
          if (steps) (*steps)[flat] += (factor > 0 ? 0.5 : -0.5) * get(t, i);
        }
      }
      if (!probe(order, y) || y.size() != at.size()) y.assign(at.size(), std::numeric_limits<double>::quiet_NaN());
    };
    std::fill(taken.begin(), taken.end(), 0.0);
    probe_at(1, above, &taken);
    probe_at(-1, below, &taken);
    probe_at(0.5, half_above, nullptr);
    probe_at(-0.5, half_below, nullptr);
    std::size_t flat = 0;
    for (const Tensor& t : moving)
      for (std::int64_t i = 0; i < t.size(); ++i) set(t, i, here[flat++]);
    const Numbers g = gradient(ys, rows.sums[0]);
    const double h = step(0, tolerance_.single);
    double analytic = 0, scale = 0;
    for (std::size_t i = 0; i < g.size(); ++i) {
      analytic += g[i] * taken[i] / h;
      scale += (g[i] * taken[i] / h) * (g[i] * taken[i] / h);
    }
    // The terms' 2-norm is as large as their random sum; the 1-norm would forgive sqrt(n) times as much.
    scale = std::sqrt(scale);
    const Difference d = compare(analytic, rows.sample(0, below, at, above), rows.sample(0, half_below, at, half_above),
                                 h, h / 2, scale, tolerance_);
    record(order, -1, -1, -1 - static_cast<std::int64_t>(k), analytic, d);
    good &= d.verdict == Verdict::pass;
  }
  if (!good) {
    report_.entries_.resize(before);
    std::copy(std::begin(counts), std::end(counts), report_.counts_);
  }
  return good;
}

}  // namespace xgrad
