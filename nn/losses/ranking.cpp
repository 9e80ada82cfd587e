#include <nn/losses/common.hpp>

/// Losses that compare rows with one another.
namespace xgrad::nn {
namespace {

using detail::check_pair, detail::reduced;

/// Throws unless the target is -1 or 1 for each row.
void check_signs(const OpScope& scope, const Operand& t, const Shape& rows, Dtype dtype) {
  if (t.is_number()) scope.fail<ValueError>("an argument is a plain number; make it a tensor with full(...)");
  if (t.shape() != rows) scope.fail("the target is ", t.shape(), "; it must be ", rows, ", one for each row");
  if (t.dtype() != dtype)
    scope.fail<DtypeError>("a is ", name_of(dtype), ", the target is ", name_of(t.dtype()),
                           "; convert the target with .to(", name_of(dtype), ")");
  detail::check_target_is_sign(t.tensor());
}

}  // namespace

Tensor cosine_embedding_loss(const Operand& a, const Operand& b, const Operand& t, const MarginOptions& options) {
  const OpScope scope("cosine_embedding_loss", a.place());
  check_pair(scope, a, b, "a", "b");
  if (a.ndim() == 0) scope.fail("a is (); (n, k) or (k) is needed");
  check_signs(scope, t, {a.shape().begin(), a.shape().end() - 1}, a.dtype());
  const Tensor cosine = cosine_similarity(a, b);
  return reduced(scope, where(t > 0, 1 - cosine, relu(cosine - options.margin)), options.reduction, options.weight);
}

Tensor margin_ranking_loss(const Operand& a, const Operand& b, const Operand& t, const MarginOptions& options) {
  const OpScope scope("margin_ranking_loss", a.place());
  check_pair(scope, a, b, "a", "b");
  check_signs(scope, t, a.shape(), a.dtype());
  return reduced(scope, relu(options.margin - t * (a - b)), options.reduction, options.weight);
}

Tensor triplet_margin_loss(const Operand& anchor, const Operand& positive, const Operand& negative,
                           const TripletOptions& options) {
  const OpScope scope("triplet_margin_loss", anchor.place());
  check_pair(scope, anchor, positive, "anchor", "positive");
  check_pair(scope, anchor, negative, "anchor", "negative");
  if (anchor.ndim() == 0) scope.fail("anchor is (); (n, k) or (k) is needed");
  const auto distance = [&](const Operand& a, const Operand& b) { return norm(a - b, {-1}, false, options.p); };
  Tensor away = distance(anchor, negative);
  if (options.swap) away = minimum(away, distance(positive, negative));
  return reduced(scope, relu(distance(anchor, positive) - away + options.margin), options.reduction, options.weight);
}

}  // namespace xgrad::nn
