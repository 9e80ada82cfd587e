#include <autograd/core/capturing.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/kernels/table.hpp>
#include <autograd/ops.hpp>
#include <autograd/ops/numbers_read.hpp>
#include <autograd/ops/walk.hpp>
#include <autograd/primitive.hpp>
#include <cmath>
#include <cstring>

// The members of Tensor that read its numbers, copy them, convert them and overwrite them: ops like any others.
namespace xgrad {

thread_local constinit bool capturing::numbers_read = false;

double Tensor::real_item(Place place) const {
  const OpScope scope("item", place);
  if (capturing::active()) capturing::numbers_read = true;
  if (size() != 1)
    scope.fail<ShapeError>("a tensor of shape ", shape(), " has ", size(),
                           " elements, not one; reduce or slice it first");
  double number;
  kernels::table().cast[int(dtype())][int(f64)](array().data(), &number, 1);
  return number;
}

std::int64_t Tensor::integer_item(std::int64_t lowest, std::uint64_t highest, Place place) const {
  const OpScope scope("item", place);
  const double number = std::trunc(real_item(place));
  const auto check = [&](bool fits, const auto& value) {
    if (!fits)
      scope.fail<ValueError>("the value ", value, " is outside of ", lowest, " to ", highest,
                             ", what the type asked for can hold; ask for a wider one, as item<double>()");
  };
  if (dtype() == i64) {
    const std::int64_t integer = *data<std::int64_t>();
    check(integer >= lowest && (integer < 0 || static_cast<std::uint64_t>(integer) <= highest), integer);
    return integer;
  }
  // `highest` as a double may be rounded up, and is the first that does not fit then.
  check(number >= static_cast<double>(lowest) && number < static_cast<double>(highest) + 1, number);
  return number < 0 ? static_cast<std::int64_t>(number) : static_cast<std::int64_t>(static_cast<std::uint64_t>(number));
}

bool Tensor::truth() const {
  const OpScope scope("bool", detail::place_of_comparison(*this));
  if (size() != 1)
    scope.fail("the truth of a tensor of shape ", shape(), " is that of ", size(),
               " elements; ask all(x) or any(x), or choose for each element by where, maximum or minimum");
  return real_item({}) != 0;
}

Tensor detail::numbers_of(const Tensor& t, Dtype dtype, std::int64_t lowest, std::uint64_t highest, Place place) {
  const OpScope scope("to_vector", place);
  if (capturing::active()) capturing::refuse();
  const Tensor numbers = t.detach().to(dtype);
  for (std::int64_t i = 0; dtype == i64 && i < numbers.size(); ++i) {
    const std::int64_t n = numbers.data<std::int64_t>()[i];
    if (n < lowest || (n > 0 && static_cast<std::uint64_t>(n) > highest))
      scope.fail<ValueError>("the value ", n, " at position ", i, " is outside of ", lowest, " to ", highest,
                             ", what the type asked for can hold; ask for a wider one, as to_vector<double>(t)");
  }
  return numbers;
}

/// Throws ValueError for a number that i64 cannot hold, even truncated.
template <class T>
static void check_integers(const T* x, const Shape& shape) {
  const auto fits = [](T value) { return (value >= T(-0x1p63)) & (value < T(0x1p63)); };
  int misfits = 0;  // no bool and no early exit, so that the compiler makes it a SIMD loop
  for (std::int64_t i = 0; i < shape.size(); ++i) misfits |= !fits(x[i]);
  for (std::int64_t i = 0; misfits && i < shape.size(); ++i)
    if (!fits(x[i]))
      throw ValueError(OpScope::prefix() + text("the value ", static_cast<double>(x[i]), " at position ", i,
                                                " of shape ", shape, " is no i64; replace it first, as by where"));
}

Tensor Tensor::to(Dtype to, Place place) const {
  const OpScope scope("to", place);
  const Dtype from = dtype();
  if (from == to) return *this;
  capturing::keep(*this);
  const auto forward = [&] {
    if (to == i64 && from == f32) capturing::repeat(check_integers<float>, data<float>(), shape());
    if (to == i64 && from == f64) capturing::repeat(check_integers<double>, data<double>(), shape());
    Array result(to, shape());
    kernels::table().cast[int(from)][int(to)](array().data(), result.data(), size());
    return result;
  };
  if (!is_floating(from) || !is_floating(to)) return primitive("to", {*this}, forward, not_differentiable);
  return primitive("to", {*this}, forward, [from](const Tensor& g) { return g.to(from); });
}

Tensor Tensor::clone(Place place) const {
  const OpScope scope("clone", place);
  return primitive(
      "clone", {*this}, [this] { return array().clone(); }, [](const Tensor& g) { return g; });
}

static void overwrite_bytes(Storage* storage, void* to, const void* from, std::int64_t bytes) {
  if (bytes > 0) std::memmove(to, from, static_cast<std::size_t>(bytes));
  storage->written.store(tick(), std::memory_order_relaxed);
}

void Tensor::check_may_be_overwritten(const OpScope& scope) const {
  if (!requires_grad() || !grad_enabled()) return;
  if (is_leaf()) scope.fail<GraphError>("a leaf that requires a gradient can be overwritten under NoGrad only");
  scope.fail<GraphError>("the result of ", node()->name,
                         " cannot be overwritten while its history is recorded; use detach()");
}

/// Overwrites a part of `whole`, now and in each replay.
static void overwrite(const Tensor& whole, const Array& part, const Tensor& other, const OpScope& scope) {
  if (other.shape() != part.shape())
    scope.fail<ShapeError>("the values are ", other.shape(), ", the tensor is ", part.shape(), "; they must be equal");
  if (other.dtype() != part.dtype())
    scope.fail<DtypeError>("the values are ", name_of(other.dtype()), ", the tensor is ", name_of(part.dtype()),
                           "; convert them with .to(...)");
  capturing::keep(whole);
  capturing::keep(other);
  capturing::repeat(overwrite_bytes, part.storage().get(), part.data(), other.array().data(),
                    static_cast<std::int64_t>(part.bytes()));
}

void Tensor::assign(const Tensor& other, Place place) {
  const OpScope scope("assign", place);
  check_may_be_overwritten(scope);
  overwrite(*this, array(), other, scope);
}

void Tensor::overwrite_at(std::initializer_list<Index> at, const Operand& value) {
  const OpScope scope("set", at.begin()->place);
  check_may_be_overwritten(scope);
  const int count = static_cast<int>(at.size());
  if (count > ndim()) scope.fail(count, " indices for a tensor of shape ", shape(), "; give at most one for each axis");
  std::int64_t row = 0;
  for (int axis = 0; axis < count; ++axis)
    row = row * shape()[axis] + checked_position(at.begin()[axis].value, axis, shape());
  const Shape left(shape().begin() + count, shape().end());
  overwrite(*this, array().viewed(left, row * left.size()),
            value.is_number() ? broadcast_to(value.tensor(dtype()), left) : value.tensor(), scope);
}

}  // namespace xgrad
