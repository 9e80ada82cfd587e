// Says what is wrong with an op whose derivative does not pass, and which of its inputs it is.
#include <algorithm>
#include <autograd/gradcheck/locator.hpp>
#include <autograd/gradcheck/patterns.hpp>

namespace xgrad::checking {

GradcheckCulprit Locator::culprit(int i, int input) const {
  const Op& op = program_.op(i);
  const TracedOp& traced = *op.traced;
  GradcheckCulprit c{};
  c.op = traced.name;
  c.place = traced.place;
  c.path = traced.path;
  c.order = order_;
  c.op_index = i;
  c.element = c.output = -1;
  c.output_shape = program_.result(op).recorded.shape();
  set_input(c, input);
  if (op.rule_of >= 0) {
    const TracedOp& outer = *program_.op(op.rule_of).traced;
    c.rule_of = outer.name;
    c.path = outer.path;
  }
  return c;
}

void Locator::set_input(GradcheckCulprit& c, int input) const {
  c.input = input;
  if (input < 0) return;
  const TracedOp::Argument& argument = at(program_.op(c.op_index).traced->inputs, input);
  c.input_shape = argument.tensor.defined() ? argument.tensor.shape() : Shape();
}

void Locator::blame(const Target& target, const Compared& compared, const std::vector<Column>& columns,
                    const Column& worst, bool alone) {
  GradcheckCulprit found = culprit(target.op, target.argument);
  found.element = worst.element;
  found.output = worst.output;
  found.analytic = worst.analytic;
  found.numeric = worst.worst.numeric;
  found.error = worst.worst.error;
  found.left = worst.worst.left;
  found.right = worst.worst.right;
  if (blame_cut(target, worst, found)) return;
  const Asked& asked = at(asked_, target.op);
  for (const std::uint32_t e : target.edges) {
    if (asked.wrong_edge != static_cast<int>(e)) continue;
    set_input(found, static_cast<int>(program_.op(target.op).node->edges()[e].argument));
    found.pattern = asked.pattern;
    found.hint = asked.hint;
    wrong.push_back(std::move(found));
    return;
  }
  if (target.edges.empty()) {
    found.pattern = "detached";
    found.hint = "the op has no rule for this input";
  }
  // The same tensor twice: differences see both inputs at once, so it is that edge whose error makes sense. What is a
  // pattern of the one may be some number to the other.
  GradcheckCulprit some = found;
  bool named = false;
  for (std::size_t e = 0; e < target.edges.size() && !named; ++e) {
    GradcheckCulprit candidate = found;
    named = name_edge(target, e, compared, columns, worst, alone, candidate);
    if (named || e == 0 || (some.pattern.empty() && !candidate.pattern.empty())) some = std::move(candidate);
  }
  wrong.push_back(std::move(some));
}

/// Whether the op is right, but was given numbers without their history.
bool Locator::blame_cut(const Target& target, const Column& worst, const GradcheckCulprit& of) {
  const Op& op = program_.op(target.op);
  const int number = worst.number_moved, rule_of = op.rule_of;
  const bool refuses = target.edges.empty() && target.connected && op.node;
  if (number < 0 && target.cut < 0 && (!target.edges.empty() || refuses)) return false;
  GradcheckCulprit found = of;
  found.pattern = "detached";
  set_input(found, number >= 0 ? number : target.cut >= 0 ? target.cut : target.argument);
  found.numeric -= found.analytic;  // what is missing
  found.left -= found.analytic;
  found.right -= found.analytic;
  found.analytic = 0;
  found.hint = number >= 0           ? "a plain number that is made of tensors' values has no history"
               : target.argument < 0 ? "the op reads numbers that it is not given as an input"
               : op.node || target.cut >= 0
                   ? "this input has the numbers of a result that needs a gradient, without its history"
                   : "the op was not recorded";
  if (rule_of < 0 || !harmless(rule_of, target.slot)) add_cut(std::move(found), rule_of, op.rule_argument);
  return true;
}

/// Whether all that a rule computes has right derivatives by a slot although a part was cut: rules detach what makes no
/// difference, such as a largest element that is subtracted and added.
bool Locator::harmless(int rule_of, int from) {
  std::vector<int> members;
  for (std::size_t i = 0; i < program_.ops().size(); ++i)
    if (program_.ops()[i].rule_of == rule_of) members.push_back(static_cast<int>(i));
  const Target target{rule_of, from, {}, -1};
  const Numbers along = direction(target);
  const auto run = [&](double factor) {
    Program::Moved moved{from, slot(from).numbers};
    for (std::size_t x = 0; x < along.size(); ++x) moved.numbers[x] += factor * along[x];
    return program_.run({moved}, false, rule_of);
  };
  const Program::Run above = run(1), below = run(-1), half_above = run(0.5), half_below = run(-0.5);
  for (const int sink : members) {
    const Op& last = program_.op(sink);
    if (!program_.has_floating_result(last)) continue;
    const bool used = std::any_of(members.begin(), members.end(), [&](int i) {
      const auto& sources = program_.op(i).sources;
      return std::any_of(sources.begin(), sources.end(), [&](const Program::Source& s) { return s.slot == last.slot; });
    });
    if (used) continue;
    const Numbers& here = program_.result(last).numbers;
    const Rows rows{{random(here.size())}, 1};
    std::vector<Numbers> arrived(program_.slots().size());
    at(arrived, last.slot) = rows.sums[0];
    for (auto i = members.rbegin(); i != members.rend(); ++i) {
      const Op& op = program_.op(*i);
      const Numbers& g = at(arrived, op.slot);
      for (std::uint32_t e = 0; op.node && !g.empty() && op.slot != from && e < op.node->edge_count; ++e) {
        const int to = program_.slot_of(op.node->edges()[e]);
        if (to < 0) continue;
        const Numbers part = program_.vjp(op, op.node->edges()[e], g);
        at(arrived, to).resize(part.size());
        for (std::size_t x = 0; x < part.size(); ++x) at(arrived, to)[x] += part[x];
      }
    }
    const double h = step(0, tolerance_.single);
    double analytic = 0, scale = 0;
    for (std::size_t x = 0; x < at(arrived, from).size(); ++x) {
      const double part = at(arrived, from)[x] * along[x] / h;
      analytic += part;
      scale += part * part;
    }
    const auto seen = [&](const Program::Run& r) { return at(r.ops, sink).numbers; };
    const Numbers a = seen(above), b = seen(below), ha = seen(half_above), hb = seen(half_below);
    if (a.empty() || b.empty() || ha.empty() || hb.empty()) return false;
    scale = std::sqrt(scale);
    const Difference d = compare({analytic, scale, tolerance_.atol * scale}, rows.sample(0, b, here, a),
                                 rows.sample(0, hb, here, ha), h, h / 2, tolerance_);
    if (d.verdict == Verdict::fail) return false;
  }
  return true;
}

/// What one of the edges that lead to the target makes of it, the others being right. True if that is a pattern, and no
/// arbitrary number.
bool Locator::name_edge(const Target& target, std::size_t e, const Compared& compared,
                        const std::vector<Column>& columns, const Column& worst, bool alone,
                        GradcheckCulprit& found) const {
  const Op& op = program_.op(target.op);
  Target others = target;
  others.edges.erase(others.edges.begin() + static_cast<std::ptrdiff_t>(e));
  std::vector<Numbers> besides;  // what the other edges give, for each row
  for (const Numbers& v : compared.rows.sums)
    besides.push_back(others.edges.empty() ? Numbers(slot(target.slot).numbers.size()) : vjp(others, v));
  const std::size_t m = program_.result(op).numbers.size(), units = compared.rows.count - m;
  const bool by_output = compared.rows.count > m;  // rows for every output by itself stand at the end

  Block block;
  block.output = program_.result(op).recorded.shape();
  block.input = slot(target.slot).recorded.shape();
  block.rtol = tolerance_.rtol;
  block.alone = alone;
  for (std::size_t k = 0; k < 2; ++k) {
    block.cotangents.push_back(compared.rows.sums[k]);
    block.analytic.push_back(compared.analytic[k]);
    for (std::size_t x = 0; x < besides[k].size(); ++x) block.analytic[k][x] -= besides[k][x];
    block.numeric.emplace_back();
    block.errors.emplace_back();
  }
  for (const Column& c : columns) {
    if (!c.reliable) continue;
    block.elements.push_back(c.element);
    for (std::size_t k = 0; k < 2; ++k) {
      double sum = -at(besides[k], c.element);
      for (std::size_t o = 0; o < m; ++o) sum += compared.rows.sums[k][o] * c.slopes[o];
      block.numeric[k].push_back(sum);
      block.errors[k].push_back(c.errors[k]);
    }
    if (!by_output && !others.edges.empty()) continue;
    block.columns.push_back(c.slopes);
    for (std::size_t o = 0; o < m && !others.edges.empty(); ++o)
      block.columns.back()[o] -= at(besides[units + o], c.element);
  }
  set_input(found, static_cast<int>(edge(target, e).argument));
  if (!others.edges.empty()) {
    Numbers one(m);
    at(one, worst.output) = 1;
    const double rest = at(vjp(others, one), worst.element);
    for (double* v : {&found.analytic, &found.numeric, &found.left, &found.right}) *v -= rest;
  }
  Pattern p = recognise(block);
  found.pattern = std::move(p.name);
  found.hint = std::move(p.hint);
  return p.certain;
}

namespace {

/// Which element of `to` an element of `from` is, if `to` is broadcast to it; -1 if it is not.
std::int64_t unbroadcast(const Shape& from, std::int64_t flat, const Shape& to) {
  std::int64_t element = 0, stride = 1;
  if (flat < 0 || to.ndim() > from.ndim()) return -1;
  for (int d = 1; d <= from.ndim(); ++d) {
    const std::int64_t size = from[from.ndim() - d], i = flat % size;
    flat /= size;
    if (d > to.ndim()) continue;
    const std::int64_t own = to[to.ndim() - d];
    if (own != size && own != 1) return -1;
    element += own == 1 ? 0 : i * stride;
    stride *= own;
  }
  return element;
}

}  // namespace

/// What the ops of a rule do not see is the fault of that rule, for one input of its op.
void Locator::add_cut(GradcheckCulprit found, int rule_of, int input) {
  if (rule_of >= 0) {
    const TracedOp& traced = *program_.op(rule_of).traced;
    found.op = traced.name;
    found.place = traced.place;
    found.path = traced.path;
    found.op_index = rule_of;
    found.rule_of.clear();
    found.hint = "its rule uses numbers without their history, so that the next derivative misses a part";
    set_input(found, input);
    const std::int64_t element = unbroadcast(found.output_shape, found.output, found.input_shape);
    if (element >= 0) found.element = element;
    if (const std::int64_t n = found.input_shape.size(); n > 0 && found.element >= n) found.element %= n;
  }
  for (const GradcheckCulprit& other : cut)
    if (other.op_index == found.op_index && other.order == found.order) return;
  cut.push_back(std::move(found));
}

}  // namespace xgrad::checking
