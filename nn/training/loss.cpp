#include <autograd/ops.hpp>
#include <nn/training/loss.hpp>

namespace xgrad::nn {
namespace {

template <class Options>
auto weighted(Loss::Function<Options>* f) {
  return [f](const Tensor& p, const Tensor& t, const Tensor& weight, Place place) {
    const Operand prediction(p, place), target(t, place);
    if (!weight.defined()) return f(prediction, target, Options{});
    Options options;
    options.reduction = Reduction::none;
    const Tensor losses = f(prediction, target, options);
    std::vector<std::int64_t> column(static_cast<std::size_t>(losses.ndim()), 1);
    if (!column.empty()) column[0] = -1;
    const Tensor weights = reshape(Operand(weight, place), column).to(losses.dtype(), place);
    return mean(Operand(Operand(losses, place) * Operand(weights, place), place));
  };
}

}  // namespace

Loss::Loss(Function<LossOptions>* f) : call_(weighted(f)) {
  Function<LossOptions>* const of_probabilities = binary_cross_entropy;
  binary_ = f == of_probabilities;
}
Loss::Loss(Function<BceWithLogitsOptions>* f) : takes_logits_(true), binary_(true), call_(weighted(f)) {}
Loss::Loss(Function<HuberOptions>* f) : call_(weighted(f)) {}
Loss::Loss(Function<CrossEntropyOptions>* f) : call_(weighted(f)) {
  Function<CrossEntropyOptions>* const with_softmax = cross_entropy;
  takes_logits_ = f == with_softmax;
}

}  // namespace xgrad::nn
