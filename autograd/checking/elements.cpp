#include <algorithm>
#include <autograd/checking/gradchecker.hpp>

namespace xgrad {

using namespace checking;

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

/// Where a flat element stands.
std::pair<std::size_t, std::int64_t> Gradchecker::find(std::size_t flat) const {
  std::size_t input = 0;
  for (;; ++input) {
    if (!is_floating(probes_[input].dtype())) continue;
    const auto size = static_cast<std::size_t>(probes_[input].size());
    if (flat < size) return {input, static_cast<std::int64_t>(flat)};
    flat -= size;
  }
}

void Gradchecker::check_elements(int order, const Tensors& ys, Rows rows) {
  Comparison c{order, std::move(rows), {}, {}};
  Numbers cotangent(values(ys).size());
  for (std::size_t r = 0; r < c.rows.count; ++r) {
    if (c.rows.sums.empty()) {
      cotangent[r] = 1;
      c.analytic.push_back(gradient(ys, cotangent));
      cotangent[r] = 0;
    } else {
      c.analytic.push_back(gradient(ys, c.rows.sums[r]));
    }
  }
  if (!probe(order, c.at)) scope_.fail<ValueError>("f threw in f64: ", thrown_);
  const std::size_t count = c.rows.count > 0 ? c.analytic[0].size() : 0, before = report_.entries_.size();
  if (c.rows.sums.empty()) {
    for (std::size_t flat = 0; flat < count; ++flat) check_element(c, flat);
  } else {
    search_elements(c, count);
  }
  bool zero_gradient = order > 1, moved = false;
  for (std::size_t i = before; i < report_.entries_.size(); ++i) {
    zero_gradient &= report_.entries_[i].analytic == 0;
    moved |= report_.entries_[i].verdict == Verdict::fail;
  }
  if (zero_gradient && moved)
    report_.problems_.push_back(
        text("the gradient of order ", order - 1,
             " has no graph although it is not constant: a rule is not written in ops, or detaches what it uses"));
}

/// Checks the elements of those ranges that do not pass along a random direction.
void Gradchecker::search_elements(const Comparison& c, std::size_t count) {
  constexpr std::int64_t enough = 300;  // failures, of which a hundred are shown
  constexpr std::size_t few = 8;
  Gaussian draw(options_.seed + 11);
  Numbers direction(count);
  for (double& u : direction) u = draw();
  std::vector<std::pair<std::size_t, std::size_t>> ranges{{0, count}};
  const std::int64_t failed = report_.count(Verdict::fail);
  while (!ranges.empty() && report_.count(Verdict::fail) - failed < enough) {
    const auto [begin, end] = ranges.back();
    ranges.pop_back();
    if (end - begin <= few) {
      for (std::size_t flat = begin; flat < end; ++flat) check_element(c, flat);
      continue;
    }
    const std::vector<Difference> found = differences_along(c, direction, begin, end);
    if (std::all_of(found.begin(), found.end(), [](const Difference& d) { return d.verdict == Verdict::pass; }))
      continue;
    const std::size_t middle = begin + (end - begin) / 2;
    ranges.emplace_back(middle, end);
    ranges.emplace_back(begin, middle);
  }
  report_.notes_.push_back(text("order ", c.order,
                                ": the elements shown are those of ranges that fail along a direction",
                                ranges.empty() ? "" : text(", up to ", enough, " failures")));
}

void Gradchecker::check_element(const Comparison& c, std::size_t flat) {
  const auto [input, i] = find(flat);
  const Tensor& x = probes_[input];
  const double here = get(x, i);
  const auto probe_at = [&, in = input, element = i](double value, Numbers& y) {
    set(x, element, value);
    const double taken = get(x, element);
    const bool good = probe(c.order, y);
    set(x, element, here);
    if (good && y.size() != c.at.size())
      scope_.fail<ValueError>("f's output has ", c.at.size(), " elements at the point and ", y.size(), " when element ",
                              element, " of input ", in, " moves");
    if (!good) y.assign(c.at.size(), std::numeric_limits<double>::quiet_NaN());
    return taken;
  };
  Numbers above, below, half_above, half_below;
  std::vector<Difference> best(c.rows.count);
  constexpr double shrink = 8;
  const int attempts = tolerance_.single ? 1 : 6;
  double h = step(here, tolerance_.single);
  for (int attempt = 0; attempt < attempts; ++attempt, h /= shrink) {
    const double right = probe_at(here + h, above), left = probe_at(here - h, below);
    const double near_right = probe_at(here + h / 2, half_above), near_left = probe_at(here - h / 2, half_below);
    bool settled = true;
    for (std::size_t r = 0; r < c.rows.count; ++r) {
      if (best[r].verdict == Verdict::pass) continue;
      const Difference d = compare(c.analytic[r][flat], c.rows.sample(r, below, c.at, above),
                                   c.rows.sample(r, half_below, c.at, half_above), (right - left) / 2,
                                   (near_right - near_left) / 2, 0, tolerance_);
      if (attempt == 0 || d.verdict == Verdict::pass || d.error < best[r].error) best[r] = d;
      settled &= best[r].verdict == Verdict::pass;
    }
    if (settled) break;
  }
  if (options_.stencil != Stencil::central) extrapolate(c, flat, here, probe_at, best);
  for (std::size_t r = 0; r < c.rows.count; ++r) {
    const auto output = static_cast<std::int64_t>(r);
    record(c.order, static_cast<int>(input), i, c.rows.sums.empty() ? output : -1 - output, c.analytic[r][flat],
           best[r]);
  }
}

/// Puts extrapolated differences in the place of those that are less sure.
template <class Probe>
void Gradchecker::extrapolate(const Comparison& c, std::size_t flat, double here, Probe&& probe_at,
                              std::vector<Difference>& best) const {
  const bool ridders = options_.stencil == Stencil::ridders;
  const double ratio = ridders ? 1.4 : 2, epsilon = tolerance_.single ? 1.2e-7 : 2.3e-16;
  double h = (ridders ? 0.1 : 1e-2) * std::max(1.0, std::fabs(here));
  std::vector<Extrapolation> tables(best.size(), Extrapolation(ratio));
  std::vector<bool> done(best.size());
  Numbers above, below;
  for (int k = 0; k < (ridders ? 10 : 4); ++k, h /= ratio) {
    const double right = probe_at(here + h, above), left = probe_at(here - h, below);
    for (std::size_t r = 0; r < best.size(); ++r) {
      const Sample s = c.rows.sample(r, below, c.at, above);
      const double difference = (s.above - s.below) / (right - left);
      if (!done[r] && std::isfinite(difference)) done[r] = !tables[r].add(difference, 2 * epsilon * s.magnitude / h);
    }
  }
  for (std::size_t r = 0; r < best.size(); ++r) {
    if (best[r].verdict == Verdict::kink || !(tables[r].error() < best[r].error)) continue;
    best[r].numeric = tables[r].value();
    best[r].error = tables[r].error();
    const double analytic = c.analytic[r][flat];
    settle(best[r], analytic,
           tolerance_.atol + tolerance_.rtol * std::max(std::fabs(analytic), std::fabs(best[r].numeric)));
  }
}

}  // namespace xgrad
