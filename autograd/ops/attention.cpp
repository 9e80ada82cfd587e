#include <algorithm>
#include <autograd/core/kernel_calls.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/ops/attention.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/reduce.hpp>
#include <autograd/ops/shared_rule.hpp>
#include <autograd/outputs.hpp>
#include <cmath>

/// Attention: a kernel that never stores the weights, another for first derivatives, and the same as ops for all else.
namespace xgrad {
namespace {

/// The options of a call as its form as ops takes them; q, k and v are (..., rows, columns) there.
struct Weighing {
  double scale;
  bool causal;
  Tensor mask;    // as in the options
  Tensor kept;    // boolean (..., m, k) where weights are dropped, undefined otherwise
  double growth;  // of those that are kept

  Tensor dropped(const Tensor& p) const { return kept.defined() ? masked_scale(p, kept, growth) : p; }

  /// softmax(scale q k^T + mask), with zeros for a row of -inf.
  Tensor weights(const Tensor& q, const Tensor& k) const {
    Tensor scores = matmul(q, k, {.transpose_b = true}) * scale;
    constexpr double least = -std::numeric_limits<double>::infinity();
    if (mask.defined())
      scores = mask.dtype() == boolean ? where(mask, scores, least) : where(mask == least, least, scores + mask);
    if (causal) {
      const auto numbers = [](std::int64_t n) { return arange(0, n, 1, {.dtype = i64}); };
      scores = where(unsqueeze(numbers(q.shape()[-2]), 1) >= numbers(k.shape()[-2]), scores, least);
    }
    if (k.shape()[-2] == 0) return scores;
    const Tensor unseen = max(scores.detach(), {-1}, true) == least;
    return where(unseen, 0, softmax(where(unseen, 0, scores)));
  }
};

/// A mask as numbers that are added to the scores, broadcast to at least two axes.
Tensor as_numbers(const Tensor& mask, Dtype dtype) {
  Tensor added = mask;
  if (mask.dtype() == boolean)
    added =
        where(mask, zeros({}, {.dtype = dtype}), full({}, -std::numeric_limits<double>::infinity(), {.dtype = dtype}));
  while (added.ndim() < 2) added = unsqueeze(added, 0);
  return added;
}

/// One call.
struct Attention {
  Tensor q, k, v;
  Weighing weighing;  // without what was kept
  kernels::Attention shape;
  kernels::Loop<1> pairs{};  // of the mask
  Tensor mask;               // as numbers
  double dropout;
  RandomState random;
  Shape batch;    // the axes of the pairs
  Array of_rows;  // what the kernel leaves for the way back
  SharedRule shared;

  explicit Attention(int rules) : shared(rules) {}

  const void* mask_data() const { return mask.defined() ? mask.array().data() : nullptr; }
  int dtype() const { return int(q.dtype()); }

  Array forward() {
    Shape result = q.shape();
    result[-1] = v.shape()[-1];
    Array y(q.dtype(), result);
    of_rows = Array(q.dtype(), {2, shape.outer, shape.queries});
    if (mask.defined()) capturing::keep(mask);
    if (of_rows.size() > 0)
      kernels::table().attention[dtype()](shape, pairs, q.array().data(), k.array().data(), v.array().data(),
                                          mask_data(), random.seed, random.stream, y.data(), of_rows.data(), 0,
                                          shape.outer * shape.blocks());
    return y;
  }

  std::array<Array, 3> backward(const Array& y, const Array& g) const {
    std::array<Array, 3> result{Array(q.dtype(), q.shape()), Array(q.dtype(), k.shape()), Array(q.dtype(), v.shape())};
    if (mask.defined()) capturing::keep(mask);
    kernels::table().attention_backward[dtype()](
        shape, pairs, q.array().data(), k.array().data(), v.array().data(), mask_data(), y.data(), of_rows.data(),
        g.data(), random.seed, random.stream, result[0].data(), result[1].data(), result[2].data(), 0, shape.outer);
    return result;
  }

  /// What the kernel keeps: row by row, each of which begins at a multiple of 64 random numbers.
  Tensor kept() const {
    const std::int64_t rows = shape.outer * shape.queries, row = shape.random_row(0, 1);
    const Array all(boolean, {rows, row});
    kernels::table().keep(all.data<bool>(), all.size(), 0, shape.keep, random.seed, random.stream);
    Shape result = batch;
    result.push_back(shape.queries);
    result.push_back(shape.keys);
    return reshape(slice(Tensor(all), 1, 0, shape.keys), result);
  }

  bool has_heads() const { return batch.ndim() > q.ndim() - 2; }
  /// (n, rows, heads columns) as (n, heads, rows, columns), and back.
  Tensor by_heads(const Tensor& t) const {
    if (!has_heads()) return t;
    return permute(reshape(t, {t.shape()[0], t.shape()[1], shape.heads, t.shape()[2] / shape.heads}), {0, 2, 1, 3});
  }
  Tensor by_rows(const Tensor& t) const {
    if (!has_heads()) return t;
    return reshape(permute(t, {0, 2, 1, 3}), Shape{t.shape()[0], t.shape()[2], t.shape()[1] * t.shape()[3]});
  }

  Weighing with_kept() const {
    Weighing full = weighing;
    if (dropout > 0) full.kept = kept();
    return full;
  }

  /// The result by ops.
  Tensor composed() const {
    const Weighing full = with_kept();
    return by_rows(matmul(full.dropped(full.weights(by_heads(q), by_heads(k))), by_heads(v)));
  }

  /// The cotangent of q, k or v by ops, which are recorded.
  Tensor composed_cotangent(std::size_t i, const Tensor& g_of_rows) const {
    const Weighing full = with_kept();
    const Tensor a = by_heads(q), b = by_heads(k), c = by_heads(v), g = by_heads(g_of_rows), p = full.weights(a, b);
    if (i == 2) return by_rows(matmul(full.dropped(p), g, {.transpose_a = true}));
    const Tensor dp = full.dropped(matmul(g, c, {.transpose_b = true}));
    const Tensor scores = p * (dp - sum(dp * p, {-1}, true)) * full.scale;
    return by_rows(i == 0 ? matmul(scores, b) : matmul(scores, a, {.transpose_a = true}));
  }

  Tensor cotangent(std::size_t i, const Tensor& g, const Tensor& y) {
    if (grad_enabled()) return composed_cotangent(i, g);
    return shared.take(i, g, [&] {
      const auto parts = primitive(
          "attention_backward", {g, q, k, v, y}, [&] { return backward(y.array(), g.array()); }, not_differentiable,
          not_differentiable, not_differentiable, not_differentiable, not_differentiable);
      return std::vector<Tensor>(parts.begin(), parts.end());
    });
  }
};

void check_shapes(const OpScope& scope, const Operand& q, const Operand& k, const Operand& v, std::int64_t heads) {
  const int ndim = q.ndim();
  const auto shapes = [&] { return text("q is ", q.shape(), ", k is ", k.shape(), ", v is ", v.shape()); };
  if (ndim < 2 || k.ndim() != ndim || v.ndim() != ndim || (heads > 0 && ndim != 3))
    scope.fail(shapes(), "; expected (..., m, d), (..., k, d) and (..., k, e) with as many axes");
  for (int d = 0; d < ndim - 2; ++d)
    if (q.shape()[d] != k.shape()[d] || q.shape()[d] != v.shape()[d])
      scope.fail(shapes(), "; their leading axes must be equal, so repeat what is shared with broadcast_to");
  if (q.shape()[-1] != k.shape()[-1]) scope.fail(shapes(), "; queries and keys need as many features");
  if (k.shape()[-2] != v.shape()[-2]) scope.fail(shapes(), "; there must be a value for each key");
}

void check_mask(const OpScope& scope, const Tensor& mask, const Shape& weights, Dtype dtype) {
  if (!mask.defined()) return;
  if (mask.dtype() != boolean && mask.dtype() != dtype)
    scope.fail<DtypeError>("the mask is ", name_of(mask.dtype()), ", q is ", name_of(dtype),
                           "; expected boolean or the same");
  Shape both;
  if (!broadcast(mask.shape(), weights, both) || both != weights)
    scope.fail("the mask is ", mask.shape(), " and does not broadcast to the weights, ", weights);
}

/// The numbers of a call: sizes, strides of the mask, and the next random numbers where some are needed.
void measure(Attention& a, std::int64_t heads, const AttentionOptions& options) {
  const Shape &q = a.q.shape(), &k = a.k.shape(), &v = a.v.shape();
  a.batch = Shape(q.begin(), q.end() - 2);
  if (heads > 0) a.batch.push_back(heads);
  const std::int64_t parts = std::max<std::int64_t>(heads, 1), width = q[-1] / parts;
  const double scale = options.scale != 0 ? options.scale : width > 0 ? 1 / std::sqrt(double(width)) : 1;
  a.shape = {.outer = a.batch.size(),
             .heads = parts,
             .queries = q[-2],
             .keys = k[-2],
             .width = width,
             .value_width = v[-1] / parts,
             .scale = scale,
             .causal = options.causal,
             .keep = 1 - options.dropout,
             .mask_row = 0,
             .mask_column = 0};
  a.weighing = {scale, options.causal, options.mask, {}, 1 / (1 - options.dropout)};
  a.dropout = options.dropout;
  a.random = random_state();
  if (a.dropout > 0) set_random_state({a.random.seed, a.random.stream + 1});
  if (!options.mask.defined()) return;
  a.mask = as_numbers(options.mask.detach(), a.q.dtype());
  Shape whole = a.batch;
  whole.push_back(a.shape.queries);
  whole.push_back(a.shape.keys);
  const Shape strides = broadcast_strides(a.mask.shape(), whole);
  a.shape.mask_row = strides[-2], a.shape.mask_column = strides[-1];
  a.pairs.rank = a.batch.ndim();
  std::copy(a.batch.begin(), a.batch.end(), a.pairs.sizes);
  std::copy(strides.begin(), strides.end() - 2, a.pairs.strides[0]);
}

/// Attention of so many heads side by side, which have an axis of the mask; 0: of one, without such an axis.
Tensor attend(const char* name, const Operand& q, const Operand& k, const Operand& v, std::int64_t heads,
              const AttentionOptions& options) {
  const OpScope scope(name, q.place());
  for (const Operand* x : {&q, &k, &v})
    if (x->is_number()) scope.fail<ValueError>("an argument is a plain number; make it a tensor with tensor(...)");
  check_floating(q);
  if (q.dtype() != k.dtype() || q.dtype() != v.dtype())
    scope.fail<DtypeError>("q is ", name_of(q.dtype()), ", k is ", name_of(k.dtype()), ", v is ", name_of(v.dtype()),
                           "; convert with .to(...)");
  check_shapes(scope, q, k, v, heads);
  if (!(options.dropout >= 0 && options.dropout < 1))
    scope.fail<ValueError>("the dropout is ", options.dropout, "; it must be at least 0 and below 1");
  Shape weights(q.shape().begin(), q.shape().end() - 2);
  if (heads > 0) weights.push_back(heads);
  weights.push_back(q.shape()[-2]);
  weights.push_back(k.shape()[-2]);
  check_mask(scope, options.mask, weights, q.dtype());
  const auto call = std::make_shared<Attention>(q.requires_grad() + k.requires_grad() + v.requires_grad());
  call->q = q.tensor(), call->k = k.tensor(), call->v = v.tensor();
  measure(*call, heads, options);
  if (options.mask.defined() && options.mask.requires_grad() && grad_enabled()) return call->composed();
  const auto rule = [&](std::size_t i) {
    return [call, i](const Tensor& g, const Tensor& y) { return call->cotangent(i, g, y); };
  };
  return primitive(
      name, {q, k, v}, [&] { return call->forward(); }, rule(0), rule(1), rule(2));
}

void mark_steps(const std::int64_t* lengths, bool* to, std::int64_t n, std::int64_t steps) {
  for (std::int64_t i = 0; i < n; ++i, to += steps) {
    if (lengths[i] < 0 || lengths[i] > steps)
      detail::fail<ValueError>("length ", i, " is ", lengths[i], "; expected one of 0 to ", steps);
    for (std::int64_t t = 0; t < steps; ++t) to[t] = t < lengths[i];
  }
}

}  // namespace

Tensor scaled_dot_product_attention(const Operand& q, const Operand& k, const Operand& v,
                                    const AttentionOptions& options) {
  return attend("scaled_dot_product_attention", q, k, v, 0, options);
}

Tensor detail::attention_of_heads(const Operand& q, const Operand& k, const Operand& v, std::int64_t heads,
                                  const AttentionOptions& options) {
  return attend("scaled_dot_product_attention", q, k, v, heads, options);
}

Tensor sequence_mask(const Operand& lengths, std::int64_t steps) {
  const OpScope scope("sequence_mask", lengths.place());
  check_index_dtype(lengths, "lengths", scope);
  if (lengths.ndim() != 1) scope.fail("the lengths are ", lengths.shape(), "; expected (n,)");
  const Array mask(boolean, {lengths.size(), steps});
  capturing::keep(lengths.tensor());
  capturing::repeat(mark_steps, lengths.array().data<std::int64_t>(), mask.data<bool>(), lengths.size(), steps);
  return Tensor(mask);
}

}  // namespace xgrad
