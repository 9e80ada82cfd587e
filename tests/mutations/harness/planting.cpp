#include <autograd/autograd.hpp>
#include <autograd/core/row_gradient.hpp>
#include <autograd/primitive.hpp>
#include <cmath>
#include <mutations/harness/counting.hpp>
#include <mutations/harness/fault.hpp>
#include <unordered_map>

namespace xgrad::mutations {
namespace {

/// What a planted edge held, by its closure's address.
struct Planted {
  const Rule* rule;
  Shape input;
  Plan plan;
  Tensor other;  // the op's result for other arguments, whose rule is used instead
};
thread_local std::unordered_map<const void*, Planted> planted;
thread_local std::uint64_t calls = 0;

Edge* edge_of(Node& node, int argument) {
  for (std::uint32_t i = 0; i < node.edge_count; ++i)
    if (static_cast<int>(node.edges()[i].argument) == argument) return &node.edges()[i];
  return nullptr;
}

Tensor noise(const Shape& shape) {
  Tensor t = zeros(shape, {.dtype = f64});
  ++calls;
  for (std::int64_t i = 0; i < t.size(); ++i)
    t.data<double>()[i] = 1 + 1e-9 * std::cos(static_cast<double>(calls) * 12.9 + static_cast<double>(i) * 7.7);
  return t;
}

Tensor mistaken(const Plan& plan, const Shape& input, Tensor h) {
  if (plan.fault == Fault::missing_sum && h.ndim() == plan.site.output.ndim()) h = slice(h, plan.axis, 0, 1);
  if (h.shape() != input) h = sum_to(h, input);
  switch (plan.fault) {
    case Fault::sign:
      return -h;
    case Fault::twice:
      return h * 2;
    case Fault::half:
      return h * 0.5;
    case Fault::slightly:
      return h * 1.0005;
    case Fault::count:
      return h * plan.factor;
    case Fault::transposed:
      return transpose(h);
    case Fault::extra_sum:
      return broadcast_to(sum(h, {plan.axis}, true), input);
    case Fault::shifted: {
      std::vector<std::pair<int, int>> widths(static_cast<std::size_t>(input.ndim()));
      widths[static_cast<std::size_t>(plan.axis)] = {1, 0};
      return pad(slice(h, plan.axis, 0, input[plan.axis] - 1), widths);
    }
    case Fault::one_element: {
      const Tensor factors = ones(input, {.dtype = f64});
      factors.data<double>()[plan.element] = 1.5;
      return h * factors;
    }
    case Fault::detached:
      return h.detach();
    case Fault::jitter:
      return h * noise(input);
    case Fault::missing_sum:
    case Fault::stale:
    case Fault::saved_detached:
      break;
  }
  return h;
}

Tensor call_planted(void* closure, const Tensor& g, const Tensor& y) {
  const Planted& p = planted.at(closure);
  Tensor h;
  if (p.other.defined()) {
    Node& node = *p.other.node();
    const Edge& edge = *edge_of(node, p.plan.site.argument);
    h = edge.rule->call(node.closure_of(edge), g, p.other.detach());
  } else {
    h = p.rule->call(closure, g, y);
  }
  return h.defined() ? mistaken(p.plan, p.input, detail::as_dense(h)) : h;
}

void destroy_planted(void* closure) noexcept {
  const auto it = planted.find(closure);
  const Planted p = std::move(it->second);
  planted.erase(it);
  if (p.rule->destroy) p.rule->destroy(closure);
}

constexpr Rule planted_rule{&call_planted, &destroy_planted, false};
constexpr Rule planted_rule_of_output{&call_planted, &destroy_planted, true};

class Planter : public Counting {
 public:
  Planter(const Program& program, const Plan& plan, const Tensors& values)
      : program_(program), plan_(plan), values_(values) {}
  /// Gets the rule's right result, and the planted one, for some cotangent.
  void show(Tensor& right, Tensor& wrong) {
    right_ = &right;
    wrong_ = &wrong;
  }

 private:
  void recorded(int op, const OpCall& call, const Tensor& result) override {
    if (op != plan_.site.op) return;
    Node& node = *result.node();
    Edge* const found = edge_of(node, plan_.site.argument);
    if (!found) return;  // this input is a constant now, another one, say a layer's parameter, is not
    Edge& edge = *found;
    Planted p{edge.rule, edge.input->shape(), plan_, Tensor()};
    if (plan_.fault == Fault::stale || plan_.fault == Fault::saved_detached) p.other = elsewhere(call, result);
    void* const closure = node.closure_of(edge);
    planted.insert_or_assign(closure, p);
    edge.rule = edge.rule->wants_output ? &planted_rule_of_output : &planted_rule;
    if (!right_) return;
    const NoGrad constant;
    const DetachedScope detached;
    Tensor g = zeros(result.shape(), {.dtype = f64});
    for (std::int64_t i = 0; i < g.size(); ++i) g.data<double>()[i] = 1 + 0.5 * std::sin(static_cast<double>(i) * 2.3);
    *right_ = p.rule->call(closure, g, result.detach());
    if (right_->defined()) *right_ = sum_to(*right_, p.input);
    *wrong_ = edge.rule->call(closure, g, result.detach());
  }

  /// The op's result for other numbers, or for the same without their history; undefined if a step's result is not that
  /// of this op.
  Tensor elsewhere(const OpCall& call, const Tensor& result) const {
    Tensors values = values_;
    for (Tensor& v : values) {
      const bool leaf = v.requires_grad();
      v = v.detach().clone();
      if (plan_.fault == Fault::stale && is_floating(v.dtype()))
        for (std::int64_t i = 0; i < v.size(); ++i)
          v.data<double>()[i] *= 0.9 + 0.06 * std::sin(static_cast<double>(i) * 1.7 + 0.3);
      if (leaf) v.set_requires_grad(true);
    }
    const EnableGrad recording;
    const DetachedScope detached;
    const Tensor other = program_.run_step(static_cast<std::size_t>(plan_.site.line) - 1, values);
    if (!other.requires_grad() || other.shape() != result.shape() || other.node()->name != call.name) return Tensor();
    return edge_of(*other.node(), plan_.site.argument) ? other : Tensor();
  }

  const Program& program_;
  const Plan& plan_;
  const Tensors& values_;
  Tensor *right_ = nullptr, *wrong_ = nullptr;
};

std::vector<double> numbers(const Tensors& tensors) {
  std::vector<double> all;
  for (const Tensor& t : tensors) all.insert(all.end(), t.data<double>(), t.data<double>() + t.size());
  return all;
}

/// A random product of the program's derivatives of this order, for all inputs.
template <class F>
std::vector<double> derivative(const F& f, const Tensors& inputs, int order, double phase) {
  const auto random = [&](const Tensor& like) {
    Tensor t = zeros(like.shape(), {.dtype = f64});
    for (std::int64_t i = 0; i < t.size(); ++i) t.data<double>()[i] = std::sin(phase += 2.1);
    return t;
  };
  Tensors x;
  for (const Tensor& t : inputs) x.push_back(t.detach().clone().set_requires_grad(true));
  const Tensor y = f(x);
  const Tensor cotangent = random(y).set_requires_grad(order > 1);
  const Tensors g = grad(y, x, cotangent, {.create_graph = order > 1, .zeros_if_unused = true});
  if (order == 1) return numbers(g);
  Tensor total = tensor(0., {.dtype = f64});
  for (const Tensor& t : g) total = total + sum(t * random(t));
  x.push_back(cotangent);
  return total.requires_grad() ? numbers(grad(total, x, {.zeros_if_unused = true})) : std::vector<double>();
}

bool differ(const std::vector<double>& right, const std::vector<double>& wrong) {
  if (wrong.empty()) return !right.empty();
  for (std::size_t i = 0; i < right.size(); ++i)
    if (std::fabs(right[i] - wrong[i]) > 1e-4 * std::max(std::fabs(right[i]), 0.05)) return true;
  return false;
}

}  // namespace

Tensor Faulty::operator()(const Tensors& x) const {
  Tensors values;
  Planter planter(program_, plan_, values);
  const Observing observing(planter);
  return program_.run(x, values);
}

bool Faulty::matters() {
  Tensors x, values;
  for (const Tensor& t : program_.inputs) x.push_back(t.clone().set_requires_grad(true));
  Planter planter(program_, plan_, values);
  Tensor right, wrong;
  planter.show(right, wrong);
  {
    const Observing observing(planter);
    program_.run(x, values);
  }
  if (!right.defined() || !wrong.defined()) return false;
  double largest = 0, change = 0;
  for (std::int64_t i = 0; i < right.size(); ++i) largest = std::max(largest, std::fabs(right.data<double>()[i]));
  wrong_.assign(static_cast<std::size_t>(right.size()), true);
  if (largest == 0) return false;
  if (plan_.fault == Fault::jitter)
    return derivative(*this, program_.inputs, 1, 0.5) != derivative(*this, program_.inputs, 1, 0.5);
  if (plan_.order() == 1) {
    double remains = 0;
    for (std::int64_t i = 0; i < right.size(); ++i) {
      remains = std::max(remains, std::fabs(wrong.data<double>()[i]) / largest);
      const double d = std::fabs(right.data<double>()[i] - wrong.data<double>()[i]) / largest;
      wrong_[static_cast<std::size_t>(i)] = d > 1e-7;
      change = std::max(change, d);
    }
    if (change < 1e-4 || remains < 1e-4) return false;
  }
  for (const double phase : {0.5, 1.5})
    if (differ(derivative(program_, program_.inputs, plan_.order(), phase),
               derivative(*this, program_.inputs, plan_.order(), phase)))
      return true;
  return false;
}

bool Faulty::wrong(std::int64_t element) const {
  return element >= 0 && element < static_cast<std::int64_t>(wrong_.size()) &&
         wrong_[static_cast<std::size_t>(element)];
}

}  // namespace xgrad::mutations
