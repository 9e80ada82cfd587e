#include <autograd/core/recording.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/hooks.hpp>
#include <autograd/kernels/table.hpp>
#include <autograd/ops.hpp>
#include <autograd/primitive.hpp>
#include <cmath>
#include <cstring>

namespace xgrad {

Tensor::Value::Value(Array&& a, Ref<Node>&& n) : node(std::move(n)), array(std::move(a)) {}
Tensor::Value::~Value() = default;

void Tensor::Value::destroy(Value* v) noexcept {
  v->~Value();
  memory::detail::release(v, sizeof(Value));
}

Tensor::Tensor(Array&& array) : Tensor(std::move(array), Ref<Node>()) {}

Tensor::Tensor(Array&& array, Ref<Node>&& node)
    : value_(
          Ref<Value>::adopt(new (memory::detail::allocate(sizeof(Value))) Value(std::move(array), std::move(node)))) {}

void Tensor::fail_undefined(const char* asked, Place place) {
  const OpScope scope(asked, place);
  scope.fail<ValueError>("the tensor is undefined (default-built); give it a value first");
}

void Tensor::fail_dtype(Dtype asked, Place place) const {
  const OpScope scope("data", place);
  scope.fail<DtypeError>("the tensor is ", name_of(dtype()), ", not ", name_of(asked), "; convert it with .to(",
                         name_of(asked), ")");
}

const Ref<Node>& Tensor::no_node() {
  static const Ref<Node> none;
  return none;
}

void Tensor::reset_array(Array array) {
  if (!defined()) fail_undefined("reset_array", {});
  if (!is_leaf()) throw GraphError(OpScope::prefix() + "only a leaf's numbers can be replaced");
  if (value_->node) {
    Ref<Node> leaf = Node::make_leaf(array);
    std::swap(leaf->extras, value_->node->extras);  // its hooks
    value_->node = std::move(leaf);
  }
  value_->array = std::move(array);
}

double Tensor::real_item(Place place) const {
  const OpScope scope("item", place);
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
  recording::keep(*this);
  const auto forward = [&] {
    if (to == i64 && from == f32) recording::repeat(check_integers<float>, data<float>(), shape());
    if (to == i64 && from == f64) recording::repeat(check_integers<double>, data<double>(), shape());
    Array result(to, shape());
    kernels::table().cast[int(from)][int(to)](array().data(), result.data(), size());
    return result;
  };
  if (!is_floating(from) || !is_floating(to)) return primitive("to", {*this}, forward, not_differentiable);
  return primitive("to", {*this}, forward, [from](const Tensor& g) { return g.to(from); });
}

Tensor Tensor::detach() const { return defined() ? Tensor(array()) : Tensor(); }

Tensor Tensor::clone(Place place) const {
  const OpScope scope("clone", place);
  return primitive(
      "clone", {*this}, [this] { return array().clone(); }, [](const Tensor& g) { return g; });
}

bool Tensor::is_leaf() const { return !requires_grad() || node()->is_leaf; }

Tensor& Tensor::set_requires_grad(bool on, Place place) {
  const OpScope scope("set_requires_grad", place);
  const Array& numbers = array();
  if (on == requires_grad()) return *this;
  if (on) {
    if (!is_floating(numbers.dtype()))
      scope.fail<DtypeError>("a tensor of type ", name_of(numbers.dtype()),
                             " cannot require a gradient; use f32 or f64");
    value_->node = Node::make_leaf(numbers);
  } else {
    if (!is_leaf())
      scope.fail<GraphError>(
          "this tensor is the result of ", node()->name,
          ", and its history cannot be switched off; use detach() for a constant of the same values");
    value_->node.reset();
  }
  return *this;
}

Tensor Tensor::grad() const {
  if (!requires_grad()) return {};
  Node& from = *value_->node;
  if (from.is_leaf) [[likely]] {
    recording::reads_grad(from);
    return from.grad;
  }
  if (!from.extras) return {};
  recording::reads_grad(from);
  return from.gradient();
}
bool Tensor::has_grad() const { return grad().defined(); }

void Tensor::set_grad(const Tensor& g, Place place) {
  const OpScope scope("set_grad", place);
  if (!requires_grad() || !is_leaf()) scope.fail<GraphError>("only a leaf that requires a gradient has one");
  if (g.defined() && (g.shape() != shape() || g.dtype() != dtype()))
    scope.fail<ShapeError>("the gradient is ", name_of(g.dtype()), " ", g.shape(), ", the tensor is ", name_of(dtype()),
                           " ", shape(), "; they must be equal");
  recording::set_grad(*value_->node, Tensor(g));
}

void Tensor::zero_grad() {
  if (!requires_grad()) return;
  Node& of = *value_->node;
  if (of.is_leaf || of.extras) recording::set_grad(of, Tensor());
}

/// The rest of the advice to compute with gradients, where the thread's are off: in a hook, a rule or NoGrad.
static const char* where_recorded() { return grad_enabled() ? "" : ", here under an EnableGrad"; }

void Tensor::retain_grad(Place place) const {
  const OpScope scope("retain_grad", place);
  if (!requires_grad())
    scope.fail<GraphError>("a constant has no gradient; mark a leaf with .requires_grad = true before computing",
                           where_recorded());
  if (!node()->is_leaf) node()->with_extras().retains_grad = true;
}

HookHandle Tensor::add_hook(Ref<detail::Hook>&& hook, Place place) const {
  const OpScope scope("register_hook", place);
  if (!requires_grad())
    scope.fail<GraphError>("no gradient comes by a constant; mark a leaf with .requires_grad = true before computing",
                           where_recorded());
  return {node()->with_extras().hooks, std::move(hook)};
}

static void overwrite(Storage* storage, void* to, const void* from, std::int64_t bytes) {
  if (bytes > 0) std::memmove(to, from, static_cast<std::size_t>(bytes));
  storage->written.store(tick(), std::memory_order_relaxed);
}

void Tensor::assign(const Tensor& other, Place place) {
  const OpScope scope("assign", place);
  if (requires_grad() && grad_enabled()) {
    if (is_leaf()) scope.fail<GraphError>("a leaf that requires a gradient can be overwritten under NoGrad only");
    scope.fail<GraphError>("the result of ", node()->name,
                           " cannot be overwritten while its history is recorded; use detach()");
  }
  if (other.shape() != shape())
    scope.fail<ShapeError>("the values are ", other.shape(), ", the tensor is ", shape(), "; they must be equal");
  if (other.dtype() != dtype())
    scope.fail<DtypeError>("the values are ", name_of(other.dtype()), ", the tensor is ", name_of(dtype()),
                           "; convert them with .to(...)");
  recording::keep(*this);
  recording::keep(other);
  recording::repeat(overwrite, array().storage().get(), array().data(), other.array().data(),
                    static_cast<std::int64_t>(array().bytes()));
}

bool Number::fits(Dtype dtype) const {
  const double x = real();
  if (dtype == boolean) return x == 0 || x == 1;
  return dtype != i64 || is_integer_ || (x == std::floor(x) && x >= -0x1p63 && x < 0x1p63);
}

void Number::store(Dtype dtype, void* to) const {
  switch (dtype) {
    case Dtype::f32:
      *static_cast<float*>(to) = static_cast<float>(real());
      break;
    case Dtype::f64:
      *static_cast<double*>(to) = real();
      break;
    case Dtype::i64:
      *static_cast<std::int64_t*>(to) = integer();
      break;
    case Dtype::boolean:
      *static_cast<bool*>(to) = real() != 0;
      break;
  }
}

Tensor Operand::tensor(Dtype dtype) const {
  if (at_) return *at_;
  if (!number_.fits(dtype))
    throw DtypeError(OpScope::prefix() +
                     text("the number ", number_, " is no ", name_of(dtype), "; convert the tensor with .to(f64)"));
  return full({}, number_, {.dtype = dtype});
}

void Operand::fail_number(Place place) {
  const OpScope scope("Operand", place);
  scope.fail<ValueError>("the argument is a plain number; make it a tensor with tensor(...)");
}

}  // namespace xgrad
