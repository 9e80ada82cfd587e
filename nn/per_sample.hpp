#pragma once
#include <nn/functional.hpp>

#pragma GCC visibility push(default)

namespace xgrad::nn {

namespace detail {

/// What collects gradients of each sample while a function runs and its graph is passed. Layers with parameters compute
/// through it: an op of any other kind on a parameter is an error in the pass.
class PerSample {
 public:
  PerSample(const Parameters& parameters, Place place);
  ~PerSample();
  PerSample(const PerSample&) = delete;
  PerSample& operator=(const PerSample&) = delete;

  /// The one of this thread, or null.
  static PerSample* current() { return current_; }
  /// x w + b, whose vjp gives w and b a gradient for each row of x, if they are parameters of the model.
  Tensor dense(const Operand& x, const Tensor& w, const Tensor& b);

  /// The gradients of losses (n) or (n, 1, ...), each of shape (n, shape of the parameter).
  std::vector<Tensor> gradients(const OpScope& scope, const Tensor& losses);

 private:
  std::size_t find(const Tensor& parameter) const;
  void collect(std::size_t parameter, const Tensor& gradients);
  void arrived(const Tensor& x, const Tensor& g, std::size_t w, std::size_t b);

  const Parameters& parameters_;
  const Place place_;
  Tensor anchor_;  // what all parameters depend on: where the pass ends
  std::vector<Tensor> collected_;
  std::int64_t samples_ = 0;
  Tensor apart_;  // while it is checked that samples do not interact: those whose gradients must be zero
  PerSample* const outer_;
  static thread_local constinit PerSample* current_;
  const Substituted guarded_;
};

}  // namespace detail

/// The losses and the gradients of each sample of a batch by the model's parameters: f returns one loss for each
/// sample, (n) or (n, 1), and the gradients have the shapes (n, shape of the parameter). One pass for the whole batch:
///
///   const auto losses = [&] { return nn::mse_loss(model(x), t, nn::Reduction::none); };
///   auto [values, g] = nn::per_sample_gradients(model, losses);
///
/// The results are constants. Dropout draws one mask for the batch, as in any pass. Throws ValueError if a parameter is
/// used by anything but the layers of nn/layers.hpp, or if samples interact, as by a mean over the batch: the losses of
/// every other sample must not depend on the rest. Where that is meant, f of one sample at a time and value_and_grad
/// give the gradients.
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
