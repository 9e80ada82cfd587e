#include <algorithm>
#include <autograd/backward.hpp>
#include <autograd/core/capturing.hpp>
#include <autograd/fused/op.hpp>
#include <autograd/ops.hpp>
#include <memory>
#include <mutex>

/// A fused function as an op of tensors.
namespace xgrad {

namespace detail {

thread_local constinit std::optional<Dtype> dtype_of_numbers;

namespace {

using kernels::max_operands, kernels::max_results, kernels::Operands, kernels::RowFunction;

/// Adds an operand of shape `from` to an elementwise loop over `shape`.
void add_operand(Operands& operands, const Shape& from, const Shape& shape) {
  kernels::Loop<1>& loop = operands.loops[operands.count++];
  const Shape strides = broadcast_strides(from, shape);
  loop.rank = shape.ndim();
  std::copy(shape.begin(), shape.end(), loop.sizes);
  std::copy(strides.begin(), strides.end(), loop.strides[0]);
  loop.collapse();
}

void run(const FusedFunction& f, bool partials, Dtype dtype, const Operands& operands,
         const void* const (&in)[max_operands], void* const (&out)[max_results]) {
  const FusedFunction::Rows& rows = f.rows[int(dtype)];
  RowFunction row{partials ? rows.partials : rows.values, int(size_of(dtype)), rows.lanes, {}};
  std::copy(std::begin(f.closure), std::end(f.closure), row.closure);
  capturing::repeat(kernels::run_rows, row, operands, in[0], in[1], in[2], in[3], in[4], in[5], in[6], out[0], out[1],
                    out[2], out[3], out[4], out[5]);
}

/// The dtype that numbers have, while alive.
struct NumbersAs : Scoped<std::optional<Dtype>> {
  explicit NumbersAs(Dtype dtype) : Scoped(dtype_of_numbers, dtype) {}
};

/// What the rules of one call share: the function and the saved inputs. One pass over the numbers gives the cotangents
/// of all inputs: the first rule that runs computes them, and the others take theirs.
class FusedCall {
 public:
  FusedCall(const FusedFunction& f, const OperandRef* inputs, int count, Dtype dtype) : f_(f), count_(count) {
    for (int k = 0; k < count; ++k) {
      const OperandRef& input = inputs[k];
      inputs_[k] = input.is_number() ? full({}, input.number(), {.dtype = dtype}) : input.tensor();
      needed_[k] = input.requires_grad();
    }
  }

  Tensor cotangent(std::size_t i, const Tensor& g) {
    const OperandRef check[] = {inputs_[0], inputs_[1], inputs_[2], inputs_[3], inputs_[4], inputs_[5]};
    check_inputs(check, std::size_t(count_));
    if (grad_enabled()) return recorded_cotangent(i, g);
    const std::lock_guard lock(mutex_);
    if (!holds(i, g.array())) compute(g);
    Tensor result(std::move(cotangents_[i]));
    cotangents_[i] = Array();
    for (const Array& left : cotangents_)
      if (left.defined()) return result;
    g_ = Array();
    return result;
  }

 private:
  /// Whether what was computed before is for this g, and for nothing that has been overwritten since.
  bool holds(std::size_t i, const Array& g) const {
    return cotangents_[i].defined() && g_.data() == g.data() && time_ == now() && recording_ == capturing::current;
  }

  void compute(const Tensor& g) {
    g_ = Array();  // what is held is of no use if this throws
    capturing::keep(g);
    const Shape& shape = g.shape();
    Operands operands;
    operands.n = shape.size();
    const void* in[max_operands] = {};
    void* out[max_results] = {};
    for (int k = 0; k < count_; ++k) {
      add_operand(operands, inputs_[k].shape(), shape);
      in[k] = inputs_[k].array().data();
      cotangents_[k] = needed_[k] ? Array(g.dtype(), shape) : Array();
      out[k] = cotangents_[k].data();
    }
    add_operand(operands, shape, shape);
    in[count_] = g.array().data();
    run(f_, true, g.dtype(), operands, in, out);
    g_ = g.array();
    time_ = now();
    recording_ = capturing::current;
  }

  /// The cotangent as a function of g and the inputs that can be differentiated again: the function of tensors is
  /// differentiated by its ops' rules.
  Tensor recorded_cotangent(std::size_t i, const Tensor& g) const {
    Tensor x[max_results];
    std::copy_n(inputs_, count_, x);
    // A node of its own tells this input from the same tensor as another input.
    x[i] = primitive(
        "identity", {inputs_[i]}, [&] { return inputs_[i].array(); }, [](const Tensor& h) { return h; });
    const NumbersAs numbers(g.dtype());
    Tensor y = f_.of_tensors(f_.closure, x);
    if (!y.requires_grad()) return {};
    if (y.shape() != g.shape()) y = broadcast_to(y, g.shape());
    return grad(y, {x[i]}, g, {.create_graph = true, .allow_unused = true})[0];
  }

  const FusedFunction f_;
  const int count_;
  Tensor inputs_[max_results];
  bool needed_[max_results] = {};

  std::mutex mutex_;
  Array g_, cotangents_[max_results];
  std::uint64_t time_ = 0;
  const void* recording_ = nullptr;
};

auto rule(const std::shared_ptr<FusedCall>& call, std::size_t input) {
  return [call, input](const Tensor& g) { return call->cotangent(input, g); };
}

Shape broadcast_shape(const OpScope& scope, const OperandRef* inputs, int count) {
  Shape shape;
  for (int k = 0; k < count; ++k) {
    const Shape before = shape;
    if (inputs[k].is_number() || broadcast(before, inputs[k].tensor().shape(), shape)) continue;
    std::string shapes;
    for (const OperandRef* input = inputs; input != inputs + count; ++input)
      shapes +=
          text(input == inputs ? "" : ", ", input->is_number() ? input->number().str() : input->tensor().shape().str());
    scope.fail("shapes do not broadcast: ", shapes, "; sizes must agree or be 1, counted from the last axis");
  }
  check_sizes(shape);
  return shape;
}

Array values(const OpScope& scope, const FusedFunction& f, const OperandRef* inputs, int count, Dtype dtype) {
  const Shape shape = broadcast_shape(scope, inputs, count);
  Operands operands;
  operands.n = shape.size();
  alignas(8) std::byte numbers[max_results][8];
  const void* in[max_operands] = {};
  for (int k = 0; k < count; ++k) {
    const OperandRef& input = inputs[k];
    add_operand(operands, input.is_number() ? Shape() : input.tensor().shape(), shape);
    if (input.is_number()) input.number().store(dtype, numbers[k]);
    in[k] = input.is_number() ? numbers[k] : input.tensor().array().data();
  }
  Array result(dtype, shape);
  run(f, false, dtype, operands, in, {result.data()});
  return result;
}

template <std::size_t... i>
Tensor recorded(const char* name, const OperandRef (&inputs)[sizeof...(i)], Array numbers,
                const std::shared_ptr<FusedCall>& call, std::index_sequence<i...>) {
  return record(name, inputs, true, std::move(numbers), rule(call, i)...);
}

}  // namespace

// g++ sees a template as its definition says, not as its header does.
#pragma GCC visibility push(default)
template <std::size_t N>
Tensor fused(const char* name, const FusedFunction& f, const OperandRef (&inputs)[N]) {
  const OpScope scope(name, inputs[0].place());
  check_inputs(inputs, N, true);
  const Dtype dtype = common_floating_dtype(inputs, N);
  Watch watch(name, inputs, N);
  Array numbers = watch.computed(values(scope, f, inputs, int(N), dtype));
  std::shared_ptr<FusedCall> call;
  if (recording(inputs, N))
    call = std::allocate_shared<FusedCall>(memory::PoolAllocator<FusedCall>(), f, inputs, int(N), dtype);
  const Tensor result = recorded(name, inputs, std::move(numbers), call, std::make_index_sequence<N>());
  watch.ends(result);
  return result;
}

template Tensor fused(const char*, const FusedFunction&, const OperandRef (&)[1]);
template Tensor fused(const char*, const FusedFunction&, const OperandRef (&)[2]);
template Tensor fused(const char*, const FusedFunction&, const OperandRef (&)[3]);
template Tensor fused(const char*, const FusedFunction&, const OperandRef (&)[4]);
template Tensor fused(const char*, const FusedFunction&, const OperandRef (&)[5]);
template Tensor fused(const char*, const FusedFunction&, const OperandRef (&)[6]);
#pragma GCC visibility pop

}  // namespace detail
}  // namespace xgrad
