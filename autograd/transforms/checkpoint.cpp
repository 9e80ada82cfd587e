#include <algorithm>
#include <autograd/backward/subgraph.hpp>
#include <autograd/checkpoint.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/ops.hpp>
#include <autograd/ops/random_scope.hpp>
#include <unordered_set>

/// The history of a checkpoint, for two outputs, two inputs and one tensor that f refers to:
///
///   y0, y1 -> outputs -> inputs -> x0, x1, w
///
/// `outputs` and `inputs` are all of these as one vector, the latter without numbers, so that one vjp, between the two,
/// computes f again once for all. That vjp is a function of x and the cotangents as f is one of x: where its results
/// are to be differentiated, it is checkpointed too.
///
/// When f is computed again, its graph is cut from the rest: where an edge leads to something that f refers to, it gets
/// a leaf of the pass's own in its place. The pass through it meets no other pass, and no path beyond is counted twice.
namespace xgrad::detail {
namespace {

using Tensors = std::vector<Tensor>;

/// A part of a vector: which elements, and what they are.
struct Part {
  std::int64_t from;
  Shape shape;
  Dtype dtype;
};
/// Tensors of any shape as one vector, of f64 if they differ in dtype; conversions of f32 to f64 and back are exact.
class Layout {
 public:
  void add(const Shape& shape, Dtype dtype) {
    dtype_ = parts_.empty() || dtype == dtype_ ? dtype : f64;
    parts_.push_back({size_, shape, dtype});
    size_ += shape.size();
  }
  const std::vector<Part>& parts() const { return parts_; }
  /// An array without numbers, for a node.
  Array array() const { return Array(dtype_, {size_}, {}, nullptr); }

  Tensor pack(const Tensors& list) const {
    Tensors flat;
    for (const Tensor& t : list) flat.push_back(reshape(t, Shape{t.size()}).to(dtype_));
    return flat.size() == 1 ? flat[0] : concatenate(flat);
  }
  static Tensor unpack(const Tensor& all, const Part& part) {
    const bool whole = all.size() == part.shape.size();
    return reshape(whole ? all : slice(all, 0, part.from, part.from + part.shape.size()), part.shape).to(part.dtype);
  }

 private:
  std::vector<Part> parts_;
  std::int64_t size_ = 0;
  Dtype dtype_ = f32;
};

/// What f is given: the graph of its results ends here.
Tensors leaves_of(const Tensors& x) {
  Tensors leaves;
  for (const Tensor& t : x) leaves.push_back(own_leaf(t, t.requires_grad()));
  return leaves;
}

/// f at x, with the graph between them.
struct Run {
  Tensors y;
  std::vector<Edge*> edges;         // those that lead out of it
  std::vector<Ref<Node>> referred;  // and where to, sorted, each once

  Run(const KeptFunction& f, const Tensors& x) {
    const std::uint64_t since = tick();
    const EnableGrad recording;
    {
      const DetachedScope detached;
      y = f.f(x);
    }
    std::unordered_set<const Node*> inputs;
    for (const Tensor& t : x) inputs.insert(t.node().get());
    for (Tensor& t : y)
      if (t.requires_grad() && t.node()->recorded < since && !inputs.contains(t.node().get())) t = alias(t);
    for (Edge* edge : edges_before(y, since)) {
      if (inputs.contains(edge->input.get())) continue;
      edges.push_back(edge);
      referred.push_back(edge->input);
    }
    std::sort(referred.begin(), referred.end(), [](const auto& a, const auto& b) { return a.get() < b.get(); });
    referred.erase(std::unique(referred.begin(), referred.end()), referred.end());
  }
};

/// The vjp of f: x and cotangents -> the gradients of the x that require one, and of what f refers to.
struct Recomputed {
  KeptFunction f;
  RandomState random;
  std::size_t inputs;
  std::vector<std::size_t> outputs;  // which of f's have cotangents
  std::vector<Shape> shapes;         // of all
  std::vector<Ref<Node>> referred;

  Tensors operator()(const Tensors& x_and_g) const {
    const bool create_graph = grad_enabled();
    const auto first_g = x_and_g.begin() + static_cast<std::ptrdiff_t>(inputs);
    const Tensors x(x_and_g.begin(), first_g), g(first_g, x_and_g.end());
    const Run run = [&] {
      const RandomScope scope(random);
      return Run(f, x);
    }();
    check(run);
    Tensors by, y;
    for (const Tensor& t : x)
      if (t.requires_grad()) by.push_back(t);
    for (const std::size_t k : outputs) y.push_back(run.y[k]);
    const std::size_t stand_ins = by.size();
    for (const Ref<Node>& node : referred) by.push_back(stand_in(*node));
    const auto of = [&](const Ref<Node>& node) {
      const auto it = std::lower_bound(referred.begin(), referred.end(), node,
                                       [](const auto& a, const auto& b) { return a.get() < b.get(); });
      return stand_ins + static_cast<std::size_t>(it - referred.begin());
    };
    std::vector<Ref<Node>> before;
    for (Edge* const edge : run.edges) {
      before.push_back(edge->input);
      edge->input = by[of(edge->input)].node();
    }
    const NoGrad unlinked;  // grad shall not link its results to the stand-ins; whether the pass records is its own
    Tensors gradients = pulled(y, by, g, {.create_graph = create_graph});
    if (create_graph)
      for (std::size_t i = 0; i < before.size(); ++i) run.edges[i]->input = std::move(before[i]);
    return gradients;
  }

 private:
  static Tensor stand_in(const Node& node) {
    const Array array(node.dtype, node.shape(), {}, nullptr);
    Ref<Node> leaf = Node::make_leaf(array);
    leaf->id = node.id;  // older than what refers to it
    return Tensor(Array(array), std::move(leaf));
  }
  void check(const Run& run) const {
    const OpScope scope("checkpoint", {});
    bool same = run.y.size() == shapes.size();
    for (std::size_t k = 0; same && k < shapes.size(); ++k) same = run.y[k].shape() == shapes[k];
    if (!same) scope.fail<GraphError>("f gave other shapes when it was computed again; it must do the same each time");
    if (run.referred != referred)
      scope.fail<GraphError>("f used other tensors that require a gradient when it was computed again, ",
                             run.referred.size(), " instead of ", referred.size(), "; it must do the same each time");
  }
};

/// One checkpoint, from its outputs' node to its inputs'.
struct Link {
  std::shared_ptr<const Recomputed> vjp;
  Tensors x;
  Layout inputs, outputs;
  Place place;

  Tensor operator()(const Tensor& g) const {
    const bool create_graph = grad_enabled();
    Tensors x_and_g = create_graph ? x : leaves_of(x);
    for (const Part& part : outputs.parts()) x_and_g.push_back(Layout::unpack(g, part));
    return inputs.pack(create_graph ? checkpointed({vjp, TensorFunction(*vjp)}, x_and_g, place) : (*vjp)(x_and_g));
  }
};

/// What depends on each of `to` by a rule of its own.
template <class MakeRule>
Tensor node_of(const Array& array, const std::vector<Ref<Node>>& to, Place place, MakeRule rule) {
  const std::size_t bytes = Rule::bytes<decltype(rule(std::size_t{0}))>;
  NodeMaker maker("checkpoint", place, array, to.size(), to.size() * bytes);
  for (std::size_t i = 0; i < to.size(); ++i) maker.connect(to[i], static_cast<int>(i), false, rule(i));
  return maker.finish(Array(array));
}

}  // namespace

Tensors checkpointed(KeptFunction f, const Tensors& x, Place place) {
  const OpScope scope("checkpoint", place);
  f.f.check_takes(scope, x.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!x[i].defined()) scope.fail<ValueError>("input ", i, " is undefined (default-built)");
  if (!grad_enabled()) {
    const DetachedScope detached;
    return f.f(x);
  }

  Recomputed vjp{f, random_state(), x.size(), {}, {}, {}};
  Layout inputs, outputs;
  std::vector<Ref<Node>> to;
  Tensors y;
  {
    Run run(f, leaves_of(x));
    y = std::move(run.y);
    vjp.referred = std::move(run.referred);
  }
  for (std::size_t k = 0; k < y.size(); ++k) {
    if (!y[k].defined()) scope.fail<ValueError>("f returned an undefined (default-built) tensor");
    vjp.shapes.push_back(y[k].shape());
    if (!y[k].requires_grad()) continue;
    vjp.outputs.push_back(k);
    outputs.add(y[k].shape(), y[k].dtype());
    y[k] = y[k].detach();
  }
  if (vjp.outputs.empty()) return y;
  for (const Tensor& t : x)
    if (t.requires_grad()) to.push_back(t.node());
  to.insert(to.end(), vjp.referred.begin(), vjp.referred.end());
  for (const Ref<Node>& node : to) inputs.add(node->shape(), node->dtype);

  const std::vector<std::size_t> recorded = vjp.outputs;
  const Tensor all_inputs = node_of(inputs.array(), to, place, [&](std::size_t i) {
    return [part = inputs.parts()[i]](const Tensor& g) { return Layout::unpack(g, part); };
  });
  Tensors values;
  for (const std::size_t k : recorded) values.push_back(y[k]);
  const Tensor all_outputs = node_of(outputs.pack(values).array(), {all_inputs.node()}, place, [&](std::size_t) {
    return Link{std::make_shared<const Recomputed>(std::move(vjp)), x, inputs, outputs, place};
  });
  for (std::size_t i = 0; i < recorded.size(); ++i) y[recorded[i]] = Layout::unpack(all_outputs, outputs.parts()[i]);
  return y;
}

}  // namespace xgrad::detail
