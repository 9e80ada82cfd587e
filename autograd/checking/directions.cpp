#include <autograd/checking/gradchecker.hpp>

namespace xgrad {

using namespace checking;

/// Compares along a direction through the flat elements [begin, end), in steps of each element's own size.
std::vector<Difference> Gradchecker::differences_along(const Comparison& c, const Numbers& direction, std::size_t begin,
                                                       std::size_t end) {
  Numbers taken(end - begin);
  const auto probe_at = [&](double factor, Numbers& y) {
    Numbers before(end - begin);
    for (std::size_t flat = begin; flat < end; ++flat) {
      const auto [input, i] = find(flat);
      const double here = get(probes_[input], i);
      before[flat - begin] = here;
      set(probes_[input], i, here + factor * step(here, tolerance_.single) * direction[flat]);
      if (std::fabs(factor) == 1) taken[flat - begin] += factor * 0.5 * get(probes_[input], i);
    }
    if (!probe(c.order, y) || y.size() != c.at.size()) y.assign(c.at.size(), std::numeric_limits<double>::quiet_NaN());
    for (std::size_t flat = begin; flat < end; ++flat) {
      const auto [input, i] = find(flat);
      set(probes_[input], i, before[flat - begin]);
    }
  };
  Numbers above, below, half_above, half_below;
  probe_at(1, above);
  probe_at(-1, below);
  probe_at(0.5, half_above);
  probe_at(-0.5, half_below);
  const double h = step(0, tolerance_.single);
  std::vector<Difference> result;
  for (std::size_t r = 0; r < c.rows.count; ++r) {
    double analytic = 0, scale = 0;
    for (std::size_t k = 0; k < taken.size(); ++k) {
      const double part = c.analytic[r][begin + k] * taken[k] / h;
      analytic += part;
      scale += part * part;
    }
    // The terms' 2-norm is as large as their random sum; the 1-norm would forgive sqrt(n) times as much.
    result.push_back(compare(analytic, c.rows.sample(r, below, c.at, above),
                             c.rows.sample(r, half_below, c.at, half_above), h, h / 2, std::sqrt(scale), tolerance_));
    result.back().analytic = analytic;
  }
  return result;
}

/// Three random sums of all outputs along three random directions through all inputs at once.
bool Gradchecker::check_directions(int order, const Tensors& ys) {
  std::vector<Difference> found;
  bool good = true;
  for (std::uint64_t k = 0; k < 3 && good; ++k) {
    Comparison c{order, {}, {}, {}};
    if (!probe(order, c.at)) scope_.fail<ValueError>("f threw in f64: ", thrown_);
    Gaussian draw(options_.seed + 101 * k + 7 * static_cast<std::uint64_t>(order));
    c.rows = {{Numbers(c.at.size())}, 1};
    for (double& w : c.rows.sums[0]) w = draw();
    c.analytic = {gradient(ys, c.rows.sums[0])};
    Numbers direction(c.analytic[0].size());
    for (double& u : direction) u = draw();
    found.push_back(differences_along(c, direction, 0, direction.size())[0]);
    good = found.back().verdict == Verdict::pass;
  }
  for (std::size_t k = 0; k < found.size() && good; ++k)
    record(order, -1, -1, -1 - static_cast<std::int64_t>(k), found[k].analytic, found[k]);
  return good;
}

}  // namespace xgrad
