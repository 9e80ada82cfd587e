#pragma once
#include <autograd/sequences.hpp>

/// Attention of several heads at once.
namespace xgrad::detail {

/// The same as scaled_dot_product_attention for q (n, m, heads d), k (n, k, heads d) and v (n, k, heads e), whose rows
/// hold those of all heads -> (n, m, heads e). The mask is broadcast to (n, heads, m, k).
Tensor attention_of_heads(const Operand& q, const Operand& k, const Operand& v, std::int64_t heads,
                          const AttentionOptions& options);

}  // namespace xgrad::detail
