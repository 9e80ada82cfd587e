#include <algorithm>
#include <autograd/primitive.hpp>
#include <autograd/recording.hpp>

namespace xgrad {
namespace {

thread_local constinit bool recording_enabled = true;
thread_local constinit const Node* differentiating = nullptr;

template <class E, class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  throw E(OpScope::prefix() + text(parts...));
}

/// The one dtype of all tensor inputs.
template <std::size_t N>
Dtype common_dtype(const Input (&inputs)[N]) {
  const Input* first = nullptr;
  for (const Input& input : inputs) {
    if (input.is_number()) continue;
    if (!first) {
      first = &input;
    } else if (input.tensor().dtype() != first->tensor().dtype()) {
      fail<DtypeError>("a is ", name_of(first->tensor().dtype()), ", b is ", name_of(input.tensor().dtype()),
                       "; convert one with .to(...)");
    }
  }
  if (!first) fail<ValueError>("all arguments are plain numbers; make one a tensor with tensor(...)");
  const Dtype dtype = first->tensor().dtype();
  for (const Input& input : inputs) {
    if (input.is_number() && !input.number().fits(dtype))
      fail<DtypeError>("the number ", input.number(), " is no ", name_of(dtype), "; convert the tensor with .to(f64)");
  }
  return dtype;
}

template <class Function>
Function checked_kernel(Function kernel, Dtype dtype) {
  if (!kernel) fail<DtypeError>("not defined for ", name_of(dtype), "; convert with .to(f32)");
  return kernel;
}

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

/// f(a, b), broadcast, as the inputs' dtype or as booleans.
Array run_binary(const Input (&inputs)[2], const kernels::Table::BinaryFn (&kernel_of)[dtype_count], bool to_boolean) {
  const Dtype dtype = common_dtype(inputs), result_dtype = to_boolean ? boolean : dtype;
  const auto kernel = checked_kernel(kernel_of[int(dtype)], dtype);
  const void* data[2];
  alignas(8) std::byte numbers[2][8];
  for (int i = 0; i < 2; ++i) {
    if (inputs[i].is_number()) {
      inputs[i].number().store(dtype, numbers[i]);
      data[i] = numbers[i];
    } else {
      data[i] = inputs[i].tensor().array().data();
    }
  }
  const bool a_number = inputs[0].is_number(), b_number = inputs[1].is_number();
  const auto run = [&](const Shape& shape, const kernels::Loop<2>& loop) {
    Array result(result_dtype, shape);
    if (result.size() > 0) kernel(data[0], data[1], result.data(), loop);
    return result;
  };
  const Shape& shape = inputs[a_number].tensor().shape();
  if (a_number || b_number || shape == inputs[1].tensor().shape())
    return run(shape, {1, {shape.size()}, {{!a_number}, {!b_number}}});
  kernels::Loop<2> loop;
  const Shape both = broadcast_loop(shape, inputs[1].tensor().shape(), loop);
  return run(both, loop);
}

Array run_unary(const Array& x, kernels::Table::UnaryFn kernel, Dtype result_dtype) {
  checked_kernel(kernel, x.dtype());
  Array result(result_dtype, x.shape());
  kernel(x.data(), result.data(), x.size());
  return result;
}

}  // namespace

bool grad_enabled() { return recording_enabled; }

detail::GradMode::GradMode(bool enabled) : before_(recording_enabled) { recording_enabled = enabled; }
detail::GradMode::~GradMode() { recording_enabled = before_; }

detail::Differentiating::Differentiating(const Node* node) : before_(differentiating) { differentiating = node; }
detail::Differentiating::~Differentiating() { differentiating = before_; }

bool detail::recording(const Input* inputs, std::size_t count) {
  if (!recording_enabled) return false;
  for (std::size_t i = 0; i < count; ++i)
    if (inputs[i].requires_grad()) return true;
  return false;
}

void detail::check_inputs(const Input* inputs, std::size_t count, bool allow_numbers) {
  for (std::size_t i = 0; i < count; ++i) {
    if (allow_numbers && inputs[i].is_number()) continue;
    const Tensor& t = inputs[i].tensor();
    if (!t.defined())
      fail<ValueError>("argument ", i, " is an undefined (default-built) tensor; give it a value first");
    recording::keep(t);
    if (!differentiating) continue;
    const std::uint64_t written = t.array().storage()->written.load(std::memory_order_relaxed);
    if (written > differentiating->recorded)
      fail<GraphError>("a value of shape ", t.shape(), " that the gradient of ", differentiating->name,
                       " needs was overwritten after it was recorded (it is at version ", written,
                       ", expected at most ", differentiating->recorded,
                       "); call backward before assign or step, or record the op again");
  }
}

thread_local constinit Observing* Observing::current_ = nullptr;

void detail::Watch::tell_start(const char* name, const Input* inputs, std::size_t count) {
  call_ = {name, OpScope::place({}), inputs, count, differentiating};
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

Array detail::elementwise_forward(const Input (&inputs)[1], kernels::Unary kernel) {
  const Array& x = inputs[0].tensor().array();
  return run_unary(x, kernels::table().unary[int(kernel)][int(x.dtype())], x.dtype());
}

Array detail::elementwise_forward(const Input (&inputs)[2], kernels::Binary kernel) {
  return run_binary(inputs, kernels::table().binary[int(kernel)], false);
}

Tensor compare(const char* name, const Operand& a, const Operand& b, kernels::Compare kernel) {
  const Input inputs[] = {a, b};
  const OpScope scope(name, a.place());
  detail::check_inputs(inputs, 2, true);
  detail::Watch watch(name, inputs, 2);
  Tensor result(watch.computed(run_binary(inputs, kernels::table().compare[int(kernel)], true)));
  watch.ends(result);
  return result;
}

Tensor predicate(const char* name, const Operand& x, kernels::Predicate kernel) {
  const Input inputs[] = {x};
  const OpScope scope(name, x.place());
  detail::check_inputs(inputs, 1);
  detail::Watch watch(name, inputs, 1);
  const Array& array = inputs[0].tensor().array();
  Tensor result(watch.computed(run_unary(array, kernels::table().predicate[int(kernel)][int(array.dtype())], boolean)));
  watch.ends(result);
  return result;
}

}  // namespace xgrad
