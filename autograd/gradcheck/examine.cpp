// Compares one op's rules with differences of that op alone.
#include <algorithm>
#include <autograd/gradcheck/ladder.hpp>
#include <autograd/gradcheck/locator.hpp>
#include <autograd/gradcheck/rounding.hpp>

namespace xgrad::checking {

namespace {

constexpr std::int64_t full_block = 256;       // elements of an input up to which every one is moved
constexpr std::int64_t unit_rows = 64;         // elements of an output up to which each is compared by itself
constexpr std::size_t sums = 2;                // random ones, which stand before the outputs by themselves
constexpr std::size_t most_numbers = 1 << 21;  // of a numeric Jacobian

}  // namespace

void Locator::examine(int i) {
  const Op& op = program_.op(i);
  const std::size_t before = wrong.size() + cut.size();
  std::vector<int> known;
  for (std::size_t a = 0; a < op.sources.size(); ++a) {
    const Program::Source& source = op.sources[a];
    if (source.slot < 0 || !slot(source.slot).moves) continue;
    if (std::find(known.begin(), known.end(), source.slot) != known.end()) continue;
    known.push_back(source.slot);
    Target target{i, source.slot, {}, static_cast<int>(a)};
    for (std::size_t b = a; b < op.sources.size(); ++b) {
      if (op.sources[b].slot != source.slot) continue;
      target.connected |= op.sources[b].connected;
      if (!op.sources[b].connected) target.cut = static_cast<int>(b);
    }
    for (std::uint32_t e = 0; op.node && e < op.node->edge_count; ++e)
      if (program_.slot_of(op.node->edges()[e]) == source.slot) target.edges.push_back(e);
    examine(target);
  }
  if (wrong.size() + cut.size() > before) return;
  if (at(asked_, i).wrong_edge >= 0) return blame_rule(i);
  // What the op reads, but is not given.
  for (std::size_t s = 0; s < program_.slots().size(); ++s) {
    const int other = static_cast<int>(s);
    if (!slot(other).moves || program_.is_cut(other) || other == op.slot || program_.exhausted()) continue;
    if (std::find(known.begin(), known.end(), other) != known.end()) continue;
    Program::Moved moved{other, slot(other).numbers};
    for (double& x : moved.numbers) x += step(x, is_single(other, i));
    const Program::Run run = program_.run({moved});
    const Numbers& seen = at(run.ops, i).numbers;
    if (!seen.empty() && !same_bits(seen, program_.result(op).numbers)) examine(Target{i, other, {}, -1});
    if (wrong.size() + cut.size() > before) return;
  }
}

void Locator::examine(const Target& target) {
  const Op& op = program_.op(target.op);
  const Numbers& here = program_.result(op).numbers;
  const auto n = static_cast<std::int64_t>(slot(target.slot).numbers.size());
  const auto m = static_cast<std::int64_t>(here.size());
  if (m == 0 || program_.exhausted()) return;
  Compared compared{{{random(here.size()), random(here.size())}, sums}, {}, {}};
  Rows& rows = compared.rows;
  if (m <= unit_rows) {
    for (std::int64_t o = 0; o < m; ++o) {
      rows.sums.emplace_back(here.size());
      at(rows.sums.back(), o) = 1;
    }
    rows.count += here.size();
  }
  for (const Numbers& v : rows.sums) compared.analytic.push_back(vjp(target, v));
  compared.rounding.resize(rows.count);

  std::vector<std::int64_t> elements;
  const bool all = n <= full_block && static_cast<std::size_t>(n * m) <= most_numbers;
  if (all) {
    for (std::int64_t e = 0; e < n; ++e) elements.push_back(e);
  } else {
    const std::int64_t found = halve(target, compared);
    if (found < 0) return;
    elements = sample(target, found, most_numbers / here.size());
  }
  std::vector<Column> columns;
  for (const std::int64_t e : elements) columns.push_back(column(target, compared, e));
  std::size_t worst = columns.size();
  int failed = 0;
  for (std::size_t s = 0; s < columns.size(); ++s) {
    if (!columns[s].failed) continue;
    ++failed;
    if (worst == columns.size() || columns[s].worst.badness > columns[worst].worst.badness) worst = s;
  }
  if (failed == 0) return;
  if (columns[worst].output < 0) find_output(target, columns[worst]);
  bool alone = failed == 1;
  if (alone && !all) {
    const std::int64_t e = columns[worst].element;
    const Numbers along = direction(target);
    alone = judge(target, compared, along, 0, e) != Verdict::fail &&
            judge(target, compared, along, e + 1, n) != Verdict::fail;
  }
  blame(target, compared, columns, columns[worst], alone);
}

Numbers Locator::direction(const Target& target) {
  const Numbers& x = slot(target.slot).numbers;
  Numbers along = random(x.size());
  for (std::size_t e = 0; e < x.size(); ++e) along[e] *= step(x[e], is_single(target.slot, target.op));
  return along;
}

/// A wrong element of a large input, by halving what does not pass; -1 for none.
std::int64_t Locator::halve(const Target& target, Compared& compared) {
  const Numbers along = direction(target);
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges{{0, static_cast<std::int64_t>(along.size())}};
  for (int tries = 0; tries < 1000 && !ranges.empty(); ++tries) {
    const auto [begin, end] = ranges.back();
    ranges.pop_back();
    const Verdict v = judge(target, compared, along, begin, end);
    if (v == Verdict::pass) continue;
    if (end - begin == 1) {
      if (v == Verdict::fail) return begin;
      continue;
    }
    const std::int64_t middle = begin + (end - begin) / 2;
    ranges.emplace_back(middle, end);
    ranges.emplace_back(begin, middle);
  }
  return -1;
}

/// Compares along a direction through elements [begin, end): the worst verdict of all rows.
Verdict Locator::judge(const Target& target, Compared& compared, const Numbers& along, std::int64_t begin,
                       std::int64_t end) {
  if (begin == end) return Verdict::pass;
  const Numbers& here = program_.result(program_.op(target.op)).numbers;
  const Tolerance tolerance = tolerance_of(target);
  const double h = step(0, tolerance.single);
  const auto by_step = [&](double by, Numbers& y) {
    const Program::Run run = move(target.slot, begin, end, along, by / h);
    y = at(run.ops, target.op).numbers;
    if (y.empty()) y.assign(here.size(), std::numeric_limits<double>::quiet_NaN());
    return by;
  };
  const Line line{compared.rows, here, by_step, 1, h, h * 1e-4, 3};
  std::vector<Claim> claims;
  for (const Numbers& analytic : compared.analytic) {
    Claim claim{0};
    for (std::int64_t x = begin; x < end; ++x) {
      const double part = at(analytic, x) * at(along, x) / h;
      claim.analytic += part;
      claim.scale += part * part;
    }
    claim.scale = std::sqrt(claim.scale);
    claim.least = tolerance.atol * claim.scale;
    claims.push_back(claim);
  }
  const auto rounding = [&](std::size_t r) {
    Rounding of{rounding_of(target, compared, r), 0};
    const Numbers& apart = rounding_of_vjp(target, compared, r);
    for (std::int64_t x = begin; x < end; ++x) of.analytic = std::hypot(of.analytic, at(apart, x) * at(along, x) / h);
    return of;
  };
  Verdict worst = Verdict::pass;
  for (const Difference& d : Ladder(line, claims, tolerance).judge(rounding)) {
    if (d.verdict == Verdict::fail) return d.verdict;
    if (d.verdict != Verdict::pass) worst = d.verdict;
  }
  return worst;
}

Locator::Column Locator::column(const Target& target, Compared& compared, std::int64_t element) {
  const Numbers& here = program_.result(program_.op(target.op)).numbers;
  const double x = at(slot(target.slot).numbers, element);
  const std::vector<Numbers>& analytic = compared.analytic;
  const Tolerance tolerance = tolerance_of(target);
  const bool rounded = slot(target.slot).recorded.dtype() == f32;
  Column c{.element = element, .slopes = {}, .errors = {}, .worst = {}};
  const auto by_step = [&](double by, Numbers& y) {
    const Numbers step_of(static_cast<std::size_t>(element) + 1, by);
    const Program::Run run = move(target.slot, element, element + 1, step_of, 1);
    y = at(run.ops, target.op).numbers;
    c.number_moved = std::max(c.number_moved, at(run.ops, target.op).number_moved);
    if (y.empty()) y.assign(here.size(), std::numeric_limits<double>::quiet_NaN());
    const double to = x + by;
    return (rounded ? static_cast<double>(static_cast<float>(to)) : to) - x;
  };
  const double bit = epsilon_of(rounded);
  const Line line{compared.rows,
                  here,
                  by_step,
                  std::max(1.0, std::fabs(x)),
                  near_step(x, largest_of(slot(target.slot).numbers), tolerance.single),
                  x == 0 ? bit : 8 * bit * std::fabs(x),
                  3};
  std::vector<Claim> claims;
  for (const Numbers& row : analytic) {
    double largest = 0;
    for (const double a : row)
      if (std::isfinite(a)) largest = std::max(largest, std::fabs(a));
    claims.push_back({at(row, element), 0, tolerance.atol * largest});
  }
  Ladder ladder(line, claims, tolerance);
  const std::vector<Difference> found = ladder.judge([&](std::size_t r) -> Rounding {
    return {rounding_of(target, compared, r), at(rounding_of_vjp(target, compared, r), element)};
  });
  c.slopes = ladder.slopes(0);
  c.reliable = true;
  for (std::size_t r = 0; r < found.size(); ++r) {
    const Verdict v = found[r].verdict;
    c.reliable &= v == Verdict::pass || v == Verdict::fail;
    c.errors.push_back(found[r].error);
    if (v != Verdict::fail) continue;
    // One output by itself says more than a sum of them.
    const bool unit = r >= sums;
    const bool had_unit = c.output >= 0;
    if (c.failed && ((had_unit && !unit) || (had_unit == unit && !(found[r].badness > c.worst.badness)))) continue;
    c.failed = true;
    c.worst = found[r];
    c.analytic = at(analytic[r], element);
    c.output = unit ? static_cast<std::int64_t>(r - sums) : -1;
  }
  return c;
}

/// Elements around a wrong one: the lines through it, its transposed place, and random ones.
std::vector<std::int64_t> Locator::sample(const Target& target, std::int64_t found, std::size_t most) {
  const Shape& shape = slot(target.slot).recorded.shape();
  const std::int64_t n = shape.size();
  std::vector<std::int64_t> elements{found};
  const auto add = [&](std::int64_t e) {
    if (e >= 0 && e < n && elements.size() < most) elements.push_back(e);
  };
  for (int d = 0; d < shape.ndim(); ++d) {
    const std::int64_t stride = shape.product(d + 1, shape.ndim()), here = found / stride % shape[d];
    if (shape[d] <= 64) {
      for (std::int64_t i = 0; i < shape[d]; ++i) add(found + (i - here) * stride);
    } else {
      for (const std::int64_t i : {here - 1, here + 1})
        if (i >= 0 && i < shape[d]) add(found + (i - here) * stride);
    }
  }
  for (int k = 0; k < 24; ++k) add(static_cast<std::int64_t>(std::fabs(draw_()) * 1e6) % n);
  std::sort(elements.begin(), elements.end());
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  return elements;
}

/// The output that the wrong element is wrong for.
void Locator::find_output(const Target& target, Column& c) {
  std::int64_t begin = 0, end = static_cast<std::int64_t>(c.slopes.size());
  const auto gap = [&](std::int64_t from, std::int64_t to, double& analytic) {
    Numbers v(c.slopes.size());
    double numeric = 0;
    for (std::int64_t o = from; o < to; ++o) {
      at(v, o) = to - from == 1 ? 1 : draw_();
      numeric += at(v, o) * at(c.slopes, o);
    }
    analytic = at(vjp(target, v), c.element);
    return std::fabs(analytic - numeric);
  };
  double analytic;
  while (end - begin > 1) {
    const std::int64_t middle = begin + (end - begin) / 2;
    double ignored;
    (gap(begin, middle, ignored) >= gap(middle, end, ignored) ? end : begin) = middle;
  }
  gap(begin, end, analytic);
  c.output = begin;
  c.analytic = analytic;
  c.worst.numeric = at(c.slopes, begin);
}

Program::Run Locator::move(int from, std::int64_t begin, std::int64_t end, const Numbers& by, double factor) {
  Program::Moved moved{from, slot(from).numbers};
  for (std::int64_t x = begin; x < end; ++x) at(moved.numbers, x) += factor * at(by, x);
  return program_.run({moved});
}

bool Locator::is_single(int from, int op) const {
  return tolerance_.single || slot(from).recorded.dtype() == f32 ||
         program_.result(program_.op(op)).recorded.dtype() == f32;
}

Tolerance Locator::tolerance_of(const Target& target) const {
  if (tolerance_.single || !is_single(target.slot, target.op)) return tolerance_;
  return {std::max(tolerance_.rtol, f32_rtol), std::max(tolerance_.atol, f32_atol), true};
}

double Locator::rounding_of(const Target& target, const Compared& compared, std::size_t row) {
  if (rounding_.empty()) {
    rounding_.resize(program_.ops().size());
    for (std::uint64_t k = 0; k < rounding_draws; ++k) {
      OtherRounding other(k);
      const Program::Run run = program_.run({}, false, -1, &other);
      for (std::size_t i = 0; i < rounding_.size(); ++i) {
        const Numbers &here = program_.result(program_.ops()[i]).numbers, &there = run.ops[i].numbers;
        rounding_[i].resize(here.size());
        for (std::size_t o = 0; o < std::min(here.size(), there.size()); ++o)
          if (std::isfinite(there[o])) rounding_[i][o] = std::max(rounding_[i][o], std::fabs(there[o] - here[o]));
      }
    }
  }
  return compared.rows.spread(row, at(rounding_, target.op));
}

const Numbers& Locator::rounding_of_vjp(const Target& target, Compared& compared, std::size_t row) const {
  Numbers& apart = compared.rounding[row];
  if (!apart.empty()) return apart;
  apart.resize(compared.analytic[row].size());
  for (std::uint64_t k = 0; k < rounding_draws; ++k) {
    OtherRounding other(k);
    const Observing observing(other);
    const Numbers g = vjp(target, compared.rows.sums[row]);
    for (std::size_t x = 0; x < g.size(); ++x) {
      const double by = std::fabs(g[x] - compared.analytic[row][x]);
      if (std::isfinite(by)) apart[x] = std::max(apart[x], by);
    }
  }
  return apart;
}

Numbers Locator::vjp(const Target& target, const Numbers& v) const {
  Numbers sum(slot(target.slot).numbers.size());
  for (std::size_t e = 0; e < target.edges.size(); ++e) {
    const Numbers g = program_.vjp(program_.op(target.op), edge(target, e), v);
    for (std::size_t x = 0; x < sum.size(); ++x) sum[x] += g[x];
  }
  return sum;
}

}  // namespace xgrad::checking
