#include <nn/per_sample.hpp>

#include <algorithm>
#include <autograd/backward.hpp>
#include <autograd/backward/sweep.hpp>
#include <autograd/ops/windows.hpp>
#include <autograd/primitive.hpp>
#include <cmath>
#include <string_view>
#include <unordered_set>

/// Gradients of each sample from one graph: each use of a parameter makes its rows from the cotangent of its result.
namespace xgrad::nn::detail {
namespace {

constexpr std::size_t none = std::size_t(-1);

std::vector<Tensor> leaves_of(const Parameters& parameters) {
  std::vector<Tensor> leaves;
  for (const OwnedTensor* member : parameters.members)
    leaves.push_back(Tensor(member->array()).set_requires_grad(true));
  return leaves;
}

/// Powers of two, by which products, sums and their roundings scale exactly; neighbours differ.
Tensor powers_of_two(std::int64_t n, Dtype dtype) {
  std::vector<double> scales;
  for (std::int64_t i = 0; i < n; ++i) scales.push_back(std::ldexp(1., static_cast<int>(i * 7 % 16)));
  return from_values(scales, {n}).to(dtype);
}

/// The nodes behind t, each once.
std::vector<Node*> nodes_behind(const Tensor& t) {
  std::vector<Node*> nodes{t.node().get()};
  std::unordered_set<const Node*> seen{t.node().get()};
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (std::uint32_t k = 0; k < nodes[i]->edge_count; ++k)
      if (Node* const input = nodes[i]->edges()[k].input.get(); seen.insert(input).second) nodes.push_back(input);
  return nodes;
}

/// What the edge's rule makes of g, not summed to the input's shape.
Tensor unsummed(Node& node, const Edge& edge, const Tensor& g) {
  const DetachedScope detached;
  const OpScope scope(node.name, node.place());
  const xgrad::detail::Differentiating differentiating(&node);
  return edge.rule->call(node.closure_of(edge), g, node.output);
}

/// x w + b of x (n, ..., in) and g (n, ..., out) by w, or by b, for each sample.
Tensor dense_rows(std::int64_t samples, const Tensor& x, const Tensor& g, bool by_weight) {
  const std::int64_t in = x.shape()[-1], out = g.shape()[-1];
  const bool plain = g.shape() == Shape{samples, out};
  if (!by_weight) return plain ? g : sum(reshape(g, Shape{samples, g.size() / (samples * out), out}), {1});
  if (plain) return unsqueeze(x, 2) * unsqueeze(g, 1);
  const std::int64_t rows = g.shape().product(0, g.ndim() - 1) / samples;
  return matmul(reshape(x, Shape{samples, rows, in}), reshape(g, Shape{samples, rows, out}), {.transpose_a = true});
}

/// The cotangent h (n k, ...) of a parameter that was broadcast over the first axis, summed for each sample; undefined
/// if it was not.
Tensor broadcast_rows(std::int64_t samples, const Tensor& h, const Shape& parameter) {
  const bool has_axis = parameter.ndim() == h.ndim();
  if (h.ndim() == 0 || h.ndim() == Shape::max_ndim || (has_axis && parameter[0] != 1)) return {};
  Shape split = h.shape(), kept{samples};
  split[0] = h.shape()[0] / samples;
  split.insert(0, samples);
  for (int d = 0; d < h.ndim(); ++d) {
    const int own = d - (h.ndim() - parameter.ndim());
    kept.push_back(d == 0 || own < 0 ? 1 : parameter[own]);
  }
  return sum_to(reshape(h, split), kept);
}

bool is_convolution(std::string_view op) { return op == "conv" || op == "conv_transpose"; }

/// The gradients of a convolution's weights, or of its bias, for the cotangent g (samples k, outputs, ...).
Tensor convolution_rows(std::int64_t samples, Node& node, const Edge& edge, const Tensor& g) {
  Tensor of_images;
  if (edge.argument == 1) {
    const WeightsOfEachImage each;
    of_images = unsummed(node, edge, g);
  } else {
    std::vector<int> axes;
    for (int d = 2; d < g.ndim(); ++d) axes.push_back(d);
    of_images = sum(g, axes);
  }
  Shape shape = of_images.shape();
  if (shape[0] == samples) return of_images;
  shape[0] /= samples;
  shape.insert(0, samples);
  return sum(reshape(of_images, shape), 1);
}

}  // namespace

PerSample::PerSample(const Parameters& parameters, Place place)
    : parameters_(parameters),
      place_(place),
      oldest_(zeros({}, {.requires_grad = true})),
      leaves_(leaves_of(parameters)),
      collected_(parameters.members.size()),
      substituted_(parameters.members, leaves_),
      observing_(*this) {}

PerSample::~PerSample() {
  for (Use& use : uses_) use.hook.remove();  // somebody may hold the graph
}

std::size_t PerSample::find(const Edge& edge) const {
  for (std::size_t i = 0; i < leaves_.size(); ++i)
    if (leaves_[i].node() == edge.input) return i;
  return none;
}

void PerSample::op_ends(const OpCall& call, const Tensor& result) {
  if (result.requires_grad() && std::string_view(call.name) == "dense")
    dense_inputs_.emplace_back(result.node().get(), call.inputs[0].tensor().detach());
}

void PerSample::find_uses(const OpScope& scope, const Tensor& losses) {
  for (std::size_t i = 0; i < leaves_.size(); ++i)
    if (leaves_[i].same(losses))
      scope.fail<ValueError>("f returned the parameter ", parameters_.names[i], "; it must compute a loss of it");
  for (Node* const node : nodes_behind(losses)) {
    const Edge *const begin = node->edges(), *const end = begin + node->edge_count;
    if (std::none_of(begin, end, [this](const Edge& edge) { return find(edge) != none; })) continue;
    auto on_arrival = [this, use = uses_.size()](const Tensor& g) { arrived(use, g); };
    using Hook = xgrad::detail::HookOf<decltype(on_arrival), 1>;
    auto hook = Ref<xgrad::detail::Hook>::adopt(new Hook(std::move(on_arrival), place_));
    uses_.push_back({node, {node->with_extras().hooks, std::move(hook)}, {}});
  }
}

/// Throws if some sample's part of g did not scale as its loss did: then others have part in it.
void PerSample::check_apart(const OpScope& scope, const Tensor& scaled, const Tensor& g) const {
  const Tensor wanted = reshape(g, {samples_, -1}) * unsqueeze(scales_, 1), found = reshape(scaled, {samples_, -1});
  // What is nearly subnormal may have been taken for zero in one of the passes; NaN and infinities are nobody's.
  const Tensor differs = abs(found - wanted) > 1e-5 * abs(wanted) + 1e-25;
  if (any(differs).item<bool>())
    scope.fail<ValueError>(
        "the loss of a sample depends on other samples, so that it has no gradient of its own; remove what joins them, "
        "such as means over the batch");
}

/// The edge's parameter's gradients (n, shape), for the cotangent g (n k, ...) of the node's result.
Tensor PerSample::rows_of(Node& node, const Edge& edge, const Tensor& g) const {
  const Shape shape = edge.input->shape();
  Tensor rows;
  const auto input =
      std::find_if(dense_inputs_.begin(), dense_inputs_.end(), [&](const auto& d) { return d.first == &node; });
  if (input != dense_inputs_.end() && edge.argument > 0) {
    rows = dense_rows(samples_, input->second, g, edge.argument == 1);
  } else if (edge.argument > 0 && is_convolution(node.name)) {
    rows = convolution_rows(samples_, node, edge, g);
  } else if (edge.sum_to_input) {
    const Tensor h = unsummed(node, edge, g);
    if (!h.defined()) return {};
    if (h.shape() == g.shape()) rows = broadcast_rows(samples_, h, shape);
  }
  if (!rows.defined()) {
    std::vector<Tensor> list;
    const Tensor numbers = arange(0, static_cast<double>(samples_), 1, {.dtype = i64});
    for (std::int64_t i = 0; i < samples_; ++i) {
      const Tensor own = where(unsqueeze(numbers == i, 1), reshape(g, {samples_, -1}), 0);
      const Tensor h = apply_rule(node, edge, reshape(own, g.shape()), node.output);
      list.push_back(h.defined() ? h : zeros(shape, {.dtype = g.dtype()}));
    }
    rows = stack(list);
  }
  Shape all = shape;
  all.insert(0, samples_);
  return reshape(rows, all);
}

void PerSample::arrived(std::size_t number, const Tensor& g) {
  const DetachedScope detached;
  const OpScope scope("per_sample_gradients", place_);
  Use& use = uses_[number];
  if (g.ndim() == 0 || g.shape()[0] % samples_ != 0)
    for (std::uint32_t i = 0; i < use.node->edge_count; ++i)
      if (const std::size_t parameter = find(use.node->edges()[i]); parameter != none)
        scope.fail<ValueError>("there are ", samples_, " losses, and the result of ", use.node->name, ", which uses ",
                               parameters_.names[parameter], ", is ", g.shape(),
                               "; its first axis must be that of the samples");
  if (scales_.defined() && !use.scaled.defined()) {
    use.scaled = g;
    return;
  }
  if (scales_.defined()) check_apart(scope, std::exchange(use.scaled, Tensor()), g);
  for (std::uint32_t i = 0; i < use.node->edge_count; ++i) {
    const Edge& edge = use.node->edges()[i];
    const std::size_t parameter = find(edge);
    if (parameter == none) continue;
    const Tensor rows = rows_of(*use.node, edge, g);
    Tensor& total = collected_[parameter];
    if (rows.defined()) total = total.defined() ? total + rows : rows;
  }
}

std::vector<Tensor> PerSample::gradients(const OpScope& scope, const Tensor& losses) {
  if (!losses.defined()) scope.fail<ValueError>("f returned an undefined (default-built) tensor");
  if (losses.ndim() == 0 || losses.size() != losses.shape()[0])
    scope.fail("f returned ", losses.shape(),
               ", and one loss for each sample is needed, (n) or (n, 1); let the loss have Reduction::none");
  samples_ = losses.shape()[0];
  if (losses.requires_grad() && samples_ > 0) {
    const NoGrad guard;
    find_uses(scope, losses);
    const auto pass = [&](const Tensor& cotangent, bool again) {
      (void)grad(losses, {oldest_}, reshape(cotangent, losses.shape()),
                 {.retain_graph = again, .zeros_if_unused = true});
    };
    if (samples_ > 1) {
      scales_ = powers_of_two(samples_, losses.dtype());
      pass(scales_, true);
    }
    pass(ones({samples_}, {.dtype = losses.dtype()}), false);
  }
  for (std::size_t i = 0; i < collected_.size(); ++i) {
    if (collected_[i].defined()) continue;
    Shape shape = parameters_.members[i]->shape();
    shape.insert(0, samples_);
    collected_[i] = zeros(shape, {.dtype = parameters_.members[i]->dtype()});
  }
  return std::move(collected_);
}

}  // namespace xgrad::nn::detail
