#include <algorithm>
#include <autograd/core/kernel_calls.hpp>
#include <autograd/primitive.hpp>

// What every op does around its forward: checks inputs, promotes numbers, tells observers.
namespace xgrad {
namespace {

using detail::fail, detail::kernel_for;

/// The shape that two inputs broadcast to, and the loop over them.
Shape broadcast_loop(const Shape& a, const Shape& b, kernels::Loop<2>& loop) {
  Shape shape;
  if (!broadcast(a, b, shape))
    fail<ShapeError>("shapes do not broadcast: a is ", a, ", b is ", b,
                     "; sizes must agree or be 1, counted from the last axis");
  check_sizes(shape);
  loop.rank = shape.ndim();
  std::copy(shape.begin(), shape.end(), loop.sizes);
  const Shape strides[] = {broadcast_strides(a, shape), broadcast_strides(b, shape)};
  for (int i = 0; i < 2; ++i) std::copy(strides[i].begin(), strides[i].end(), loop.strides[i]);
  loop.collapse();
  return shape;
}

[[noreturn]] void fail_overwritten(const Tensor& t) {
  const Node& differentiating = *detail::Differentiating::node();
  fail<GraphError>("a value of shape ", t.shape(), " that the gradient of ", differentiating.name,
                   " needs was overwritten after it was recorded (it is at version ", t.array().written(),
                   ", expected at most ", differentiating.recorded,
                   "); call backward before assign or step, or record the op again");
}

/// f(a, b), broadcast, as the inputs' dtype or as booleans.
Array run_binary(const OperandRef (&inputs)[2], const kernels::Table::BinaryFn (&kernel_of)[dtype_count],
                 bool to_boolean) {
  const auto numbers_of = [](const OperandRef& input) { return input.is_number() ? nullptr : &input.tensor().array(); };
  const Array *const a = numbers_of(inputs[0]), *const b = numbers_of(inputs[1]);
  if (!a && !b) fail<ValueError>("all arguments are plain numbers; make one a tensor with tensor(...)");
  const Array& one = a ? *a : *b;
  const Dtype dtype = one.dtype();
  alignas(8) std::byte number[8];
  if (a && b) {
    if (b->dtype() != dtype)
      fail<DtypeError>("a is ", name_of(dtype), ", b is ", name_of(b->dtype()), "; convert one with .to(...)");
  } else {
    const Number& n = inputs[a ? 1 : 0].number();
    if (!n.fits(dtype))
      fail<DtypeError>("the number ", n, " is no ", name_of(dtype), "; convert the tensor with .to(f64)");
    n.store(dtype, number);
  }
  const auto kernel = kernel_for(kernel_of, dtype);
  const auto run = [&](const Shape& shape, const kernels::Loop<2>& loop) {
    Array result(to_boolean ? boolean : dtype, shape);
    if (result.size() > 0) kernel(a ? a->data() : number, b ? b->data() : number, result.data(), loop);
    return result;
  };
  if (!a || !b || a->shape() == b->shape())
    return run(one.shape(), kernels::Loop<2>::row(one.size(), a != nullptr, b != nullptr));
  kernels::Loop<2> loop;
  const Shape both = broadcast_loop(a->shape(), b->shape(), loop);
  return run(both, loop);
}

Array run_unary(const Array& x, const kernels::Table::UnaryFn (&kernel_of)[dtype_count], Dtype result_dtype) {
  const auto kernel = kernel_for(kernel_of, x.dtype());
  Array result(result_dtype, x.shape());
  kernel(x.data(), result.data(), x.size());
  return result;
}

}  // namespace

thread_local constinit bool detail::ops_record = true;

void detail::examine_inputs(const OperandRef* inputs, std::size_t count, bool allow_numbers) {
  for (std::size_t i = 0; i < count; ++i) {
    if (inputs[i].is_number()) {
      if (allow_numbers) continue;
      fail<ValueError>("the argument is a plain number; make it a tensor with tensor(...)");
    }
    const Tensor& t = inputs[i].tensor();
    if (!t.defined())
      fail<ValueError>("argument ", i, " is an undefined (default-built) tensor; give it a value first");
    capturing::keep(t);
    if (!t.is_valid(Differentiating::last_valid())) fail_overwritten(t);
  }
}

thread_local constinit Observing* Observing::current_ = nullptr;

void detail::Watch::tell_start(const char* name, const OperandRef* inputs, std::size_t count) {
  call_ = {name, OpScope::place({}), inputs, count, Differentiating::node()};
  Observing::tell([&](Observer& o) { o.op_starts(call_); });
  watching_ = true;
}

void detail::Watch::tell_computed(Array& result) const {
  Observing::tell([&](Observer& o) { o.op_computed(call_, result); });
}

void detail::Watch::tell_end(const Tensor& result) {
  watching_ = false;
  Observing::tell([&](Observer& o) { o.op_ends(call_, result); });
}

Dtype detail::common_floating_dtype(const OperandRef* inputs, std::size_t count) {
  std::size_t first = count;
  for (std::size_t i = 0; i < count; ++i) {
    if (inputs[i].is_number()) continue;
    const Dtype dtype = inputs[i].tensor().dtype();
    if (!is_floating(dtype))
      fail<DtypeError>("argument ", i, " is ", name_of(dtype), ", not f32 or f64; convert it with .to(f32)");
    if (first == count) first = i;
    if (const Dtype expected = inputs[first].tensor().dtype(); dtype != expected)
      fail<DtypeError>("argument ", first, " is ", name_of(expected), ", argument ", i, " is ", name_of(dtype),
                       "; convert one with .to(...)");
  }
  if (first == count) fail<ValueError>("all arguments are plain numbers; make one a tensor with tensor(...)");
  return inputs[first].tensor().dtype();
}

Array detail::elementwise_forward(const OperandRef (&inputs)[1], kernels::Unary kernel) {
  const Array& x = inputs[0].tensor().array();
  return run_unary(x, kernels::table().unary[int(kernel)], x.dtype());
}

Array detail::elementwise_forward(const OperandRef (&inputs)[2], kernels::Binary kernel) {
  return run_binary(inputs, kernels::table().binary[int(kernel)], false);
}

namespace {

struct Comparison {
  const void* numbers;
  Place place;
};
thread_local constinit Comparison last_comparison{};

void remember_comparison(const Tensor& result, Place place) {
  last_comparison = {result.array().data(), OpScope::place(place)};
}

}  // namespace

Place detail::place_of_comparison(const Tensor& t) {
  return t.defined() && t.array().data() == last_comparison.numbers ? last_comparison.place : Place{};
}

Tensor compare(const char* name, const Operand& a, const Operand& b, kernels::Compare kernel) {
  const OperandRef inputs[] = {a, b};
  const OpScope scope(name, a.place());
  detail::check_inputs(inputs, 2, true);
  detail::Watch watch(name, inputs, 2);
  Tensor result(watch.computed(run_binary(inputs, kernels::table().compare[int(kernel)], true)));
  watch.ends(result);
  remember_comparison(result, a.place());
  return result;
}

Tensor bitwise(const char* name, const Operand& a, const Operand& b, kernels::Bitwise kernel) {
  const OperandRef inputs[] = {a, b};
  const OpScope scope(name, a.place());
  detail::check_inputs(inputs, 2, true);
  for (const Operand* o : {&a, &b})
    if (!o->is_number() && is_floating(o->dtype()))
      scope.fail<DtypeError>("not defined for ", name_of(o->dtype()), "; convert with .to(i64)");
  detail::Watch watch(name, inputs, 2);
  Tensor result(watch.computed(run_binary(inputs, kernels::table().bitwise[int(kernel)], false)));
  watch.ends(result);
  return result;
}

Tensor predicate(const char* name, const Operand& x, kernels::Predicate kernel) {
  const OperandRef inputs[] = {x};
  const OpScope scope(name, x.place());
  detail::check_inputs(inputs, 1);
  detail::Watch watch(name, inputs, 1);
  const Array& array = inputs[0].tensor().array();
  Tensor result(watch.computed(run_unary(array, kernels::table().predicate[int(kernel)], boolean)));
  watch.ends(result);
  remember_comparison(result, x.place());
  return result;
}

}  // namespace xgrad
