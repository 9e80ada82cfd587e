#pragma once
#include <autograd/sequences.hpp>
#include <nn/layers.hpp>

#pragma GCC visibility push(default)

/// Attention with projections that are trained.
namespace xgrad::nn {

struct MultiheadAttentionOptions {
  double dropout = 0;  // of the weights, in training mode
  bool bias = true;
  Dtype dtype = f32;
};

/// Attention of several heads (Vaswani et al. 2017): queries, keys and values are dense layers of their inputs, whose
/// features are split into `heads` equal parts; each part attends by itself, and a last dense layer joins the results.
/// For queries (n, m, features), keys and values (n, k, features) -> (n, m, features). A block of a transformer:
///
///   Tensor operator()(const Tensor& x) {
///     const Tensor y = x + attention(norm1(x), {.causal = true});
///     return y + output(gelu(hidden(norm2(y))));
///   }
///
/// A mask is broadcast to (n, heads, m, k): `reshape(sequence_mask(lengths, k), {n, 1, 1, k})` for padded sequences.
/// Throws ValueError unless the heads divide the features and dropout is in [0, 1), ShapeError for other shapes.
class MultiheadAttention : public Module {
 public:
  MultiheadAttention(std::int64_t features, std::int64_t heads, MultiheadAttentionOptions options = {},
                     Place place = Place::here());
  /// Of a sequence with itself.
  Tensor operator()(const Operand& x, const AttentionOptions& options = {}) const;
  Tensor operator()(const Operand& queries, const Operand& keys, const Operand& values,
                    const AttentionOptions& options = {}) const;
  void members(Visitor& visit) override;
  std::string describe() const override;
  std::int64_t output_features(std::int64_t input) const override { return output.output_features(input); }

  Dense query, key, value, output;

 private:
  Tensor attend(const Operand& q, const Operand& k, const Operand& v, AttentionOptions options) const;

  std::int64_t heads_;
  double dropout_;
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
