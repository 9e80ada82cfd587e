#include <autograd/core/capturing.hpp>
#include <autograd/core/kernel_calls.hpp>
#include <autograd/core/row_gradient.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/walk.hpp>
#include <autograd/primitive.hpp>

/// The ops that pick and place elements at indices.
namespace xgrad {
namespace {

/// Where element `flat` of an array stands: "2", or "(1, 2)" where it has several axes.
std::string position_of(const Shape& shape, std::int64_t flat) {
  if (shape.ndim() < 2) return text(flat);
  const Shape strides = detail::strides_of(shape);
  Shape at = shape;
  for (int d = 0; d < shape.ndim(); ++d) at[d] = flat / strides[d] % shape[d];
  return at.str();
}

/// Whether some index counts from the end of an axis of `size`; throws for one outside of it.
bool some_negative(const std::int64_t* at, const Shape& shape, int axis, std::int64_t size) {
  bool negative = false;
  for (std::int64_t i = 0, count = shape.size(); i < count; ++i) {
    if (at[i] < -size || at[i] >= size)
      detail::fail<ValueError>("index ", at[i], " at position ", position_of(shape, i), " is out of range for axis ",
                               axis, " of size ", size);
    negative |= at[i] < 0;
  }
  return negative;
}

void count_from_front(const std::int64_t* at, std::int64_t* to, const Shape& shape, int axis, std::int64_t size) {
  some_negative(at, shape, axis, size);
  for (std::int64_t i = 0, count = shape.size(); i < count; ++i) to[i] = at[i] < 0 ? at[i] + size : at[i];
}

}  // namespace

void check_index_dtype(const Operand& index, const char* what, const OpScope& scope) {
  if (index.dtype() != i64)
    scope.fail<DtypeError>("the ", what, " are ", name_of(index.dtype()), ", not i64; convert them with .to(i64)");
}

Tensor checked_index(const Operand& index, int axis, std::int64_t size, const OpScope& scope) {
  check_index_dtype(index, "indices", scope);
  const auto* const at = index.array().data<std::int64_t>();
  // A replay may meet negative ones.
  if (!capturing::active() && !some_negative(at, index.shape(), axis, size)) return index.tensor();
  capturing::keep(index.tensor());
  const Array counted(i64, index.shape());
  capturing::repeat(count_from_front, at, counted.data<std::int64_t>(), index.shape(), axis, size);
  return Tensor(counted);
}

namespace {

/// Runs a kernel that picks from `whole` into `picked`, or adds the picked slices into `whole`.
template <class Kernel>
void run(const Kernel (&kernels)[dtype_count], const Array& whole, const Tensor& index, const Array& picked, int axis) {
  const AxisView view(whole.shape(), axis);
  if (picked.size() > 0)
    kernels[int(whole.dtype())](whole.data(), index.data<std::int64_t>(), picked.data(), view.outer, view.count,
                                picked.shape()[axis], view.inner);
}

}  // namespace

Tensor ungathered(const Tensor& g, int axis, const Tensor& index, const Shape& whole) {
  const auto forward = [&] {
    const Array result = zeros(whole, {.dtype = g.dtype()}).array();
    run(kernels::table().scatter_add, result, index, g.array(), axis);
    return result;
  };
  return primitive(
      "ungather", {g, index}, forward, [axis, index](const Tensor& h) { return gathered(h, axis, index); },
      not_differentiable);
}

Tensor gathered(const Tensor& x, int axis, const Tensor& index) {
  const auto forward = [&] {
    Array result(x.dtype(), index.shape());
    run(kernels::table().gather, x.array(), index, result, axis);
    return result;
  };
  return primitive(
      "gather", {x, index}, forward,
      [axis, index, whole = x.shape()](const Tensor& g) { return ungathered(g, axis, index, whole); },
      not_differentiable);
}

namespace {

/// Zeros of shape `whole` with g's slices added at the 1-d indices: the transpose of `taken`.
Tensor untaken(const Tensor& g, int axis, const Tensor& indices, const Shape& whole) {
  const auto forward = [&] {
    const Array result = zeros(whole, {.dtype = g.dtype()}).array();
    run(kernels::table().index_add, result, indices, g.array(), axis);
    return result;
  };
  return primitive(
      "untake", {g, indices}, forward, [axis, indices](const Tensor& h) { return taken(h, axis, indices); },
      not_differentiable);
}

/// Whether what a rule of a single input returns now is a leaf's gradient, which nobody will differentiate.
bool goes_to_leaf() {
  const Node* const node = detail::Differentiating::node();
  return !grad_enabled() && node && const_cast<Node*>(node)->edges()[0].input->is_leaf;
}

}  // namespace

Tensor taken(const Tensor& x, int axis, const Tensor& indices) {
  Shape shape = x.shape();
  shape[axis] = indices.size();
  const auto forward = [&] {
    Array result(x.dtype(), shape);
    run(kernels::table().take, x.array(), indices, result, axis);
    return result;
  };
  return primitive(
      "take", {x, indices}, forward,
      [axis, indices, whole = x.shape()](const Tensor& g) {
        return axis == 0 && goes_to_leaf() ? detail::RowGradient::make(whole, indices, g)
                                           : untaken(g, axis, indices, whole);
      },
      not_differentiable);
}

Tensor gather(const Operand& x, int axis, const Operand& index) {
  const OpScope scope("gather", x.place());
  axis = checked_axis(axis, x.shape());
  Shape expected = x.shape();
  if (index.ndim() == x.ndim()) expected[axis] = index.shape()[axis];
  if (index.shape() != expected)
    scope.fail("x is ", x.shape(), ", the index is ", index.shape(), "; they must agree except along axis ", axis);
  return gathered(x.tensor(), axis, checked_index(index, axis, x.shape()[axis], scope));
}

Tensor take(const Operand& x, const Operand& indices, int axis) {
  const OpScope scope("take", x.place());
  axis = checked_axis(axis, x.shape());
  const Tensor checked = checked_index(indices, axis, x.shape()[axis], scope);
  if (indices.ndim() == 1) return taken(x.tensor(), axis, checked);
  std::vector<std::int64_t> shape(x.shape().begin(), x.shape().end());
  const auto at = shape.erase(shape.begin() + axis);
  shape.insert(at, indices.shape().begin(), indices.shape().end());
  return reshape(taken(x.tensor(), axis, reshape(checked, {indices.size()})), shape);
}

namespace {

/// Throws DtypeError unless the source can be added to x.
void check_addend(const Operand& x, const Operand& source, const OpScope& scope) {
  if (x.dtype() != source.dtype())
    scope.fail<DtypeError>("x is ", name_of(x.dtype()), ", the source is ", name_of(source.dtype()),
                           "; convert one with .to(...)");
  if (x.dtype() == boolean) detail::fail_undefined_for(x.dtype());
}

}  // namespace

Tensor index_add(const Operand& x, int axis, const Operand& indices, const Operand& source, Number alpha) {
  const OpScope scope("index_add", x.place());
  axis = checked_axis(axis, x.shape());
  check_addend(x, source, scope);
  if (indices.ndim() != 1) scope.fail("the indices are ", indices.shape(), "; expected one axis");
  Shape expected = x.shape();
  expected[axis] = indices.size();
  if (source.shape() != expected)
    scope.fail("x is ", x.shape(), " and there are ", indices.size(), " indices, so the source must be ", expected,
               "; it is ", source.shape());
  const Tensor checked = checked_index(indices, axis, x.shape()[axis], scope);
  const Tensor added = alpha.real() == 1 ? source.tensor() : source * alpha;
  const auto forward = [&] {
    const Array result = x.array().clone();
    run(kernels::table().index_add, result, checked, added.array(), axis);
    return result;
  };
  return primitive(
      "index_add", {x, checked, added}, forward, [](const Tensor& g) { return g; }, not_differentiable,
      [axis, checked](const Tensor& g) { return taken(g, axis, checked); });
}

Tensor scatter_add(const Operand& x, int axis, const Operand& index, const Operand& source) {
  const OpScope scope("scatter_add", x.place());
  axis = checked_axis(axis, x.shape());
  check_addend(x, source, scope);
  Shape expected = x.shape();
  if (index.ndim() == x.ndim()) expected[axis] = index.shape()[axis];
  if (index.shape() != expected || source.shape() != expected)
    scope.fail("x is ", x.shape(), ", the index is ", index.shape(), ", the source is ", source.shape(),
               "; they must agree, x except along axis ", axis);
  const Tensor checked = checked_index(index, axis, x.shape()[axis], scope);
  const auto forward = [&] {
    const Array result = x.array().clone();
    run(kernels::table().scatter_add, result, checked, source.array(), axis);
    return result;
  };
  return primitive(
      "scatter_add", {x, checked, source}, forward, [](const Tensor& g) { return g; }, not_differentiable,
      [axis, checked](const Tensor& g) { return gathered(g, axis, checked); });
}

/// to[i, at[i]] = 1; throws for a class outside of [0, n).
static void mark_classes(const std::int64_t* at, float* to, const Shape& shape, std::int64_t n) {
  for (std::int64_t i = 0, count = shape.size(); i < count; ++i, to += n) {
    if (at[i] < 0 || at[i] >= n)
      detail::fail<ValueError>("class ", at[i], " at position ", position_of(shape, i), " of ", count,
                               " is out of range; expected one in [0, ", n, ")");
    to[at[i]] = 1;
  }
}

Tensor one_hot(const Operand& classes, std::int64_t n) {
  const OpScope scope("one_hot", classes.place());
  check_index_dtype(classes, "classes", scope);
  if (n < 0) scope.fail<ValueError>("the number of classes is ", n, "; expected at least 0");
  Shape shape = classes.shape();
  shape.push_back(n);
  Tensor result = zeros(shape);
  capturing::keep(classes.tensor());
  capturing::repeat(mark_classes, classes.array().data<std::int64_t>(), result.data<float>(), classes.shape(), n);
  return result;
}

}  // namespace xgrad
