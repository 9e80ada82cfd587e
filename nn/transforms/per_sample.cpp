#include <nn/per_sample.hpp>

#include <algorithm>
#include <autograd/backward.hpp>
#include <autograd/ops.hpp>
#include <autograd/primitive.hpp>

namespace xgrad::nn::detail {
namespace {

constexpr std::size_t none = std::size_t(-1);

/// The same numbers, with a history that no pass may take.
std::vector<Tensor> guarded(const Parameters& parameters, const Tensor& anchor) {
  std::vector<Tensor> guards;
  for (std::size_t i = 0; i < parameters.members.size(); ++i) {
    guards.push_back(primitive(
        "per_sample_gradients", {anchor}, [&] { return Array(parameters.members[i]->array()); },
        [name = parameters.names[i]](const Tensor&) -> Tensor {
          xgrad::detail::fail<ValueError>(
              "the parameter ", name,
              " is used by something else than a layer of nn/layers.hpp, and only these give gradients "
              "per sample; call value_and_grad with one sample at a time");
        }));
  }
  return guards;
}

/// 1, 0, 1, 0, ...
Tensor every_other(std::int64_t n, Dtype dtype) {
  const Tensor pairs = concatenate({ones({(n + 1) / 2, 1}), zeros({(n + 1) / 2, 1})}, 1);
  return slice(flatten(pairs), 0, 0, n).to(dtype);
}

Tensor anchor() { return zeros({}, {.requires_grad = true}); }

}  // namespace

thread_local constinit PerSample* PerSample::current_ = nullptr;

PerSample::PerSample(const Parameters& parameters, Place place)
    : parameters_(parameters),
      place_(place),
      anchor_(anchor()),
      collected_(parameters.members.size()),
      outer_(current_),
      guarded_(parameters.members, guarded(parameters, anchor_)) {
  current_ = this;
}

PerSample::~PerSample() { current_ = outer_; }

std::size_t PerSample::find(const Tensor& parameter) const {
  for (std::size_t i = 0; i < parameters_.members.size(); ++i)
    if (parameters_.members[i]->same(parameter)) return i;
  return none;
}

Tensor PerSample::dense(const Operand& x, const Tensor& w, const Tensor& b) {
  const std::size_t of_w = find(w), of_b = find(b);
  if (of_w == none && of_b == none) return xgrad::dense(x, w, b);
  const OpScope scope("dense", x.place());
  const auto forward = [&] {
    const NoGrad guard;
    return xgrad::dense(x, w, b).array();
  };
  return primitive(
      "dense", {x, anchor_}, forward, [w = w.detach()](const Tensor& g) { return matmul(g, w, {.transpose_b = true}); },
      [x = x.tensor().detach(), of_w, of_b](const Tensor& g) {
        if (current()) current()->arrived(x, g, of_w, of_b);
        return Tensor();
      });
}

void PerSample::collect(std::size_t parameter, const Tensor& gradients) {
  if (parameter == none) return;
  Tensor& sum = collected_[parameter];
  sum = sum.defined() ? sum + gradients : gradients;
}

/// The cotangent g (n, ..., out) of a layer whose input was x (n, ..., in).
void PerSample::arrived(const Tensor& x, const Tensor& g, std::size_t w, std::size_t b) {
  const DetachedScope detached;
  const OpScope scope("per_sample_gradients", place_);
  if (g.ndim() < 2 || g.shape()[0] != samples_)
    scope.fail<ValueError>("there are ", samples_, " losses, and a layer was given ", x.shape(),
                           "; the first axis must be that of the samples");
  if (apart_.defined()) {
    const Tensor others = take(reshape(g, {samples_, -1}), apart_);
    if (any(logical_or(others<0, others> 0)).item<bool>())
      scope.fail<ValueError>(
          "the loss of a sample depends on other samples, so that it has no gradient of its own; remove what joins "
          "them, "
          "such as means over the batch");
    return;
  }
  const std::int64_t in = x.shape()[-1], out = g.shape()[-1];
  if (x.ndim() == 2) {
    if (w != none) collect(w, unsqueeze(x, 2) * unsqueeze(g, 1));
    collect(b, g);
  } else {
    const Tensor rows = reshape(x, {samples_, -1, in}), columns = reshape(g, {samples_, -1, out});
    if (w != none) collect(w, matmul(rows, columns, {.transpose_a = true}));
    collect(b, sum(columns, {1}));
  }
}

std::vector<Tensor> PerSample::gradients(const OpScope& scope, const Tensor& losses) {
  if (!losses.defined()) scope.fail<ValueError>("f returned an undefined (default-built) tensor");
  if (losses.ndim() == 0 || losses.size() != losses.shape()[0])
    scope.fail("f returned ", losses.shape(),
               ", and one loss for each sample is needed, (n) or (n, 1); let the loss have Reduction::none");
  samples_ = losses.shape()[0];
  if (losses.requires_grad()) {
    const NoGrad guard;
    if (samples_ > 1) {
      // Every other sample is asked for its gradient: the rest must get exact zeros.
      apart_ = arange(1, samples_, 2, {.dtype = i64});
      const Tensor asked = reshape(every_other(samples_, losses.dtype()), losses.shape());
      (void)grad(losses, {anchor_}, asked, {.retain_graph = true, .zeros_if_unused = true});
      apart_ = Tensor();
    }
    (void)grad(losses, {anchor_}, ones(losses.shape(), {.dtype = losses.dtype()}), {.zeros_if_unused = true});
  }
  for (std::size_t i = 0; i < collected_.size(); ++i) {
    if (collected_[i].defined()) continue;
    Shape shape{samples_};
    for (const std::int64_t size : parameters_.members[i]->shape()) shape.push_back(size);
    collected_[i] = zeros(shape, {.dtype = parameters_.members[i]->dtype()});
  }
  return std::move(collected_);
}

}  // namespace xgrad::nn::detail
