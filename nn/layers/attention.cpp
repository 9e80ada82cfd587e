#include <nn/attention.hpp>

#include <autograd/ops.hpp>
#include <autograd/ops/attention.hpp>

/// Multi-head attention.
namespace xgrad::nn {
namespace {

/// The sizes, after checks that come before any layer is made.
std::int64_t checked(std::int64_t features, std::int64_t heads, const MultiheadAttentionOptions& options, Place place) {
  const OpScope scope("MultiheadAttention", place);
  if (features < 1 || heads < 1 || features % heads != 0)
    scope.fail<ValueError>("there are ", features, " features and ", heads,
                           " heads; both must be at least 1, and the heads divide the features");
  if (!(options.dropout >= 0 && options.dropout < 1))
    scope.fail<ValueError>("the dropout is ", options.dropout, "; it must be at least 0 and below 1");
  return features;
}

DenseOptions dense_options(const MultiheadAttentionOptions& options) {
  DenseOptions own;
  own.bias = options.bias;
  own.dtype = options.dtype;
  return own;
}

}  // namespace

MultiheadAttention::MultiheadAttention(std::int64_t features, std::int64_t heads, MultiheadAttentionOptions options,
                                       Place place)
    : query(checked(features, heads, options, place), features, dense_options(options), place),
      key(features, features, dense_options(options), place),
      value(features, features, dense_options(options), place),
      output(features, features, dense_options(options), place),
      heads_(heads),
      dropout_(options.dropout) {}

Tensor MultiheadAttention::attend(const Operand& q, const Operand& k, const Operand& v,
                                  AttentionOptions options) const {
  const OpScope scope("attention", q.place());
  for (const Operand* x : {&q, &k, &v}) {
    if (x->is_number()) scope.fail<ValueError>("an argument is a plain number; make it a tensor with tensor(...)");
    if (x->ndim() != 3) scope.fail("an input is ", x->shape(), "; expected (n, steps, ", query.weight.shape()[0], ")");
  }
  if (is_training() && dropout_ > 0) options.dropout = dropout_;
  const Tensor from = query(q), to = key(k), values = value(v);
  return output(xgrad::detail::attention_of_heads(from, to, values, heads_, options));
}

Tensor MultiheadAttention::operator()(const Operand& x, const AttentionOptions& options) const {
  return hooked(x, [&](const Operand& input) { return attend(input, input, input, options); });
}

Tensor MultiheadAttention::operator()(const Operand& queries, const Operand& keys, const Operand& values,
                                      const AttentionOptions& options) const {
  return hooked(queries, [&](const Operand& input) { return attend(input, keys, values, options); });
}

void MultiheadAttention::members(Visitor& visit) {
  visit("query", query);
  visit("key", key);
  visit("value", value);
  visit("output", output);
}

std::string MultiheadAttention::describe() const {
  return text("MultiheadAttention ", output.weight.shape()[1], ", ", heads_, heads_ == 1 ? " head" : " heads");
}

}  // namespace xgrad::nn
