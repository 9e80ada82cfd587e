// Compares gradients along random directions, and halves those that do not pass until elements are found.
#include <algorithm>
#include <autograd/gradcheck/ladder.hpp>

namespace xgrad {

using namespace checking;

/// Where each checked input lies among `count` flat elements.
std::vector<std::pair<std::size_t, std::size_t>> Gradchecker::inputs_in(std::size_t count) const {
  std::vector<std::pair<std::size_t, std::size_t>> ranges;
  for (std::size_t input = 0, begin = 0; input < probes_.size() && begin < count; ++input) {
    if (!checked_[input] || probes_[input].size() == 0) continue;
    const std::size_t end = begin + static_cast<std::size_t>(probes_[input].size());
    ranges.emplace_back(begin, end);
    begin = end;
  }
  return ranges;
}

/// Compares along a direction through the flat elements [begin, end), in steps of each element's own size.
std::vector<Difference> Gradchecker::differences_along(const Comparison& c, Noise& noise, const Numbers& direction,
                                                       std::size_t begin, std::size_t end) {
  const double h = step(0, tolerance_.single);
  Numbers before(end - begin), taken(end - begin);
  double rounds = 0;  // what rounding may make of a step, in the worst case
  for (std::size_t k = 0; k < taken.size(); ++k) {
    const auto [input, i] = find(begin + k);
    const Tensor& x = probes_[input];
    before[k] = get(x, i);
    const double by = step(before[k], tolerance_.single) * direction[begin + k];
    set(x, i, before[k] + by);
    taken[k] = get(x, i) / 2;
    set(x, i, before[k] - by);
    taken[k] -= get(x, i) / 2;
    set(x, i, before[k]);
    rounds =
        std::max(rounds, epsilon_of(tolerance_.single) * std::fabs(before[k]) / step(before[k], tolerance_.single));
  }
  const auto move = [&](double by, Numbers& y) {
    for (std::size_t k = 0; k < taken.size(); ++k) {
      const auto [input, i] = find(begin + k);
      set(probes_[input], i, before[k] + by / h * step(before[k], tolerance_.single) * direction[begin + k]);
    }
    if (!probe(c.order, y) || y.size() != c.at.size()) y.assign(c.at.size(), std::numeric_limits<double>::quiet_NaN());
    for (std::size_t k = 0; k < taken.size(); ++k) {
      const auto [input, i] = find(begin + k);
      set(probes_[input], i, before[k]);
    }
    return by;
  };
  const Line line{c.rows,
                  c.at,
                  move,
                  1,
                  near_step(0, largest_of(before), tolerance_.single),
                  h * std::max(20 * rounds / tolerance_.rtol, 1e-12),
                  3};
  std::vector<Claim> claims;
  for (std::size_t r = 0; r < c.rows.count; ++r) {
    Claim claim{0};
    for (std::size_t k = 0; k < taken.size(); ++k) {
      const double part = c.analytic[r][begin + k] * taken[k] / h;
      claim.analytic += part;
      claim.scale += part * part;
    }
    // The terms' 2-norm is as large as their random sum; the 1-norm would forgive sqrt(n) times as much.
    claim.scale = std::sqrt(claim.scale);
    claim.least = tolerance_.atol * claim.scale;
    claims.push_back(claim);
  }
  std::vector<Difference> result = Ladder(line, claims, tolerance_).judge([&](std::size_t r) {
    Rounding rounding = rounding_of(c, noise, r);
    for (std::size_t k = 0; k < taken.size(); ++k)
      rounding.analytic = std::hypot(rounding.analytic, noise.gradients[r][begin + k] * taken[k] / h);
    return rounding;
  });
  for (std::size_t r = 0; r < c.rows.count; ++r) result[r].analytic = claims[r].analytic;
  return result;
}

/// Three random sums of all outputs, each along a random direction through every input.
bool Gradchecker::check_directions(int order, const Tensors& ys) {
  std::vector<std::pair<int, Difference>> found;
  std::vector<std::int64_t> sums;
  for (std::uint64_t k = 0; k < 3; ++k) {
    Comparison c{order, {}, {}, {}, {}};
    Noise noise;
    if (!probe(order, c.at)) scope_.fail<ValueError>("f threw in f64: ", thrown_);
    Gaussian draw(options_.seed + 101 * k + 7 * static_cast<std::uint64_t>(order));
    c.rows = {{Numbers(c.at.size())}, 1};
    for (double& w : c.rows.sums[0]) w = draw();
    c.analytic = {gradient(ys, c.rows.sums[0])};
    Numbers direction(c.analytic[0].size());
    for (double& u : direction) u = draw();
    for (const auto& [begin, end] : inputs_in(direction.size())) {
      found.emplace_back(static_cast<int>(find(begin).first), differences_along(c, noise, direction, begin, end)[0]);
      sums.push_back(-1 - static_cast<std::int64_t>(k));
      if (found.back().second.verdict != Verdict::pass) return false;
    }
  }
  for (std::size_t k = 0; k < found.size(); ++k)
    record(order, found[k].first, -1, sums[k], found[k].second.analytic, found[k].second);
  return true;
}

}  // namespace xgrad
