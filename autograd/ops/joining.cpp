#include <algorithm>
#include <autograd/ops.hpp>
#include <autograd/ops/walk.hpp>
#include <autograd/primitive.hpp>

/// The ops that join tensors.
namespace xgrad {
namespace {

void check_parts(const std::vector<Tensor>& parts, const std::vector<OperandRef>& inputs, const OpScope& scope) {
  if (parts.empty()) scope.fail<ValueError>("expected at least one tensor, got an empty list");
  detail::check_inputs(inputs.data(), inputs.size());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].dtype() != parts[0].dtype())
      scope.fail<DtypeError>("tensor 0 is ", name_of(parts[0].dtype()), ", tensor ", i, " is ",
                             name_of(parts[i].dtype()), "; convert one with .to(...)");
  }
}

std::vector<OperandRef> inputs_of(const std::vector<Tensor>& parts, Place place) {
  std::vector<OperandRef> inputs;
  inputs.reserve(parts.size());
  for (const Tensor& part : parts) inputs.emplace_back(part, place.file, place.line);
  return inputs;
}

/// The parts' numbers along `axis`, with their history.
Tensor joined(const std::vector<OperandRef>& inputs, int axis, Array&& numbers, Place place) {
  if (!detail::recording(inputs.data(), inputs.size())) return Tensor(std::move(numbers));
  const auto rule_of = [axis](std::int64_t start, std::int64_t stop) {
    return [axis, start, stop](const Tensor& g) { return slice(g, axis, start, stop); };
  };
  const auto recorded = static_cast<std::size_t>(
      std::count_if(inputs.begin(), inputs.end(), [](const OperandRef& input) { return input.requires_grad(); }));
  NodeMaker maker("concatenate", OpScope::place(place), numbers, recorded,
                  recorded * Rule::bytes<decltype(rule_of(0, 0))>);
  std::int64_t start = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::int64_t stop = start + inputs[i].tensor().shape()[axis];
    detail::attach(maker, static_cast<int>(i), inputs[i], rule_of(start, stop), false);
    start = stop;
  }
  return maker.finish(std::move(numbers));
}

}  // namespace

Tensor concatenate(const std::vector<Tensor>& parts, int axis, Place place) {
  const OpScope scope("concatenate", place);
  const std::vector<OperandRef> inputs = inputs_of(parts, place);
  check_parts(parts, inputs, scope);
  Shape shape = parts[0].shape();
  axis = checked_axis(axis, shape);
  std::int64_t total = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Shape expected = shape;
    if (parts[i].ndim() == shape.ndim()) expected[axis] = parts[i].shape()[axis];
    if (parts[i].shape() != expected)
      scope.fail("tensor ", i, " is ", parts[i].shape(), ", tensor 0 is ", shape,
                 "; they must agree except along axis ", axis);
    total += expected[axis];
  }
  shape[axis] = total;
  check_sizes(shape);

  detail::Watch watch("concatenate", inputs.data(), inputs.size());
  const Dtype dtype = parts[0].dtype();
  Array numbers(dtype, shape);
  const AxisView whole(shape, axis);
  std::int64_t offset = 0;
  for (const Tensor& part : parts) {
    const std::int64_t run = part.shape()[axis] * whole.inner;
    if (part.size() > 0)
      kernels::table().copy[int(dtype)](part.array().data(), numbers.viewed({}, offset).data(),
                                        loop_over({whole.outer, run}, {total * whole.inner, 1}, {run, 1}));
    offset += run;
  }

  Tensor result = joined(inputs, axis, watch.computed(std::move(numbers)), place);
  watch.ends(result);
  return result;
}

Tensor stack(const std::vector<Tensor>& parts, int axis, Place place) {
  const OpScope scope("stack", place);
  check_parts(parts, inputs_of(parts, place), scope);
  axis = checked_axis(axis, parts[0].shape(), 1);
  std::vector<Tensor> rows;
  rows.reserve(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].shape() != parts[0].shape())
      scope.fail("tensor ", i, " is ", parts[i].shape(), ", tensor 0 is ", parts[0].shape(), "; they must be equal");
    rows.push_back(unsqueeze(parts[i], axis));
  }
  return concatenate(rows, axis, place);
}

std::vector<Tensor> split(const Operand& x, std::int64_t sections, int axis) {
  const OpScope scope("split", x.place());
  axis = checked_axis(axis, x.shape());
  if (sections <= 0) scope.fail<ValueError>("the number of sections is ", sections, "; expected at least 1");
  const std::int64_t size = x.shape()[axis], length = size / sections;
  if (size % sections != 0)
    scope.fail("axis ", axis, " of shape ", x.shape(), " does not divide into ", sections,
               " equal parts; cut it with slice");
  std::vector<Tensor> parts;
  for (std::int64_t i = 0; i < sections; ++i) parts.push_back(slice(x, axis, i * length, (i + 1) * length));
  return parts;
}

Tensor tile(const Operand& x, const std::vector<std::int64_t>& reps) {
  const OpScope scope("tile", x.place());
  const int given = static_cast<int>(reps.size()), ndim = std::max(given, x.ndim());
  Shape shape;
  std::vector<std::int64_t> times(static_cast<std::size_t>(ndim), 1);
  std::copy(reps.rbegin(), reps.rend(), times.rbegin());
  for (int d = 0; d < ndim; ++d) shape.push_back(d < ndim - x.ndim() ? 1 : x.shape()[d - ndim]);
  Shape result = shape;
  for (int d = 0; d < ndim; ++d) {
    const std::int64_t n = times[static_cast<std::size_t>(d)];
    if (n < 0) scope.fail<ValueError>("axis ", d, " is to be repeated ", n, " times; expected at least 0");
    if (__builtin_mul_overflow(shape[d], n, &result[d]))
      scope.fail("shape ", shape, " repeated ", n, " times along axis ", d, " has more elements than can be counted");
  }
  check_sizes(result);
  // One axis after another, innermost first: (outer, inner) becomes (outer, n, inner), so the rank stays small.
  Tensor y = reshape(x, shape);
  for (int d = ndim - 1; d >= 0; --d) {
    const std::int64_t n = times[static_cast<std::size_t>(d)];
    if (n == 1) continue;
    const std::int64_t outer = shape.product(0, d), inner = shape.product(d, ndim);
    shape[d] *= n;
    y = reshape(broadcast_to(reshape(y, {outer, 1, inner}), {outer, n, inner}), shape);
  }
  return y;
}

}  // namespace xgrad
