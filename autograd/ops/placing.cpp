#include <autograd/core/capturing.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/primitive.hpp>
#include <cstring>

/// The ops that choose by masks, and put elements in place of others.
namespace xgrad {
namespace {

// Rows of `bytes` bytes at the indices, in their order: of several for one place the last one stays.
void put_rows(void* to, const std::int64_t* at, const void* from, std::int64_t count, std::size_t bytes) {
  auto* const y = static_cast<std::byte*>(to);
  const auto* x = static_cast<const std::byte*>(from);
  for (std::int64_t i = 0; i < count && bytes > 0; ++i, x += bytes)
    std::memcpy(y + static_cast<std::size_t>(at[i]) * bytes, x, bytes);
}

/// Whether no later index is the same.
void mark_last(const std::int64_t* at, bool* last, std::int64_t count, std::int64_t targets) {
  std::vector<bool> met(static_cast<std::size_t>(targets));
  for (std::int64_t i = count - 1; i >= 0; --i) {
    const auto target = static_cast<std::size_t>(at[i]);
    last[i] = !met[target];
    met[target] = true;
  }
}

/// Which of the 1-d indices are the last of their place, as (count, 1).
Tensor last_ones(const Tensor& at, std::int64_t targets) {
  const auto forward = [&] {
    Array last(boolean, Shape{at.size(), 1});
    capturing::repeat(mark_last, at.data<std::int64_t>(), last.data<bool>(), at.size(), targets);
    return last;
  };
  return primitive("last_ones", {at}, forward, not_differentiable);
}

/// The rows of x (targets, features) at the 1-d indices replaced by `rows`.
Tensor put(const Operand& x, const Tensor& at, const Operand& rows) {
  const auto forward = [&] {
    Array result = x.array().clone();
    const auto row = static_cast<std::size_t>(x.shape()[1]) * size_of(x.dtype());
    capturing::repeat(put_rows, result.data(), at.data<std::int64_t>(), rows.array().data(), at.size(), row);
    return result;
  };
  return primitive(
      "index_put", {x, at, rows}, forward,
      [at, shape = rows.shape()](const Tensor& g) { return put(g, at, zeros(shape, {.dtype = g.dtype()})); },
      not_differentiable,
      [at, targets = x.shape()[0]](const Tensor& g) { return where(last_ones(at, targets), taken(g, 0, at), 0); });
}

void check_broadcast(const std::vector<Tensor>& indices, const OpScope& scope) {
  Shape all;
  for (const Tensor& index : indices) {
    const Shape before = all;
    if (broadcast(before, index.shape(), all)) continue;
    std::string shapes;
    for (std::size_t i = 0; i < indices.size(); ++i)
      shapes += text(i > 0 ? ", " : "", "index ", i, " is ", indices[i].shape());
    scope.fail("shapes do not broadcast: ", shapes, "; sizes must agree or be 1, counted from the last axis");
  }
}

/// The indices of several axes as one, of the leading axes of `shape` taken together.
Tensor joined_index(const Shape& shape, const std::vector<Tensor>& indices, const OpScope& scope, Place place) {
  check_broadcast(indices, scope);
  Tensor joined;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto axis = static_cast<int>(i);
    const Tensor at = checked_index({indices[i], place}, axis, shape[axis], scope);
    joined = joined.defined() ? joined * shape[axis] + at : at;
  }
  return joined;
}

/// Where the mask is true, in row-major order.
std::vector<std::int64_t> chosen(const Tensor& mask) {
  capturing::refuse();
  std::vector<std::int64_t> places;
  const bool* const numbers = mask.data<bool>();
  for (std::int64_t i = 0, n = mask.size(); i < n; ++i)
    if (numbers[i]) places.push_back(i);
  return places;
}

}  // namespace

Tensor index_put(const Operand& x, const std::vector<Tensor>& indices, const Operand& values, bool accumulate) {
  const OpScope scope("index_put", x.place());
  const auto given = static_cast<int>(indices.size());
  if (given == 0 || given > x.ndim())
    scope.fail(given, given == 1 ? " index" : " indices", " for x of shape ", x.shape(), "; expected one to ", x.ndim(),
               ", for its leading axes");
  const Tensor at = joined_index(x.shape(), indices, scope, x.place()), source = values.tensor(x.dtype());
  if (source.dtype() != x.dtype())
    scope.fail<DtypeError>("x is ", name_of(x.dtype()), ", the values are ", name_of(source.dtype()),
                           "; convert one with .to(...)");
  const std::int64_t targets = x.shape().product(0, given), features = x.shape().product(given, x.ndim());
  Shape expected = at.shape(), both;
  for (int d = given; d < x.ndim(); ++d) expected.push_back(x.shape()[d]);
  if (!broadcast(source.shape(), expected, both) || both != expected)
    scope.fail("the indices choose ", expected, " of x of shape ", x.shape(), ", and the values are ", source.shape(),
               "; they must broadcast to it");
  const Tensor rows = reshape(broadcast_to(source, expected), Shape{at.size(), features});
  const Tensor whole = reshape(x, Shape{targets, features}), flat = reshape(at, {at.size()});
  return reshape(accumulate ? index_add(whole, 0, flat, rows) : put(whole, flat, rows), x.shape());
}

Tensor nonzero(const Operand& x) {
  const OpScope scope("nonzero", x.place());
  const std::vector<std::int64_t> places = chosen(x.tensor().to(boolean));
  const Shape strides = detail::strides_of(x.shape());
  Array result(i64, Shape{std::ssize(places), x.ndim()});
  auto* to = result.data<std::int64_t>();
  for (const std::int64_t place : places)
    for (int d = 0; d < x.ndim(); ++d) *to++ = place / strides[d] % x.shape()[d];
  return Tensor(std::move(result));
}

Tensor masked_select(const Operand& x, const Operand& mask) {
  const OpScope scope("masked_select", x.place());
  const Tensor& m = mask.tensor();
  if (mask.dtype() != boolean)
    scope.fail<DtypeError>("the mask is ", name_of(m.dtype()), ", not boolean; compare it, as in mask != 0");
  Shape shape;
  if (!broadcast(x.shape(), m.shape(), shape))
    scope.fail("shapes do not broadcast: x is ", x.shape(), ", the mask is ", m.shape(),
               "; sizes must agree or be 1, counted from the last axis");
  const Tensor at = from_values(chosen(broadcast_to(m, shape)));
  return taken(reshape(broadcast_to(x, shape), {shape.size()}), 0, at);
}

Tensor embedding(const Operand& weight, const Operand& indices, EmbeddingOptions options) {
  const OpScope scope("embedding", weight.place());
  if (weight.ndim() < 1) scope.fail("the weight is ", weight.shape(), "; expected (count, features...)");
  const std::int64_t count = weight.shape()[0];
  if (options.padding_index < -1 || options.padding_index >= count)
    scope.fail<ValueError>("the padding index is ", options.padding_index, "; expected one of ", count,
                           " rows, or -1 for none");
  const Tensor rows = take(weight, indices, 0);
  if (options.padding_index < 0) return rows;
  // The same numbers, of which those of the padding row are without history.
  Shape mask = indices.shape();
  while (mask.ndim() < rows.ndim()) mask.push_back(1);
  const Tensor padding = logical_or(indices == options.padding_index, indices == options.padding_index - count);
  return where(reshape(padding, mask), rows.detach(), rows);
}

}  // namespace xgrad
