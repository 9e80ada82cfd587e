#include <algorithm>
#include <autograd/core/capturing.hpp>
#include <autograd/factories.hpp>
#include <autograd/kernels/table.hpp>
#include <cmath>

/// The functions that make tensors of given numbers.
namespace xgrad {
namespace {

Tensor finished(Array array, const TensorOptions& options, const OpScope& scope) {
  if (options.requires_grad && !is_floating(options.dtype))
    scope.fail<DtypeError>("a tensor of type ", name_of(options.dtype), " cannot require a gradient; use f32 or f64");
  Tensor t(std::move(array));
  if (options.requires_grad) t.set_requires_grad(true);
  return t;
}

void check_fits(const Number& n, Dtype dtype, const OpScope& scope) {
  if (!n.fits(dtype)) scope.fail<DtypeError>("the number ", n, " is no ", name_of(dtype), "; pass {.dtype = f64}");
}

void fill(const Array& array, const Number& value) {
  if (array.size() == 1 && !capturing::active()) return value.store(array.dtype(), array.data());
  alignas(8) std::byte one[8];
  value.store(array.dtype(), one);
  const auto loop = kernels::Loop<2>::row(array.size(), 1, 0);
  if (array.size() > 0) kernels::table().copy[int(array.dtype())](one, array.data(), loop);
}

/// Element i of the result is f(i), a double or an integer.
template <class F>
Array tabulate(Dtype dtype, const Shape& shape, F f) {
  const capturing::Paused paused;
  Array array(dtype, shape);
  paused.add_constant(array);
  auto* const bytes = array.data<std::byte>();
  const std::size_t step = size_of(dtype);
  for (std::int64_t i = 0; i < shape.size(); ++i) Number(f(i)).store(dtype, bytes + static_cast<std::size_t>(i) * step);
  return array;
}

}  // namespace

Nested::Nested(std::initializer_list<Nested> rows) : all_bool_(rows.size() > 0) {
  shape_.push_back(static_cast<std::int64_t>(rows.size()));
  if (rows.size() == 0) return;
  const Shape& inner = rows.begin()->shape_;
  for (const Nested& row : rows) {
    if (ragged_.empty()) ragged_ = row.ragged_;
    if (ragged_.empty() && row.shape_ != inner) ragged_ = text("rows of unequal shape: ", inner, " and ", row.shape_);
    numbers_.insert(numbers_.end(), row.numbers_.begin(), row.numbers_.end());
    all_bool_ = all_bool_ && row.all_bool_;
  }
  for (std::int64_t size : inner) shape_.push_back(size);
}

Tensor tensor(const Nested& values, TensorOptions options, Place place) {
  const OpScope scope("tensor", place);
  if (!values.ragged_.empty()) scope.fail(values.ragged_, "; every row needs as many numbers as the first");
  const capturing::Paused paused;
  Array array(options.dtype, values.shape());
  paused.add_constant(array);
  auto* to = array.data<std::byte>();
  for (const Number& n : values.numbers()) {
    check_fits(n, options.dtype, scope);
    n.store(options.dtype, to);
    to += size_of(options.dtype);
  }
  return finished(std::move(array), options, scope);
}

void detail::check_wrapped(const std::int64_t* converted, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i)
    if (converted[i] < 0)
      fail<ValueError>("the integer ", static_cast<std::uint64_t>(converted[i]), " at position ", i,
                       " is no i64; convert it to double first");
}

// g++ sees a template as its definition says, not as its header does.
#pragma GCC visibility push(default)
template <class T>
Tensor from_values(const std::vector<T>& values, const Shape& shape, bool requires_grad, Place place) {
  const OpScope scope("from_values", place);
  check_sizes(shape);
  if (static_cast<std::int64_t>(values.size()) != shape.size())
    scope.fail(values.size(), " values for shape ", shape, ", which holds ", shape.size());
  const capturing::Paused paused;
  Array array(dtype_of<T>, shape);
  paused.add_constant(array);
  T* to = array.data<T>();
  for (const T value : values) *to++ = value;
  return finished(std::move(array), {.dtype = dtype_of<T>, .requires_grad = requires_grad}, scope);
}
template Tensor from_values(const std::vector<float>&, const Shape&, bool, Place);
template Tensor from_values(const std::vector<double>&, const Shape&, bool, Place);
template Tensor from_values(const std::vector<std::int64_t>&, const Shape&, bool, Place);
template Tensor from_values(const std::vector<bool>&, const Shape&, bool, Place);
#pragma GCC visibility pop

Tensor full(const Shape& shape, Number value, TensorOptions options, Place place) {
  const OpScope scope("full", place);
  check_fits(value, options.dtype, scope);
  Array array(options.dtype, shape);
  fill(array, value);
  return finished(std::move(array), options, scope);
}

Tensor zeros(const Shape& shape, TensorOptions options, Place place) {
  const OpScope scope("zeros", place);
  return full(shape, 0, options, place);
}

Tensor ones(const Shape& shape, TensorOptions options, Place place) {
  const OpScope scope("ones", place);
  return full(shape, 1, options, place);
}

Tensor zeros_like(const Operand& x) {
  const OpScope scope("zeros_like", x.place());
  return zeros(x.shape(), {.dtype = x.dtype()}, x.place());
}

Tensor ones_like(const Operand& x) {
  const OpScope scope("ones_like", x.place());
  return ones(x.shape(), {.dtype = x.dtype()}, x.place());
}

Tensor full_like(const Operand& x, Number value) {
  const OpScope scope("full_like", x.place());
  return full(x.shape(), value, {.dtype = x.dtype()}, x.place());
}

Tensor arange(Number start, Number stop, Number step, TensorOptions options, Place place) {
  const OpScope scope("arange", place);
  for (const Number* n : {&start, &stop, &step}) {
    if (!std::isfinite(n->real())) scope.fail<ValueError>("start, stop and step must be finite; got ", *n);
    check_fits(*n, options.dtype, scope);
  }
  if (step.real() == 0) scope.fail<ValueError>("the step is 0; pass a positive or negative one");
  const auto shape_of = [&scope](auto count) {
    if (count > std::int64_t{1} << 59) scope.fail<ValueError>(count, " elements are more than can be counted");
    return Shape{static_cast<std::int64_t>(count)};
  };
  if (start.fits(i64) && stop.fits(i64) && step.fits(i64)) {
    // Unsigned, since a difference may take all 64 bits.
    const auto first = static_cast<std::uint64_t>(start.integer()), by = static_cast<std::uint64_t>(step.integer());
    const bool up = step.integer() > 0, some = up ? start.integer() < stop.integer() : stop.integer() < start.integer();
    const std::uint64_t length = static_cast<std::uint64_t>(stop.integer()) - first;
    const std::uint64_t count = !some ? 0 : up ? (length - 1) / by + 1 : (0 - length - 1) / (0 - by) + 1;
    const auto at = [&](std::int64_t i) {
      return static_cast<std::int64_t>(first + static_cast<std::uint64_t>(i) * by);
    };
    return finished(tabulate(options.dtype, shape_of(count), at), options, scope);
  }
  const double count = std::ceil((stop.real() - start.real()) / step.real());
  const auto at = [&](std::int64_t i) { return start.real() + static_cast<double>(i) * step.real(); };
  return finished(tabulate(options.dtype, shape_of(std::max(count, 0.)), at), options, scope);
}

/// linspace's numbers, each rounded down, as NumPy does: exactly where both ends are integers.
template <class At>
static Array whole_linspace(const Number& start, const Number& stop, std::int64_t count, At at, const OpScope& scope) {
  if (!start.fits(i64) || !stop.fits(i64)) {
    for (const Number* n : {&start, &stop})
      if (!(std::fabs(n->real()) < 0x1p63)) scope.fail<ValueError>("the number ", *n, " is past what i64 holds");
    return tabulate(i64, {count}, [&](std::int64_t i) { return static_cast<std::int64_t>(std::floor(at(i))); });
  }
  const std::int64_t first = start.integer(), gaps = std::max<std::int64_t>(count - 1, 1);
  std::int64_t distance = 0, most = 0;
  if (__builtin_sub_overflow(stop.integer(), first, &distance) || __builtin_mul_overflow(gaps, gaps, &most))
    scope.fail<ValueError>(count, " integers from ", start, " to ", stop, " cannot be counted in i64; use f64");
  const std::int64_t whole = distance / gaps, rest = distance % gaps;
  return tabulate(i64, {count}, [=](std::int64_t i) {
    const std::int64_t part = i * rest;
    return first + i * whole + part / gaps - (part % gaps < 0 ? 1 : 0);
  });
}

Tensor linspace(Number start, Number stop, std::int64_t count, TensorOptions options, Place place) {
  const OpScope scope("linspace", place);
  if (count < 0) scope.fail<ValueError>("negative count ", count);
  if (options.dtype == boolean) scope.fail<DtypeError>("not defined for boolean; use f32, f64 or i64");
  for (const Number* n : {&start, &stop})
    if (!std::isfinite(n->real())) scope.fail<ValueError>("start and stop must be finite; got ", *n);
  // Halved where the distance would overflow.
  const double scale = std::isfinite(stop.real() - start.real()) ? 1 : 0.5;
  const double a = start.real() * scale, b = stop.real() * scale;
  const auto last = static_cast<double>(count - 1);
  const auto at = [&](std::int64_t i) {
    if (count == 1) return start.real();
    // Measured from the nearer end, so that both ends are exact.
    const double scaled = 2 * i < count ? a + (b - a) * (static_cast<double>(i) / last)
                                        : b - (b - a) * (static_cast<double>(count - 1 - i) / last);
    return scaled / scale;
  };
  if (options.dtype == i64) return finished(whole_linspace(start, stop, count, at, scope), options, scope);
  return finished(tabulate(options.dtype, {count}, at), options, scope);
}

Tensor eye(std::int64_t n, TensorOptions options, Place place) { return detail::eye_of(n, n, options, place); }

Tensor detail::eye_of(std::int64_t rows, std::int64_t columns, const TensorOptions& options, Place place) {
  const OpScope scope("eye", place);
  check_sizes({rows, columns});
  const auto at = [columns](std::int64_t i) { return i / columns == i % columns ? 1 : 0; };
  return finished(tabulate(options.dtype, {rows, columns}, at), options, scope);
}

}  // namespace xgrad
