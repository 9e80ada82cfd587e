#include <autograd/autograd.hpp>
#include <autograd/observer.hpp>
#include <mutations/harness/builder.hpp>

namespace xgrad::mutations {
namespace {

/// NaN if one is.
double largest(const Tensor& t) {
  double m = 0;
  for (std::int64_t i = 0; i < t.size(); ++i) {
    const double v = std::fabs(t.data<double>()[i]);
    if (std::isnan(v)) return v;
    m = std::max(m, v);
  }
  return m;
}

double smallest_gap(const Tensor& t) {
  std::vector<double> v(t.data<double>(), t.data<double>() + t.size());
  std::sort(v.begin(), v.end());
  double gap = 1;
  for (std::size_t i = 1; i < v.size(); ++i) gap = std::min(gap, v[i] - v[i - 1]);
  return gap;
}

/// At the line of the step.
Operands operands(const Step& step, int line, const Tensors& values) {
  Operands x;
  for (const int i : step.arguments) x.emplace_back(values[static_cast<std::size_t>(i)], "program", line);
  return x;
}

}  // namespace

Tensor Program::operator()(const Tensors& x) const {
  Tensors values;
  return run(x, values);
}

Tensor Program::run(const Tensors& x, Tensors& values) const {
  values = x;
  for (std::size_t i = 0; i < steps.size(); ++i) values.push_back(run_step(i, values));
  return values.back();
}

int Program::ops() const {
  struct Counter : Observer {
    int count = 0;
    void op_starts(const OpCall&) override { ++count; }
  } counter;
  const Observing observing(counter);
  (*this)(inputs);
  return counter.count;
}

Tensor Program::run_step(std::size_t i, const Tensors& values) const {
  return steps[i].run(operands(steps[i], static_cast<int>(i) + 1, values));
}

Tensor Builder::numbers(const Shape& shape) {
  Tensor t = zeros(shape, {.dtype = f64});
  const auto n = static_cast<std::size_t>(t.size());
  for (std::size_t i = 0; i < n; ++i) {
    const double size = 0.2 + 1.4 * (static_cast<double>(i) + uniform(0.25, 0.75)) / static_cast<double>(n);
    t.data<double>()[i] = chance(0.5) ? size : -size;
  }
  std::shuffle(t.data<double>(), t.data<double>() + n, random_);
  return t;
}

int Builder::add_input(const Shape& shape) {
  program_.inputs.push_back(numbers(shape));
  values_.push_back(program_.inputs.back());
  used_.push_back(false);
  return static_cast<int>(values_.size()) - 1;
}

int Builder::push(std::vector<int> arguments, std::function<Tensor(const Operands&)> run) {
  Step step{std::move(arguments), std::move(run)};
  const Tensor result = step.run(operands(step, steps() + 1, values_));
  const double size = largest(result);
  if (!(size < 1e3 && size > 1e-3) || result.size() == 0) return -1;
  for (const int i : step.arguments) used_[static_cast<std::size_t>(i)] = true;
  program_.steps.push_back(std::move(step));
  values_.push_back(result);
  used_.push_back(false);
  const int made = static_cast<int>(values_.size()) - 1;
  if (size < 2.5 && size > 0.3) return made;
  const double factor = uniform(0.8, 1.6) / size;
  return push({made}, [factor](const Operands& x) { return x[0] * factor; });
}

bool Builder::in_domain(const Tensor& t, Domain domain) {
  const double* const v = t.data<double>();
  const auto all = [&](auto&& good) { return std::all_of(v, v + t.size(), good); };
  switch (domain) {
    case Domain::any:
      return true;
    case Domain::positive:
      return all([](double x) { return x >= 0.1; });
    case Domain::unit:
      return all([](double x) { return std::fabs(x) <= 0.85; });
    case Domain::away:
      return all([](double x) { return std::fabs(x) >= 0.02; });
    case Domain::distinct:
      return smallest_gap(t) >= 0.01;
  }
  return false;
}

int Builder::moved_into(int i, Domain domain) {
  int moved = -1;
  if (domain == Domain::positive) moved = push({i}, [](const Operands& x) { return softplus(x[0]); });
  if (domain == Domain::unit) moved = push({i}, [](const Operands& x) { return x[0] * 0.33; });
  return moved >= 0 && in_domain(value(moved), domain) ? moved : -1;
}

std::vector<int> Builder::unused() const {
  std::vector<int> found;
  for (std::size_t i = 0; i < used_.size(); ++i)
    if (!used_[i]) found.push_back(static_cast<int>(i));
  return found;
}

Program Builder::finish() {
  bool good = true;
  for (std::vector<int> open = unused(); good && open.size() > 1; open = unused()) {
    const int a = open[0], b = open[1];
    Shape both;
    const bool together = broadcast(shape(a), shape(b), both) && both.size() <= 40, coin = chance(0.5);
    const int larger = value(a).size() > value(b).size() ? a : b;
    if (together && coin) {
      good = push({a, b}, [](const Operands& x) { return x[0] + x[1]; }) >= 0;
    } else if (together) {
      good = push({a, b}, [](const Operands& x) { return x[0] - x[1]; }) >= 0;
    } else if (coin && in_domain(value(larger), Domain::away)) {
      good = push({larger}, [](const Operands& x) { return norm(x[0]); }) >= 0;
    } else {
      good = push({larger}, [](const Operands& x) { return logsumexp(x[0]); }) >= 0;
    }
  }
  const int last = unused()[0];
  if (good && value(last).size() > 12)
    good = push({last}, [](const Operands& x) { return logsumexp(x[0], {-1}); }) >= 0;
  return good ? std::move(program_) : Program();
}

Program random_program(std::uint64_t seed) {
  for (std::uint64_t attempt = 0;; ++attempt) {
    Builder b(seed * 1000 + attempt);
    const int m = 2 + b.below(3), n = 2 + b.below(3);
    b.add_input({m, n});
    b.add_input(b.chance(0.5) ? Shape{n} : Shape{m, 1});
    if (b.chance(0.6)) b.add_input({n, n});
    if (b.chance(0.2)) b.add_input({2, n, 2});
    const int wanted = 4 + b.below(20);
    for (int tries = 0; b.steps() < wanted && tries < 200; ++tries) add_random_step(b);
    Program p = b.finish();
    if (p.steps.empty()) continue;
    const int ops = p.ops();
    if (ops < 5 || ops > 30) continue;
    // Not one whose inputs hardly matter, or matter too much.
    Tensors x;
    for (const Tensor& t : p.inputs) x.push_back(t.clone().set_requires_grad(true));
    const Tensor y = p(x);
    if (!y.requires_grad()) continue;
    bool good = true;
    for (const Tensor& g : grad(y, x, b.numbers(y.shape()), {.zeros_if_unused = true}))
      good &= largest(g) > 0.05 && largest(g) < 20;
    if (good) return p;
  }
}

Program wide_program(std::uint64_t seed) {
  Builder b(seed);
  const int rows = 50 + b.below(151);
  const int columns = 10000 / rows + (rows * (10000 / rows) < 10000);
  const int u = b.add_input({rows, 1}), v = b.add_input({columns});
  int x = b.push({u, v}, [](const Operands& o) { return o[0] * o[1]; });
  for (int i = 0; i < 4; ++i) {
    switch (b.below(6)) {
      case 0:
        x = b.push({x}, [](const Operands& o) { return sin(o[0]); });
        break;
      case 1:
        x = b.push({x}, [](const Operands& o) { return tanh(o[0]); });
        break;
      case 2:
        x = b.push({x, u}, [](const Operands& o) { return o[0] + o[1]; });
        break;
      case 3:
        x = b.push({x}, [](const Operands& o) { return gelu(o[0]); });
        break;
      case 4:
        x = b.push({x, v}, [](const Operands& o) { return o[0] * o[1]; });
        break;
      case 5:
        x = b.push({x}, [](const Operands& o) { return flip(o[0], {1}); });
        break;
    }
  }
  x = b.push({x}, [](const Operands& o) { return mean(o[0], {1}); });
  b.push({x}, [](const Operands& o) { return norm(o[0]); });
  return b.finish();
}

}  // namespace xgrad::mutations
