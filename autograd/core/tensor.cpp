#include <autograd/core/capturing.hpp>
#include <autograd/core/row_gradient.hpp>
#include <autograd/node.hpp>

// The handle: making leaves and constants, gradients, and numbers as operands.
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

Tensor Tensor::detach() const { return defined() ? Tensor(array()) : Tensor(); }

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

namespace {

/// A leaf's gradient that is of rows, as an ordinary tensor.
[[gnu::noinline]] Tensor dense_gradient(Node& leaf) {
  const Tensor rows = leaf.grad;
  Tensor dense = detail::as_dense(rows);
  if (capturing::active()) leaf.set_gradient(detail::RowGradient::of(rows)->copy());  // which each replay makes anew
  return dense;
}

}  // namespace

Tensor Tensor::grad() const {
  if (!requires_grad()) return {};
  Node& from = *value_->node;
  if (from.is_leaf) [[likely]] {
    capturing::reads_grad(from);
    if (detail::RowGradient::of(from.grad)) [[unlikely]]
      return dense_gradient(from);
    return from.grad;
  }
  if (!from.extras) return {};
  capturing::reads_grad(from);
  return from.gradient();
}
bool Tensor::has_grad() const {
  if (!requires_grad() || (!node()->is_leaf && !node()->extras)) return false;
  capturing::reads_grad(*node());
  return node()->gradient().defined();
}

void Tensor::set_grad(const Tensor& g, Place place) {
  const OpScope scope("set_grad", place);
  if (!requires_grad() || !is_leaf()) scope.fail<GraphError>("only a leaf that requires a gradient has one");
  if (g.defined() && g.dtype() != dtype())
    scope.fail<DtypeError>("the gradient is ", name_of(g.dtype()), ", the tensor is ", name_of(dtype()),
                           "; convert the gradient with .to(", name_of(dtype()), ")");
  if (g.defined() && g.shape() != shape())
    scope.fail<ShapeError>("the gradient is ", g.shape(), ", the tensor is ", shape(), "; they must be equal");
  value_->node->set_gradient(Tensor(g));
}

void Tensor::zero_grad() {
  if (!requires_grad()) return;
  Node& of = *value_->node;
  if (of.is_leaf || of.extras) of.set_gradient(Tensor());
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
