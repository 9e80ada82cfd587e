#include <algorithm>
#include <autograd/gradcheck_patterns.hpp>
#include <autograd/gradcheck_program.hpp>

namespace xgrad {
namespace checking {

namespace {

constexpr std::int64_t full_block = 256;       // elements of an input up to which every one is moved
constexpr std::int64_t unit_rows = 64;         // elements of an output up to which each is compared by itself
constexpr std::size_t most_numbers = 1 << 21;  // of a numeric Jacobian
constexpr std::size_t sums = 2;                // random ones, which stand before the outputs by themselves
constexpr int most_runs = 40000;

template <class T>
decltype(auto) at(T&& range, std::int64_t i) {
  return std::forward<T>(range)[static_cast<std::size_t>(i)];
}

}  // namespace

/// Finds the ops of one program whose own derivative is wrong: first all ops at once along random directions, then
/// those that do not pass, one input after another, element by element or by halving.
class Locator {
 public:
  /// Ops before `first` are known from a lower order.
  Locator(Gradchecker& checker, int order, std::size_t first)
      : checker_(checker),
        program_(checker, order),
        order_(order),
        first_(first),
        draw_(checker.options_.seed + 977 * static_cast<std::uint64_t>(order)),
        asked_(program_.ops().size()),
        suspect_(program_.ops().size()) {
    const Tolerance& t = checker.tolerance_;
    const GradcheckOptions& options = checker.options_;
    // An op's own derivatives may be of any size: relative, and little besides.
    tolerance_ = {t.single ? t.rtol : options.rtol, (t.single ? t.atol : options.atol) * 1e-3, t.single};
  }

  /// Appends what it finds, and returns how many ops there were.
  std::size_t run() {
    for (std::size_t i = first_; i < program_.ops().size(); ++i) ask_rules(static_cast<int>(i));
    program_.visit_elsewhere(2e-3);
    ask_again();
    program_.run({});
    screen();
    for (std::size_t i = first_; i < program_.ops().size(); ++i) {
      if (suspect_[i])
        examine(static_cast<int>(i));
      else if (asked_[i].first_wrong >= 0)
        blame_rule(static_cast<int>(i));
    }
    ask_forward();
    for (const Program::Cut& c : program_.cuts()) blame_return(c);
    const auto by_op = [](const GradcheckCulprit& a, const GradcheckCulprit& b) { return a.op_index < b.op_index; };
    std::stable_sort(wrong.begin(), wrong.end(), by_op);
    std::stable_sort(cut.begin(), cut.end(), by_op);
    if (program_.runs() > most_runs)
      checker_.report_.notes_.push_back("not every op was looked at: the program is too large");
    return program_.ops().size();
  }
  std::vector<GradcheckCulprit> wrong, cut;

 private:
  using Op = Program::Op;
  struct Asked {
    Numbers cotangent;
    std::vector<Numbers> gradients;  // for each edge
    int first_wrong = -1;            // an edge whose rule is no linear function of the cotangent
    std::string pattern, hint;
    std::int64_t element = 0;
    double once = 0, again = 0;
  };
  /// What moving one element of an input did.
  struct Column {
    Numbers slopes;
    Difference worst;
    std::int64_t output = -1;
    double analytic = 0;
    bool reliable = false, failed = false;
    int number_moved = -1;  // an input that is a plain number, and changed
    Numbers errors;
  };
  /// The numbers that one or several inputs of an op are, and the edges that lead there.
  struct Target {
    int op, slot;
    std::vector<std::uint32_t> edges;
    int argument;            // the first; -1: the op is not given them
    bool connected = false;  // whether some input has their history
    int cut = -1;            // an input that does not
  };

  double random() { return draw_(); }
  Numbers random(std::size_t n) {
    Numbers v(n);
    for (double& x : v) x = draw_();
    return v;
  }

  /// What must hold of a rule whatever the derivative is.
  void ask_rules(int i) {
    const Op& op = program_.op(i);
    Asked& asked = at(asked_, i);
    if (!op.node || !program_.has_floating_result(op)) return;
    const std::size_t m = program_.result(op).numbers.size();
    asked.cotangent = random(m);
    const Numbers zero(m), other = random(m);
    Numbers mixed(m);
    for (std::size_t o = 0; o < m; ++o) mixed[o] = asked.cotangent[o] - 2 * other[o];
    for (std::uint32_t e = 0; e < op.node->edge_count; ++e) {
      const Edge& edge = op.node->edges()[e];
      asked.gradients.push_back(program_.vjp(op, edge, asked.cotangent));
      const Numbers &g = asked.gradients.back(), again = program_.vjp(op, edge, asked.cotangent);
      if (asked.first_wrong >= 0) continue;
      const auto wrong_if = [&](const char* pattern, const char* hint, auto&& is) {
        for (std::size_t x = 0; x < g.size() && asked.first_wrong < 0; ++x) {
          if (!is(x)) continue;
          asked.first_wrong = static_cast<int>(e);
          asked.pattern = pattern;
          asked.hint = hint;
          asked.element = static_cast<std::int64_t>(x);
        }
      };
      if (!same_bits(g, again)) {
        wrong_if("jitter", "the rule gives other numbers when it is called again",
                 [&](std::size_t x) { return !same_bits({g[x]}, {again[x]}); });
        continue;
      }
      const Numbers of_zero = program_.vjp(op, edge, zero), of_other = program_.vjp(op, edge, other),
                    of_mixed = program_.vjp(op, edge, mixed);
      double largest = 0;
      bool finite = true;
      for (std::size_t x = 0; x < g.size(); ++x) {
        largest = std::max({largest, std::fabs(g[x]), std::fabs(of_other[x])});
        finite &= std::isfinite(g[x]) && std::isfinite(of_other[x]);
      }
      if (!finite) continue;
      const double allowed = (tolerance_.single ? 1e-4 : 1e-12) * largest;
      wrong_if("not linear", "a zero cotangent does not give zero", [&](std::size_t x) { return of_zero[x] != 0; });
      wrong_if("not linear", "the vjp of a sum of cotangents is not the sum of their vjps",
               [&](std::size_t x) { return !(std::fabs(of_mixed[x] - (g[x] - 2 * of_other[x])) <= allowed); });
    }
  }

  /// All ops at once: each result along a random direction through all that can move.
  void screen() {
    for (int draw = 0; draw < 3; ++draw) {
      std::vector<Numbers> directions;
      std::vector<bool> frozen(program_.slots().size());
      for (const Program::Slot& slot : program_.slots()) {
        directions.push_back(slot.moves ? random(slot.numbers.size()) : Numbers());
        for (std::size_t x = 0; x < directions.back().size(); ++x)
          directions.back()[x] *= step(slot.numbers[x], tolerance_.single);
      }
      const auto run = [&](double factor) {
        std::vector<Program::Moved> moved;
        for (std::size_t s = 0; s < directions.size(); ++s) {
          if (directions[s].empty() || frozen[s]) continue;
          moved.push_back({static_cast<int>(s), program_.slots()[s].numbers});
          for (std::size_t x = 0; x < directions[s].size(); ++x) moved.back().numbers[x] += factor * directions[s][x];
        }
        return program_.run(moved);
      };
      Program::Run above = run(1), below = run(-1), half_above = run(0.5), half_below = run(-0.5);
      // An op that refuses a moved input is looked at by itself; the others without it.
      for (int tries = 0; tries < 8; ++tries) {
        int threw = -1;
        for (const Program::Run* r : {&above, &below, &half_above, &half_below}) threw = std::max(threw, r->threw);
        if (threw < 0) break;
        for (const Program::Source& source : program_.op(threw).sources)
          if (source.slot >= 0) at(frozen, source.slot) = true;
        above = run(1), below = run(-1), half_above = run(0.5), half_below = run(-0.5);
      }
      const double h = step(0, tolerance_.single);
      for (std::size_t i = first_; i < program_.ops().size(); ++i) {
        const Op& op = program_.ops()[i];
        if (suspect_[i] || !program_.has_floating_result(op)) continue;
        for (const Program::Source& source : op.sources)
          if (source.slot >= 0 && at(frozen, source.slot)) suspect_[i] = true;
        const Numbers& here = program_.result(op).numbers;
        Rows rows{{random(here.size())}, 1};
        double analytic = 0, scale = 0;
        for (std::uint32_t e = 0; op.node && e < op.node->edge_count; ++e) {
          const Edge& edge = op.node->edges()[e];
          const int slot = program_.slot_of(edge);
          if (slot < 0 || at(directions, slot).empty() || at(frozen, slot)) continue;
          const Numbers g = program_.vjp(op, edge, rows.sums[0]);
          for (std::size_t x = 0; x < g.size(); ++x) {
            const double part = g[x] * at(directions, slot)[x] / h;
            analytic += part;
            scale += part * part;
          }
        }
        const auto &a = above.ops[i], &b = below.ops[i], &ha = half_above.ops[i], &hb = half_below.ops[i];
        if (a.numbers.empty() || b.numbers.empty() || ha.numbers.empty() || hb.numbers.empty()) {
          suspect_[i] = true;
          continue;
        }
        const Difference d =
            compare(analytic, rows.sample(0, b.numbers, here, a.numbers), rows.sample(0, hb.numbers, here, ha.numbers),
                    h, h / 2, std::sqrt(scale), tolerance_);
        suspect_[i] = suspect_[i] || d.verdict != Verdict::pass || a.number_moved >= 0 || b.number_moved >= 0;
      }
    }
  }

  void examine(int i) {
    const Op& op = program_.op(i);
    const std::size_t before = wrong.size() + cut.size();
    std::vector<int> known;
    for (std::size_t a = 0; a < op.sources.size(); ++a) {
      const Program::Source& source = op.sources[a];
      if (source.slot < 0 || !at(program_.slots(), source.slot).moves) continue;
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
    if (at(asked_, i).first_wrong >= 0) return blame_rule(i);
    // What the op reads, but is not given.
    for (std::size_t s = 0; s < program_.slots().size(); ++s) {
      const Program::Slot& slot = program_.slots()[s];
      if (!slot.moves || program_.is_cut(static_cast<int>(s)) || static_cast<int>(s) == op.slot ||
          program_.runs() > most_runs)
        continue;
      if (std::find(known.begin(), known.end(), static_cast<int>(s)) != known.end()) continue;
      Program::Moved moved{static_cast<int>(s), slot.numbers};
      for (double& x : moved.numbers) x += step(x, tolerance_.single);
      const Program::Run run = program_.run({moved});
      const Numbers& seen = at(run.ops, i).numbers;
      if (!seen.empty() && !same_bits(seen, program_.result(op).numbers))
        examine(Target{i, static_cast<int>(s), {}, -1});
      if (wrong.size() + cut.size() > before) return;
    }
  }

  Program::Run move(int slot, std::int64_t begin, std::int64_t end, const Numbers& by, double factor) {
    Program::Moved moved{slot, at(program_.slots(), slot).numbers};
    for (std::int64_t x = begin; x < end; ++x) at(moved.numbers, x) += factor * at(by, x);
    return program_.run({moved});
  }

  Numbers vjp(const Target& target, const Numbers& v) {
    Numbers sum(at(program_.slots(), target.slot).numbers.size());
    for (const std::uint32_t e : target.edges) {
      const Numbers g = program_.vjp(program_.op(target.op), program_.op(target.op).node->edges()[e], v);
      for (std::size_t x = 0; x < sum.size(); ++x) sum[x] += g[x];
    }
    return sum;
  }

  /// Compares along a random direction through elements [begin, end); true if that fails.
  bool fails(const Target& target, const Rows& rows, const std::vector<Numbers>& analytic, const Numbers& direction,
             std::int64_t begin, std::int64_t end, double& badness) {
    const Numbers& here = program_.result(program_.op(target.op)).numbers;
    const double h = step(0, tolerance_.single);
    const auto numbers = [&](double factor) -> Numbers {
      const Program::Run run = move(target.slot, begin, end, direction, factor);
      return at(run.ops, target.op).numbers;
    };
    const Numbers above = numbers(1), below = numbers(-1), half_above = numbers(0.5), half_below = numbers(-0.5);
    bool failed = false;
    badness = 0;
    if (above.empty() || below.empty() || half_above.empty() || half_below.empty()) return false;
    for (std::size_t r = 0; r < rows.count; ++r) {
      double sum = 0, scale = 0;
      for (std::int64_t x = begin; x < end; ++x) {
        const double part = at(analytic[r], x) * at(direction, x) / h;
        sum += part;
        scale += part * part;
      }
      const Difference d =
          compare(sum, rows.sample(r, below, here, above), rows.sample(r, half_below, here, half_above), h, h / 2,
                  std::sqrt(scale), tolerance_);
      failed |= d.verdict == Verdict::fail;
      if (std::isfinite(d.badness)) badness = std::max(badness, d.badness);
    }
    return failed;
  }

  /// A wrong element of a large input, by halving; -1 for none.
  std::int64_t halve(const Target& target, const Rows& rows, const std::vector<Numbers>& analytic) {
    const Numbers& x = at(program_.slots(), target.slot).numbers;
    std::int64_t begin = 0, end = static_cast<std::int64_t>(x.size());
    Numbers direction = random(x.size());
    for (std::size_t e = 0; e < x.size(); ++e) direction[e] *= step(x[e], tolerance_.single);
    double badness;
    if (!fails(target, rows, analytic, direction, begin, end, badness)) return -1;
    while (end - begin > 1) {
      const std::int64_t middle = begin + (end - begin) / 2;
      double left, right = 0;
      const bool in_left = fails(target, rows, analytic, direction, begin, middle, left);
      if (!in_left && !fails(target, rows, analytic, direction, middle, end, right) && left > right) {
        end = middle;
      } else {
        (in_left ? end : begin) = middle;
      }
    }
    return begin;
  }

  Column column(const Target& target, const Rows& rows, const std::vector<Numbers>& analytic, std::int64_t element) {
    const Numbers& here = program_.result(program_.op(target.op)).numbers;
    const double x = at(at(program_.slots(), target.slot).numbers, element);
    Column c;
    std::vector<Difference> best(rows.count);
    double h = step(x, tolerance_.single);
    const int attempts = tolerance_.single ? 1 : 6;
    for (int attempt = 0; attempt < attempts; ++attempt, h /= 8) {
      const auto moved = [&](double by, Numbers& y) {
        const Numbers step_of(static_cast<std::size_t>(element) + 1, by);
        const Program::Run run = move(target.slot, element, element + 1, step_of, 1);
        y = at(run.ops, target.op).numbers;
        c.number_moved = std::max(c.number_moved, at(run.ops, target.op).number_moved);
        if (y.empty()) y.assign(here.size(), std::numeric_limits<double>::quiet_NaN());
        const double to = x + by;
        return (tolerance_.single ? static_cast<double>(static_cast<float>(to)) : to) - x;
      };
      Numbers above, below, half_above, half_below;
      const double up = moved(h, above), down = moved(-h, below), half_up = moved(h / 2, half_above),
                   half_down = moved(-h / 2, half_below);
      bool settled = true, better = attempt == 0;
      for (std::size_t r = 0; r < rows.count; ++r) {
        const Difference d = compare(at(analytic[r], element), rows.sample(r, below, here, above),
                                     rows.sample(r, half_below, here, half_above), (up - down) / 2,
                                     (half_up - half_down) / 2, 0, tolerance_);
        if (attempt == 0 || d.verdict == Verdict::pass ||
            (best[r].verdict != Verdict::pass && d.error < best[r].error)) {
          best[r] = d;
          better = true;
        }
        // A failure that is known well needs no smaller step.
        settled &= best[r].verdict == Verdict::pass || (best[r].verdict == Verdict::fail && best[r].badness > 10);
      }
      if (better) {
        c.slopes.resize(here.size());
        for (std::size_t o = 0; o < here.size(); ++o)
          c.slopes[o] = (half_above[o] - half_below[o]) / (half_up - half_down);
      }
      if (settled) break;
    }
    c.reliable = true;
    for (std::size_t r = 0; r < rows.count; ++r) {
      const Verdict v = best[r].verdict;
      c.reliable &= v == Verdict::pass || v == Verdict::fail;
      c.errors.push_back(best[r].error);
      if (v != Verdict::fail) continue;
      // One output by itself says more than a sum of them.
      const bool unit = r >= sums;
      const bool had_unit = c.output >= 0;
      if (c.failed && ((had_unit && !unit) || (had_unit == unit && !(best[r].badness > c.worst.badness)))) continue;
      c.failed = true;
      c.worst = best[r];
      c.analytic = at(analytic[r], element);
      c.output = unit ? static_cast<std::int64_t>(r - sums) : -1;
    }
    return c;
  }

  void examine(const Target& target) {
    const Op& op = program_.op(target.op);
    const Numbers& here = program_.result(op).numbers;
    const auto n = static_cast<std::int64_t>(at(program_.slots(), target.slot).numbers.size());
    const auto m = static_cast<std::int64_t>(here.size());
    if (m == 0 || program_.runs() > most_runs) return;
    Rows rows{{random(here.size()), random(here.size())}, sums};
    if (m <= unit_rows) {
      for (std::int64_t o = 0; o < m; ++o) {
        rows.sums.emplace_back(here.size());
        at(rows.sums.back(), o) = 1;
      }
      rows.count += static_cast<std::size_t>(m);
    }
    std::vector<Numbers> analytic;
    for (const Numbers& v : rows.sums) analytic.push_back(vjp(target, v));

    std::vector<std::int64_t> elements;
    if (n <= full_block && static_cast<std::size_t>(n * m) <= most_numbers) {
      for (std::int64_t e = 0; e < n; ++e) elements.push_back(e);
    } else {
      const std::int64_t found = halve(target, rows, analytic);
      if (found < 0) return;
      elements = sample(target, found, most_numbers / here.size());
    }
    std::vector<Column> columns;
    std::size_t worst = elements.size();
    for (std::size_t s = 0; s < elements.size(); ++s) {
      columns.push_back(column(target, rows, analytic, elements[s]));
      if (columns[s].failed && (worst == elements.size() || worse(columns[s], columns[worst]))) worst = s;
    }
    if (worst == elements.size()) return;
    blame(target, rows, analytic, elements, columns, worst);
  }
  static bool worse(const Column& a, const Column& b) { return a.worst.badness > b.worst.badness; }

  /// Elements around a wrong one: the lines through it, its transposed place, and random ones.
  std::vector<std::int64_t> sample(const Target& target, std::int64_t found, std::size_t most) {
    const Shape& shape = at(program_.slots(), target.slot).recorded.shape();
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
    for (int k = 0; k < 24; ++k) add(static_cast<std::int64_t>(std::fabs(random()) * 1e6) % n);
    std::sort(elements.begin(), elements.end());
    elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
    return elements;
  }

  /// The output that the wrong element is wrong for.
  void find_output(const Target& target, Column& c, std::int64_t element) {
    std::int64_t begin = 0, end = static_cast<std::int64_t>(c.slopes.size());
    const auto gap = [&](std::int64_t from, std::int64_t to, double& analytic) {
      Numbers v(c.slopes.size());
      double numeric = 0;
      for (std::int64_t o = from; o < to; ++o) {
        at(v, o) = to - from == 1 ? 1 : random();
        numeric += at(v, o) * at(c.slopes, o);
      }
      analytic = at(vjp(target, v), element);
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

  GradcheckCulprit culprit(int i, int input) const {
    const Op& op = program_.op(i);
    const TracedOp& traced = *op.traced;
    GradcheckCulprit c{};
    c.op = traced.name;
    c.place = traced.place;
    c.path = traced.path;
    c.order = order_;
    c.op_index = i;
    c.input = input;
    c.element = c.output = -1;
    c.output_shape = program_.result(op).recorded.shape();
    if (input >= 0 && at(traced.inputs, input).tensor.defined())
      c.input_shape = at(traced.inputs, input).tensor.shape();
    if (op.rule_of >= 0) {
      const TracedOp& outer = *program_.op(op.rule_of).traced;
      c.rule_of = outer.name;
      c.path = outer.path;
    }
    return c;
  }

  void blame(const Target& target, const Rows& rows, const std::vector<Numbers>& analytic,
             const std::vector<std::int64_t>& elements, std::vector<Column>& columns, std::size_t worst) {
    const Op& op = program_.op(target.op);
    Column& c = columns[worst];
    if (c.output < 0) find_output(target, c, elements[worst]);
    Block block{program_.result(op).recorded.shape(),
                at(program_.slots(), target.slot).recorded.shape(),
                {},
                {},
                {rows.sums[0], rows.sums[1]},
                {analytic[0], analytic[1]},
                {{}, {}},
                tolerance_.rtol};
    for (std::size_t s = 0; s < elements.size(); ++s) {
      if (!columns[s].reliable) continue;
      block.elements.push_back(elements[s]);
      block.columns.push_back(columns[s].slopes);
      for (std::size_t k = 0; k < 2; ++k) block.errors[k].push_back(columns[s].errors[k]);
    }
    GradcheckCulprit found = culprit(target.op, target.argument);
    found.element = elements[worst];
    found.output = c.output;
    found.analytic = c.analytic;
    found.numeric = c.worst.numeric;
    found.error = c.worst.error;
    found.left = c.worst.left;
    found.right = c.worst.right;
    const int number = c.number_moved;
    if (target.edges.empty() && target.connected && op.node && number < 0) {
      found.pattern = "detached";
      found.hint = "the op has no rule for this input";
      wrong.push_back(std::move(found));
      return;
    }
    if (target.edges.empty() || target.cut >= 0 || number >= 0) {
      found.pattern = "detached";
      found.input = number >= 0 ? number : target.cut;
      found.numeric -= found.analytic;  // what is missing
      found.left -= found.analytic;
      found.right -= found.analytic;
      found.analytic = 0;
      found.hint = number >= 0 ? "a plain number that is made of the inputs' values has no history"
                   : target.cut >= 0
                       ? "this input has the numbers of a result that needs a gradient, without its history"
                       : "the op reads numbers that it is not given as an input";
      add_cut(std::move(found), op.rule_of);
      return;
    }
    const Asked& asked = at(asked_, target.op);
    if (asked.first_wrong >= 0) {
      found.pattern = asked.pattern;
      found.hint = asked.hint;
    } else {
      Pattern p = recognise(block);
      found.input = static_cast<int>(op.node->edges()[target.edges[0]].argument);
      found.pattern = std::move(p.name);
      found.hint = std::move(p.hint);
    }
    wrong.push_back(std::move(found));
  }

  /// A rule that is to blame itself for what its ops do not see.
  void add_cut(GradcheckCulprit found, int rule_of) {
    if (rule_of >= 0) {
      const TracedOp& traced = *program_.op(rule_of).traced;
      found.op = traced.name;
      found.place = traced.place;
      found.path = traced.path;
      found.op_index = rule_of;
      found.rule_of.clear();
      found.input = 0;
      found.hint = "its rule uses numbers without their history, so that the next derivative misses a part";
    }
    for (const GradcheckCulprit& other : cut)
      if (other.op_index == found.op_index && other.order == found.order) return;
    cut.push_back(std::move(found));
  }

  /// A rule that returned its result without the history.
  void blame_return(const Program::Cut& c) {
    const int maker = program_.op_of(c.slot);
    GradcheckCulprit found = culprit(c.rule_of, c.argument);
    found.numeric = 1;
    if (maker >= 0) {
      const Op& op = program_.op(maker);
      const Rows rows{{random(program_.result(op).numbers.size())}, 1};
      for (std::size_t a = 0; a < op.sources.size(); ++a) {
        const int slot = op.sources[a].slot;
        if (slot < 0 || !at(program_.slots(), slot).moves) continue;
        const Target target{maker, slot, {}, static_cast<int>(a)};
        const Column moved = column(target, rows, {Numbers(at(program_.slots(), slot).numbers.size())}, 0);
        found.numeric = *std::max_element(moved.slopes.begin(), moved.slopes.end(),
                                          [](double p, double q) { return std::fabs(p) < std::fabs(q); });
        found.error = moved.worst.error;
        if (found.numeric != 0) break;
      }
    }
    found.left = found.right = found.numeric;
    found.pattern = "detached";
    if (found.numeric != 0) add_cut(std::move(found), c.rule_of);
  }

  void blame_rule(int i) {
    const Asked& asked = at(asked_, i);
    GradcheckCulprit found = culprit(i, static_cast<int>(program_.op(i).node->edges()[asked.first_wrong].argument));
    found.element = asked.element;
    found.pattern = asked.pattern;
    found.hint = asked.hint;
    found.analytic = at(asked.gradients[static_cast<std::size_t>(asked.first_wrong)], asked.element);
    found.numeric = found.error = found.left = found.right = std::numeric_limits<double>::quiet_NaN();
    wrong.push_back(std::move(found));
  }

  /// After f has run elsewhere, a rule must still give what it gave.
  void ask_again() {
    for (std::size_t i = first_; i < program_.ops().size(); ++i) {
      Asked& asked = asked_[i];
      if (asked.first_wrong >= 0) continue;
      for (std::size_t e = 0; e < asked.gradients.size() && asked.first_wrong < 0; ++e) {
        const Op& op = program_.ops()[i];
        const Numbers again = program_.vjp(op, op.node->edges()[e], asked.cotangent);
        const Numbers& g = asked.gradients[e];
        for (std::size_t x = 0; x < g.size() && asked.first_wrong < 0; ++x) {
          if (same_bits({g[x]}, {again[x]})) continue;
          asked.first_wrong = static_cast<int>(e);
          asked.element = static_cast<std::int64_t>(x);
          asked.pattern = "stale";
          asked.hint = "the rule uses a saved value that later calls overwrite";
        }
      }
    }
  }

  /// An op that computes something else from the same numbers.
  void ask_forward() {
    const Program::Run run = program_.run({}, true);
    for (std::size_t i = first_; i < run.ops.size(); ++i) {
      const Numbers &then = program_.result(program_.ops()[i]).numbers, &now = run.ops[i].numbers;
      if (now.empty() || same_bits(then, now)) continue;
      GradcheckCulprit found = culprit(static_cast<int>(i), -1);
      found.pattern = "jitter";
      found.hint = "the op computes other numbers when f runs again";
      for (std::size_t o = 0; o < now.size(); ++o) {
        if (same_bits({then[o]}, {now[o]})) continue;
        found.output = static_cast<std::int64_t>(o);
        break;
      }
      found.analytic = found.numeric = found.error = found.left = found.right =
          std::numeric_limits<double>::quiet_NaN();
      wrong.push_back(std::move(found));
      return;
    }
  }

  Gradchecker& checker_;
  Program program_;
  const int order_;
  const std::size_t first_;
  Gaussian draw_;
  Tolerance tolerance_;
  std::vector<Asked> asked_;
  std::vector<bool> suspect_;
};

}  // namespace checking

using namespace checking;

void Gradchecker::locate(int order) {
  const RandomState before = random_state();
  std::vector<GradcheckCulprit> wrong, cut;
  try {
    const DetachedScope detached;
    Locator locator(*this, order, located_);
    located_ = locator.run();
    wrong = std::move(locator.wrong);
    cut = std::move(locator.cut);
  } catch (const std::exception& e) {
    report_.notes_.push_back(text("order ", order, ": the ops were not looked at, since one threw: ", e.what()));
  }
  set_random_state(before);
  const bool failed = report_.count(Verdict::fail) > 0 || !report_.problems_.empty();
  // Cuts are often meant: they are to blame if nothing else is.
  if (wrong.empty() && report_.culprits_.empty() && failed) wrong = std::move(cut);
  for (GradcheckCulprit& c : wrong) report_.culprits_.push_back(std::move(c));
}

}  // namespace xgrad
