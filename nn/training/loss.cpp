#include <algorithm>
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
    const Tensor terms = Operand(losses, place) * Operand(weights, place);
    if constexpr (requires { options.ignore_index; }) {
      if (t.dtype() == i64) return sum(Operand(terms, place)) / sum((t != options.ignore_index).to(terms.dtype()));
    }
    return mean(Operand(terms, place));
  };
}

template <class Options>
struct Named {
  Loss::Function<Options>* f;
  const char* name;
};
constexpr Loss::Function<LossOptions>* of_probabilities = binary_cross_entropy;
constexpr Loss::Function<CrossEntropyOptions>* with_softmax = cross_entropy;
constexpr Named<LossOptions> plain[] = {{of_probabilities, "binary_cross_entropy"},
                                        {mse_loss, "mse_loss"},
                                        {l1_loss, "l1_loss"},
                                        {hinge_loss, "hinge_loss"}};
constexpr Named<CrossEntropyOptions> of_classes[] = {{with_softmax, "cross_entropy"}, {nll_loss, "nll_loss"}};

template <class Options, std::size_t n>
const char* name_in(const Named<Options> (&losses)[n], Loss::Function<Options>* f) {
  for (const Named<Options>& loss : losses)
    if (loss.f == f) return loss.name;
  return "a function";
}

}  // namespace

Loss::Loss(Function<LossOptions>* f) : name_(name_in(plain, f)), call_(weighted(f)) { binary_ = f == of_probabilities; }
Loss::Loss(Function<BceWithLogitsOptions>* f)
    : name_("binary_cross_entropy_with_logits"), takes_logits_(true), binary_(true), call_(weighted(f)) {}
Loss::Loss(Function<HuberOptions>* f) : name_("huber_loss"), call_(weighted(f)) {}
Loss::Loss(Function<SmoothL1Options>* f) : name_("smooth_l1_loss"), call_(weighted(f)) {}
Loss::Loss(Function<PoissonNllOptions>* f) : name_("poisson_nll_loss"), call_(weighted(f)) {}
Loss::Loss(Function<FocalOptions>* f) : name_("focal_loss"), takes_logits_(true), binary_(true), call_(weighted(f)) {}
Loss::Loss(Function<KlDivOptions>* f) : name_("kl_div"), call_(weighted(f)) {}
Loss::Loss(Function<CrossEntropyOptions>* f) : name_(name_in(of_classes, f)), call_(weighted(f)) {
  takes_logits_ = f == with_softmax;
  ignored_ = CrossEntropyOptions().ignore_index;
}

std::int64_t Loss::counted(const Tensor& target, std::int64_t rows) const {
  if (!ignored_ || !target.defined() || target.dtype() != i64) return rows;
  const std::int64_t* const at = target.data<std::int64_t>();
  return target.size() - std::count(at, at + target.size(), *ignored_);
}

}  // namespace xgrad::nn
