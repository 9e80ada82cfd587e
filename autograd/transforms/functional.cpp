#include <algorithm>
#include <autograd/backward.hpp>
#include <autograd/backward/subgraph.hpp>
#include <autograd/core/capturing.hpp>
#include <autograd/functional.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/ops.hpp>

// Transforms of functions: vjp, jvp, jacobian, hessian and hvp from sweeps over graphs of their own.
namespace xgrad::detail {
namespace {

using Tensors = std::vector<Tensor>;

bool require_grad(const Tensors& list) {
  return std::any_of(list.begin(), list.end(), [](const Tensor& t) { return t.requires_grad(); });
}

Tensor zeros_like(const Tensor& t) { return zeros(t.shape(), {.dtype = t.dtype()}); }

/// A one at the place `at`, and zeros.
Tensor unit(const Tensor& like, std::int64_t at) {
  const capturing::Paused paused;  // numbers of the program, also in a recording
  const Tensor one = zeros_like(like);
  paused.add_constant(one.array());
  Number(1).store(like.dtype(),
                  static_cast<std::byte*>(one.array().data()) + static_cast<std::size_t>(at) * size_of(like.dtype()));
  return one;
}

void check_floating(const OpScope& scope, const char* what, const Tensors& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!list[i].defined()) scope.fail<ValueError>(what, " ", i, " is undefined (default-built)");
    if (!is_floating(list[i].dtype()))
      scope.fail<DtypeError>(what, " ", i, " is ", name_of(list[i].dtype()),
                             " and has no derivative; f32 or f64 is needed, and f may refer to anything else");
  }
}

/// Throws unless the v are like what they belong to.
void check_like(const OpScope& scope, const char* what, const Tensors& v, const char* to, const Tensors& like) {
  if (v.size() != like.size())
    scope.fail<ValueError>(v.size(), " ", what, "s for ", like.size(), " ", to, "s; give one each");
  for (std::size_t i = 0; i < v.size(); ++i) {
    if (!v[i].defined()) scope.fail<ValueError>(what, " ", i, " is undefined (default-built)");
    if (v[i].shape() != like[i].shape())
      scope.fail(what, " ", i, " is ", v[i].shape(), ", ", to, " ", i, " is ", like[i].shape(), "; they must be equal");
    if (v[i].dtype() != like[i].dtype())
      scope.fail<DtypeError>(what, " ", i, " is ", name_of(v[i].dtype()), ", ", to, " ", i, " is ",
                             name_of(like[i].dtype()), "; convert it with .to(...)");
  }
}

Shape joined(const Shape& a, const Shape& b) {
  Shape both = a;
  for (const std::int64_t size : b) both.push_back(size);
  return both;
}

/// Blocks dys[i]/dx[j], one pass for each element of each y.
Blocks rows_of(const Tensors& ys, const Tensors& x, bool record) {
  Blocks blocks;
  for (const Tensor& y : ys) {
    Blocks rows(x.size());
    for (std::int64_t at = 0; at < y.size(); ++at) {
      Tensors row = pulled({y}, x, {unit(y, at)}, {.create_graph = record, .retain_graph = true});
      for (std::size_t j = 0; j < x.size(); ++j) rows[j].push_back(std::move(row[j]));
    }
    Tensors& block = blocks.emplace_back();
    for (std::size_t j = 0; j < x.size(); ++j) {
      const Shape shape = joined(y.shape(), x[j].shape());
      block.push_back(rows[j].empty() ? zeros(shape, {.dtype = x[j].dtype()}) : reshape(stack(rows[j]), shape));
    }
  }
  return blocks;
}

/// (a, b) -> (b, a), the first `rank` axes being those of a.
Tensor swapped(const Tensor& block, int rank) {
  std::vector<int> axes;
  for (int d = rank; d < block.ndim(); ++d) axes.push_back(d);
  for (int d = 0; d < rank; ++d) axes.push_back(d);
  return permute(block, axes);
}

/// u^T J for stand-ins u, in which it is linear, and the u.
struct Linear {
  Tensors u, u_j;
  Linear(const Tensors& x, const Tensors& y) {
    const EnableGrad recording;
    for (const Tensor& t : y) u.push_back(zeros_like(t).set_requires_grad(true));
    u_j = pulled(y, x, u, {.create_graph = true});
  }
};

}  // namespace

Evaluated::Evaluated(const OpScope& scope, TensorFunction f, const Tensors& at) {
  if (at.empty()) scope.fail<ValueError>("no inputs are given, and a derivative is taken by something");
  f.check_takes(scope, at.size());
  check_floating(scope, "input", at);
  shared_ = grad_enabled() && require_grad(at);
  const bool enabled = grad_enabled();
  const EnableGrad recording;
  for (const Tensor& t : at) x_.push_back(enabled && t.requires_grad() ? t : own_leaf(t, true));
  const std::uint64_t start = tick();
  for (Tensor& t : x_) t = alias(t);
  const std::uint64_t since = tick();
  {
    const DetachedScope detached;
    y_ = f(x_);
  }
  check_floating(scope, "output", y_);
  if (enabled && !shared_) {
    const auto beyond = [start](const Node& node) { return node.recorded < start; };
    const std::vector<Edge*> edges = edges_before(y_, since);
    shared_ = std::any_of(edges.begin(), edges.end(), [&](const Edge* e) { return beyond(*e->input); }) ||
              std::any_of(y_.begin(), y_.end(), [&](const Tensor& y) { return y.node() && beyond(*y.node()); });
  }
}

bool Evaluated::records(const Tensors& v) const { return grad_enabled() && (shared_ || require_grad(v)); }

void Evaluated::check_scalar(const OpScope& scope) const {
  if (y_[0].size() != 1)
    scope.fail<GraphError>("f returned a tensor of shape ", y_[0].shape(),
                           ", and only one number has a gradient; reduce it with sum or mean, or take the jacobian");
}

Tensors Evaluated::value() const {
  Tensors y = y_;
  if (!shared_)
    for (Tensor& t : y) t = t.detach();
  return y;
}

Tensors Evaluated::pull(const OpScope& scope, const Tensors& v, bool again) const {
  check_like(scope, "cotangent", v, "output", y_);
  return pulled(y_, x_, v, {.create_graph = records(v), .retain_graph = again});
}

Tensors Evaluated::push(const OpScope& scope, const Tensors& v) const {
  check_like(scope, "tangent", v, "input", x_);
  const Linear vjp(x_, y_);
  return pulled(vjp.u_j, vjp.u, v, {.create_graph = records(v)});
}

Tensors Evaluated::gradient(const OpScope& scope) const {
  check_scalar(scope);
  return pulled(y_, x_, {}, {.create_graph = records({})});
}

Tensors Evaluated::recorded_gradient(const OpScope& scope) const {
  check_scalar(scope);
  const EnableGrad recording;
  return pulled(y_, x_, {}, {.create_graph = true});
}

Tensors Evaluated::curve(const OpScope& scope, const Tensors& v) const {
  check_like(scope, "tangent", v, "input", x_);
  return pulled(recorded_gradient(scope), x_, v, {.create_graph = records(v)});
}

Blocks Evaluated::rows() const { return rows_of(y_, x_, records({})); }

Blocks Evaluated::columns() const {
  const Linear vjp(x_, y_);
  const Blocks transposed = rows_of(vjp.u_j, vjp.u, records({}));
  Blocks blocks(y_.size());
  for (std::size_t k = 0; k < y_.size(); ++k)
    for (std::size_t j = 0; j < x_.size(); ++j) blocks[k].push_back(swapped(transposed[j][k], x_[j].ndim()));
  return blocks;
}

Blocks Evaluated::second(const OpScope& scope) const { return rows_of(recorded_gradient(scope), x_, records({})); }

}  // namespace xgrad::detail
