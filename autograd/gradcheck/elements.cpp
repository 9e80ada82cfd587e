// Compares gradients element by element.
#include <algorithm>
#include <autograd/gradcheck/ladder.hpp>

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
  if (element >= 0 && report_.shapes_[static_cast<std::size_t>(input)].size() <= mapped) {
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
    if (!checked_[input]) continue;
    const auto size = static_cast<std::size_t>(probes_[input].size());
    if (flat < size) return {input, static_cast<std::int64_t>(flat)};
    flat -= size;
  }
}

void Gradchecker::check_elements(int order, const Tensors& ys, Rows rows) {
  Comparison c{order, std::move(rows), {}, {}, {}};
  Noise noise;
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
  find_largest(c);
  const std::size_t count = c.rows.count > 0 ? c.analytic[0].size() : 0, before = report_.entries_.size();
  if (c.rows.sums.empty()) {
    for (std::size_t flat = 0; flat < count; ++flat) check_element(c, noise, flat);
  } else {
    search_elements(c, noise);
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

void Gradchecker::find_largest(Comparison& c) const {
  for (const Numbers& gradient : c.analytic) {
    c.largest.emplace_back(probes_.size());
    for (std::size_t flat = 0; flat < gradient.size(); ++flat) {
      double& largest = c.largest.back()[find(flat).first];
      if (std::isfinite(gradient[flat])) largest = std::max(largest, std::fabs(gradient[flat]));
    }
  }
}

/// Checks the elements of those ranges that do not pass along a random direction.
void Gradchecker::search_elements(const Comparison& c, Noise& noise) {
  constexpr std::int64_t enough = 300;  // that do not pass, of which a hundred are shown
  constexpr std::size_t few = 8;
  Gaussian draw(options_.seed + 11);
  Numbers direction(c.analytic[0].size());
  for (double& u : direction) u = draw();
  std::vector<std::pair<std::size_t, std::size_t>> ranges = inputs_in(direction.size());
  std::reverse(ranges.begin(), ranges.end());
  const auto unpassed = [&] { return report_.total() - report_.count(Verdict::pass); };
  const std::int64_t before = unpassed();
  while (!ranges.empty() && unpassed() - before < enough) {
    const auto [begin, end] = ranges.back();
    ranges.pop_back();
    if (end - begin <= few) {
      for (std::size_t flat = begin; flat < end; ++flat) check_element(c, noise, flat);
      continue;
    }
    const std::vector<Difference> found = differences_along(c, noise, direction, begin, end);
    if (std::all_of(found.begin(), found.end(), [](const Difference& d) { return d.verdict == Verdict::pass; }))
      continue;
    const std::size_t middle = begin + (end - begin) / 2;
    ranges.emplace_back(middle, end);
    ranges.emplace_back(begin, middle);
  }
  report_.notes_.push_back(text("order ", c.order,
                                ": the elements shown are those of ranges that do not pass along a direction",
                                ranges.empty() ? "" : text(", up to ", enough)));
}

void Gradchecker::check_element(const Comparison& c, Noise& noise, std::size_t flat) {
  const auto [input, i] = find(flat);
  const Tensor& x = probes_[input];
  const double here = get(x, i);
  const auto move = [&, in = input, element = i](double by, Numbers& y) {
    set(x, element, here + by);
    const double taken = get(x, element) - here;
    const bool good = probe(c.order, y);
    set(x, element, here);
    if (good && y.size() != c.at.size())
      scope_.fail<ValueError>("f's output has ", c.at.size(), " elements at the point and ", y.size(), " when element ",
                              element, " of input ", in, " moves");
    if (!good) y.assign(c.at.size(), std::numeric_limits<double>::quiet_NaN());
    return taken;
  };
  const double epsilon = epsilon_of(tolerance_.single);
  const Line line{c.rows,
                  c.at,
                  move,
                  std::max(1.0, std::fabs(here)),
                  near_step(here, largest_of(values({x})), tolerance_.single),
                  here == 0 ? epsilon : 8 * epsilon * std::fabs(here),
                  6};
  std::vector<Claim> claims;
  for (std::size_t r = 0; r < c.rows.count; ++r)
    claims.push_back({c.analytic[r][flat], 0, tolerance_.atol * c.largest[r][input]});
  std::vector<Difference> best = Ladder(line, claims, tolerance_).judge([&](std::size_t r) {
    Rounding rounding = rounding_of(c, noise, r);
    rounding.analytic = noise.gradients[r][flat];
    return rounding;
  });
  if (options_.stencil != Stencil::central) extrapolate(line, claims, best);
  for (std::size_t r = 0; r < c.rows.count; ++r) {
    const auto output = static_cast<std::int64_t>(r);
    record(c.order, static_cast<int>(input), i, c.rows.sums.empty() ? output : -1 - output, c.analytic[r][flat],
           best[r]);
  }
}

/// Puts extrapolated differences in the place of those that are less sure.
void Gradchecker::extrapolate(const Line& line, const std::vector<Claim>& claims, std::vector<Difference>& best) const {
  const bool ridders = options_.stencil == Stencil::ridders;
  const double ratio = ridders ? 1.4 : 2, epsilon = epsilon_of(tolerance_.single);
  double h = (ridders ? 0.1 : 1e-2) * line.size;
  std::vector<Extrapolation> tables(best.size(), Extrapolation(ratio));
  std::vector<bool> done(best.size());
  Numbers above, below;
  for (int k = 0; k < (ridders ? 10 : 4); ++k, h /= ratio) {
    const double right = line.move(h, above), left = line.move(-h, below);
    for (std::size_t r = 0; r < best.size(); ++r) {
      const Sample s = line.rows.sample(r, below, line.at, above);
      const double difference = (s.above - s.below) / (right - left);
      if (!done[r] && std::isfinite(difference)) done[r] = !tables[r].add(difference, 2 * epsilon * s.magnitude / h);
    }
  }
  for (std::size_t r = 0; r < best.size(); ++r) {
    if (best[r].verdict == Verdict::kink || !(tables[r].error() < best[r].error)) continue;
    best[r].numeric = tables[r].value();
    best[r].error = tables[r].error();
    const double analytic = claims[r].analytic;
    settle(best[r], std::fabs(analytic - best[r].numeric),
           claims[r].least + tolerance_.rtol * std::max(std::fabs(analytic), std::fabs(best[r].numeric)));
  }
}

}  // namespace xgrad
