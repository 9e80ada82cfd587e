#pragma once
#include <autograd/hooks.hpp>
#include <autograd/observer.hpp>
#include <nn/functional.hpp>

#pragma GCC visibility push(default)

/// Gradients of each sample of a batch by a model's parameters.
namespace xgrad::nn {

namespace detail {

/// Computes gradients of each sample from the graph of the batch: where an op uses a parameter, the cotangent of its
/// result still has the axis of the samples, over which the op's rule would sum. While it is alive, the parameters are
/// leaves of its own.
class PerSample final : public Observer {
 public:
  PerSample(const Parameters& parameters, Place place);
  ~PerSample() override;
  PerSample(const PerSample&) = delete;
  PerSample& operator=(const PerSample&) = delete;

  /// Keeps the input of a dense layer, whose rule is worth replacing by one for all samples.
  void op_ends(const OpCall& call, const Tensor& result) override;
  /// The gradients of losses (n) or (n, 1, ...), each of shape (n, shape of the parameter).
  std::vector<Tensor> gradients(const OpScope& scope, const Tensor& losses);

 private:
  /// An op that uses parameters.
  struct Use {
    Node* node;
    HookHandle hook;
    Tensor scaled;  // its cotangent in the first pass
  };

  std::size_t find(const Edge& edge) const;
  void find_uses(const OpScope& scope, const Tensor& losses);
  void arrived(std::size_t use, const Tensor& g);
  void check_apart(const OpScope& scope, const Tensor& scaled, const Tensor& g) const;
  Tensor rows_of(Node& node, const Edge& edge, const Tensor& g) const;

  const Parameters& parameters_;
  const Place place_;
  const Tensor oldest_;  // a leaf before the others: asked for its gradient, a pass visits all nodes and no leaf
  const std::vector<Tensor> leaves_;
  std::vector<std::pair<const Node*, Tensor>> dense_inputs_;
  std::vector<Use> uses_;
  std::vector<Tensor> collected_;
  std::int64_t samples_ = 0;
  Tensor scales_;  // while it is checked that samples do not interact
  const Substituted substituted_;
  const Observing observing_;
};

}  // namespace detail

/// The losses and the gradients of each sample of a batch by the model's parameters: f returns one loss for each
/// sample, (n) or (n, 1), and the gradients have the shapes (n, shape of the parameter). One forward pass for the whole
/// batch, and two backward ones, of which the first checks that samples do not interact:
///
///   const auto losses = [&] { return nn::mse_loss(model(x), t, nn::Reduction::none); };
///   auto [values, g] = nn::per_sample_gradients(model, losses);
///
/// The results are constants. Dense layers, convolutions, and elementwise ops with a parameter that is broadcast over
/// the samples, as a bias is, take little more than their rule; any other op's rule runs once for each sample. Dropout
/// draws one mask for the batch, as in any pass. Throws ValueError if samples interact, as by a mean over the batch, or
/// if an op makes of a parameter what does not have the samples as its first axis, as a weight's norm or a checkpoint
/// does: then f of one sample at a time and value_and_grad give the gradients.
template <detail::Nullary F>
ValueAndGrad<StateDict> per_sample_gradients(Module& model, F&& f, Place place = Place::here()) {
  const OpScope scope("per_sample_gradients", place);
  const detail::Parameters p(scope, model, place);
  detail::PerSample per_sample(p, place);
  const EnableGrad recording;
  const Tensor losses = [&]() -> Tensor {
    const DetachedScope detached;
    return f();
  }();
  std::vector<Tensor> g = per_sample.gradients(scope, losses);
  return {losses.detach(), p.named(std::move(g))};
}

}  // namespace xgrad::nn
#pragma GCC visibility pop
