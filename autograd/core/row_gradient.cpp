#include <autograd/core/capturing.hpp>
#include <autograd/core/row_gradient.hpp>
#include <autograd/kernels/table.hpp>
#include <cstring>
#include <unordered_map>

// Gradients of rows: their sums, and what they are as ordinary tensors.
namespace xgrad::detail {
namespace {

std::int64_t features_of(const Shape& whole) { return whole.product(1, whole.ndim()); }

/// Both arrays one behind the other, along the first axis.
Array joined(const Array& a, const Array& b) {
  Shape shape = a.shape();
  shape[0] += b.shape()[0];
  Array result(a.dtype(), shape);
  std::int64_t offset = 0;
  for (const Array* part : {&a, &b}) {
    capturing::keep(*part);
    if (part->size() > 0)
      kernels::table().copy[int(a.dtype())](part->data(), result.viewed({}, offset).data(),
                                            kernels::Loop<2>::row(part->size(), 1, 1));
    offset += part->size();
  }
  return result;
}

/// to = from, and then the rows of equal indices are summed into the first of them, in f64 and in their order.
template <class T>
void sum_equal(const std::int64_t* at, const void* from, void* to, std::int64_t count, std::int64_t features) {
  const T* const x = static_cast<const T*>(from);
  T* const y = static_cast<T*>(to);
  if (count * features > 0) std::memcpy(y, x, static_cast<std::size_t>(count * features) * sizeof(T));
  std::unordered_map<std::int64_t, std::vector<std::int64_t>> places;
  for (std::int64_t i = 0; i < count; ++i) places[at[i]].push_back(i);
  for (const auto& [row, equal] : places) {
    if (equal.size() < 2) continue;
    for (std::int64_t f = 0; f < features; ++f) {
      double sum = 0;
      for (const std::int64_t i : equal) {
        sum += static_cast<double>(x[i * features + f]);
        y[i * features + f] = 0;
      }
      y[equal[0] * features + f] = static_cast<T>(sum);
    }
  }
}

}  // namespace

Tensor RowGradient::make(const Shape& whole, const Tensor& indices, const Tensor& values) {
  auto* const rows = new RowGradient(whole, indices, values);
  return Tensor(Array(values.dtype(), whole, Ref<Storage>::adopt(&rows->storage_), nullptr));
}

Tensor RowGradient::dense() {
  const std::lock_guard guard(lock_);
  if (dense_.defined()) return dense_;
  const Dtype dtype = values.dtype();
  Array numbers(dtype, whole_shape_);
  alignas(8) std::byte zero[8] = {};
  if (numbers.size() > 0)
    kernels::table().copy[int(dtype)](zero, numbers.data(), kernels::Loop<2>::row(numbers.size(), 1, 0));
  capturing::keep(indices);
  capturing::keep(values);
  if (values.size() > 0)
    kernels::table().index_add[int(dtype)](numbers.data(), indices.data<std::int64_t>(), values.array().data(), 1,
                                           whole_shape_[0], indices.size(), features_of(whole_shape_));
  dense_ = Tensor(std::move(numbers));
  made_ = dense_.array().written();
  return dense_;
}

Tensor RowGradient::known_dense() {
  const std::lock_guard guard(lock_);
  return dense_;
}

bool RowGradient::is_overwritten() {
  const std::lock_guard guard(lock_);
  return dense_.defined() && dense_.array().written() != made_;
}

Tensor RowGradient::copy() {
  const Tensor known = known_dense();
  Tensor result = make(whole_shape_, indices, values);
  if (known.defined()) {
    RowGradient& to = *of(result);
    to.dense_ = known;
    to.made_ = known.array().written();
  }
  return result;
}

Tensor added(const Tensor& a, const Tensor& b) {
  RowGradient *const p = RowGradient::of(a), *const q = RowGradient::of(b);
  if (p && q && !p->known_dense().defined() && !q->known_dense().defined())
    return RowGradient::make(a.shape(), Tensor(joined(p->indices.array(), q->indices.array())),
                             Tensor(joined(p->values.array(), q->values.array())));
  const Array x = as_dense(a).array(), y = as_dense(b).array();
  capturing::keep(x);
  capturing::keep(y);
  Array sum(x.dtype(), x.shape());
  if (sum.size() > 0)
    kernels::table().binary[int(kernels::Binary::add)][int(x.dtype())](x.data(), y.data(), sum.data(),
                                                                       kernels::Loop<2>::row(sum.size(), 1, 1));
  return Tensor(std::move(sum));
}

Tensor summed(const Tensor& g) {
  const RowGradient& rows = *RowGradient::of(g);
  const Array& from = rows.values.array();
  const Array to(from.dtype(), from.shape());
  capturing::keep(rows.indices);
  capturing::keep(rows.values);
  capturing::repeat(from.dtype() == f32 ? sum_equal<float> : sum_equal<double>, rows.indices.data<std::int64_t>(),
                    from.data(), to.data(), rows.indices.size(), features_of(g.shape()));
  return RowGradient::make(g.shape(), rows.indices, Tensor(to));
}

}  // namespace xgrad::detail
