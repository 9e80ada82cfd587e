#pragma once
#include <autograd/array.hpp>
#include <autograd/number.hpp>
#include <concepts>
#include <initializer_list>
#include <iosfwd>
#include <limits>
#include <string>
#include <vector>

#pragma GCC visibility push(default)

/// The mental model of xgrad:
///
///   Array      the numbers: a dtype, a shape, and shared, 64-byte-aligned, contiguous row-major storage
///   Node       how they were made: the op's name, and one Edge for each input that needs a gradient
///   Edge       where to send a cotangent: an input's Node, and the vjp that carries it there
///   Tensor     a cheap handle to an Array and, unless it is a constant, to a Node
///   op         a free function Tensor(s) -> Tensor: computes, and records a Node
///   backward   visits the reachable Nodes newest first, calls each vjp once, and sums what meets at a Node
///   vjp        is itself written in ops, so its own work can be recorded: derivatives of any order come for free
///
/// Value and history are separate objects: a graph keeps alive only what its vjps captured, `detach` is O(1), a
/// constant has no Node, and dropping the last handle frees the graph. Ops never write into their inputs; the only
/// writers are `assign` and the optimisers, and a backward pass that would use a value overwritten since it was
/// recorded throws instead of giving a wrong gradient.
namespace xgrad {

struct Node;
class HookHandle;
class Operand;
namespace detail {
class Hook;
}

struct TensorOptions {
  Dtype dtype = f32;
  bool requires_grad = false;
};

/// A gradient that was made with create_graph has a history, which leads to the leaf that it lies in: such a cycle,
/// the graph, the leaf and the gradient, is freed only after zero_grad() or set_grad(). The same goes for a result that
/// retains its gradient. `grad()` (autograd/backward.hpp) hands gradients out instead and leaves no cycle.
struct BackwardOptions {
  bool retain_graph = false;  // keep the graph for another pass
  bool create_graph = false;  // record the pass itself, so that its results can be differentiated; implies retain_graph
};

/// A handle to numbers and their history. Copies are the same tensor; `clone` copies the numbers.
class Tensor {
 public:
  /// An undefined tensor; every op on it throws.
  Tensor() = default;
  /// A constant that holds `array`.
  explicit Tensor(Array&& array);
  explicit Tensor(const Array& array) : Tensor(Array(array)) {}
  /// A recorded result.
  Tensor(Array&& array, Ref<Node>&& node);
  Tensor(const Tensor&) = default;
  Tensor(Tensor&&) = default;
  Tensor& operator=(const Tensor&) & = default;
  Tensor& operator=(Tensor&&) & = default;
  template <class V>
  void operator=(const V&) && {
    static_assert(detail::never<V>, "x[i] = v would change a copy of the handle; write x.set(i, v) or x.set(i, j, v)");
  }

  bool defined() const { return static_cast<bool>(value_); }
  /// These throw ValueError on an undefined tensor.
  const Shape& shape(Place place = Place::here()) const { return array_for("shape", place).shape(); }
  int ndim(Place place = Place::here()) const { return array_for("ndim", place).ndim(); }
  std::int64_t size(Place place = Place::here()) const { return array_for("size", place).size(); }
  Dtype dtype(Place place = Place::here()) const { return array_for("dtype", place).dtype(); }

  /// The numbers.
  const Array& array(Place place = Place::here()) const { return array_for("array", place); }
  /// The element of a tensor of size 1, converted to T, any arithmetic type: `loss.item()` is a double. Towards
  /// integers it is truncated. Throws ShapeError for another size, ValueError for a number, NaN too, that an integer T
  /// cannot hold. (All elements: `to_vector`.)
  template <class T = double>
  [[nodiscard]] T item(Place place = Place::here()) const;
  /// The first element; T must be the dtype's C++ type. Writing through it is seen by no version check: use `assign`.
  template <class T>
  T* data(Place place = Place::here()) const {
    const Array& numbers = array_for("data", place);
    if (numbers.dtype() != dtype_of<T>) fail_dtype(dtype_of<T>, place);
    return numbers.template data<T>();
  }
  /// A zero-copy xtensor view; include <autograd/xtensor.hpp>.
  template <class T>
  auto array(Place place = Place::here()) const;

  /// A position along an axis, counted from the end if negative, and the line where it was written.
  struct Index {
    std::int64_t value;
    Place place;
    template <std::integral I>
    Index(I i, const char* file = __builtin_FILE(), int line = __builtin_LINE())
        : value(static_cast<std::int64_t>(i)), place{file, line} {}
  };
  /// Row i: `select(x, 0, i)` (autograd/ops.hpp), differentiable. It shares storage with x.
  [[nodiscard]] Tensor operator[](Index i) const;
  /// The element at an index for each axis, `x.at(i, j)`, as a 0-d tensor; differentiable. Throws ShapeError for
  /// another number of indices, ValueError for one outside of its axis.
  template <std::integral... I>
  [[nodiscard]] Tensor at(Index i, I... more) const {
    const std::int64_t indices[] = {i.value, static_cast<std::int64_t>(more)...};
    return element(indices, 1 + int(sizeof...(I)), i.place);
  }
  /// Overwrites an element, `x.set(i, j, 2.5)`, or what the leading indices select, `x.set(i, row)`: with a number, or
  /// a tensor of the selection's shape. When that is allowed, and what is noticed: as `assign`.
  void set(Index i, const Operand& value) { overwrite_at({i}, value); }
  void set(Index i, Index j, const Operand& value) { overwrite_at({i, j}, value); }
  void set(Index i, Index j, Index k, const Operand& value) { overwrite_at({i, j, k}, value); }
  void set(Index i, Index j, Index k, Index l, const Operand& value) { overwrite_at({i, j, k, l}, value); }

  /// The same values as another dtype; towards i64 they are truncated. Differentiable between f32 and f64. Throws
  /// ValueError for a number, NaN too, that i64 cannot hold.
  [[nodiscard]] Tensor to(Dtype dtype, Place place = Place::here()) const;
  /// The same values without history; shares storage, O(1).
  [[nodiscard]] Tensor detach() const;
  /// A copy of the values, with history: gradients flow through it.
  [[nodiscard]] Tensor clone(Place place = Place::here()) const;

  bool requires_grad() const { return value_ && value_->node; }
  /// Makes a leaf whose gradient `backward` collects, or a constant. Returns *this. Throws DtypeError for i64 and
  /// boolean, GraphError when asked to make a constant of an op's result (use detach()).
  Tensor& set_requires_grad(bool on, Place place = Place::here());
  /// Whether the user made this tensor, rather than a recorded op.
  bool is_leaf() const;

  /// What backward collected here, or an undefined tensor.
  [[nodiscard]] Tensor grad() const;
  bool has_grad() const;
  /// Replaces the gradient, whose shape and dtype must be this tensor's; an undefined one removes it.
  void set_grad(const Tensor& g, Place place = Place::here());
  /// Removes the gradient, so that the next backward starts from nothing.
  void zero_grad();
  /// Has `backward` collect a gradient here although this is an op's result; of a leaf it does so anyway. Ask before
  /// computing on, and read it by grad().
  void retain_grad(Place place = Place::here()) const;
  /// hook(g) runs once per backward pass, with this tensor's total gradient and before a leaf adds that to its grad().
  /// It may return what takes g's place: throws GraphError in the pass if that has another shape or dtype. Several run
  /// in the order of registration, each on what the one before it returned. Register before computing on. Include
  /// <autograd/hooks.hpp>.
  template <class F>
  HookHandle register_hook(F hook, Place place = Place::here()) const;

  /// Overwrites the values in place with those of an equally shaped tensor of the same dtype. A leaf that requires a
  /// gradient may be assigned under NoGrad only. Graphs that still need the old values throw when used.
  void assign(const Tensor& other, Place place = Place::here());

  /// Adds d(this)/d(leaf) to every leaf's grad(). This tensor must hold one element, unless a cotangent of its shape is
  /// given.
  void backward(BackwardOptions options = {}, Place place = Place::here()) const;
  void backward(const Tensor& cotangent, BackwardOptions options = {}, Place place = Place::here()) const;

  /// Like NumPy prints an array.
  [[nodiscard]] std::string str() const;
  /// The truth of a tensor of size 1; throws ShapeError for another size. A conversion is not told where it was
  /// written: the error has the line of the comparison, if that came just before, `if (x > 0)`, and none otherwise.
  explicit operator bool() const { return truth(); }

  const Ref<Node>& node() const { return value_ ? value_->node : no_node(); }
  /// Replaces the numbers, dtype and all, for everyone who holds this tensor (nn::Module::to).
  void reset_array(Array array);
  /// Whether this handle and its storage are the only ones, so that the numbers may be overwritten unseen.
  bool unique() const { return value_.unique() && value_->array.unique(); }
  /// Whether the tensor is defined, and was not written to after `last_valid` on the clock of writes.
  bool is_valid(std::uint64_t last_valid) const { return value_ && value_->array.written() <= last_valid; }
  /// Whether no other handle is this tensor.
  bool is_only_handle() const { return value_.unique(); }
  /// Whether both handles are the same tensor.
  bool same(const Tensor& other) const { return value_ == other.value_; }

 private:
  struct Value {
    std::atomic<std::uint32_t> references{1};
    Ref<Node> node;
    Array array;
    Value(Array&& a, Ref<Node>&& n);
    ~Value();
    static void destroy(Value* v) noexcept;
  };
  static const Ref<Node>& no_node();
  /// The numbers, for what `asked` calls itself in an error.
  const Array& array_for(const char* asked, Place place) const {
    if (!value_) fail_undefined(asked, place);
    return value_->array;
  }
  [[noreturn]] static void fail_undefined(const char* asked, Place place);
  [[noreturn]] void fail_dtype(Dtype asked, Place place) const;
  Tensor element(const std::int64_t* indices, int count, Place place) const;
  void overwrite_at(std::initializer_list<Index> at, const Operand& value);
  bool truth() const;
  void check_may_be_overwritten(const OpScope& scope) const;
  HookHandle add_hook(Ref<detail::Hook>&& hook, Place place) const;
  /// The only element.
  double real_item(Place place) const;
  /// The same as an integer of [lowest, highest]; past INT64_MAX it has the same bits.
  std::int64_t integer_item(std::int64_t lowest, std::uint64_t highest, Place place) const;

  Ref<Value> value_;
};

template <class T>
T Tensor::item(Place place) const {
  if constexpr (std::is_same_v<T, bool>) {
    return real_item(place) != 0;
  } else if constexpr (std::is_integral_v<T>) {
    using Limits = std::numeric_limits<T>;
    return static_cast<T>(
        integer_item(static_cast<std::int64_t>(Limits::min()), static_cast<std::uint64_t>(Limits::max()), place));
  } else {
    return static_cast<T>(real_item(place));
  }
}

std::ostream& operator<<(std::ostream& out, const Tensor& t);
/// Each with its position, dtype and shape.
std::ostream& operator<<(std::ostream& out, const std::vector<Tensor>& tensors);

/// What an op takes: a tensor or a C++ number, and the line of the user's program where it was handed over. One made
/// from a named tensor borrows it, as a reference would; a copy of an Operand holds the tensor itself.
class Operand {
 public:
  Operand(const Tensor& t, const char* file = __builtin_FILE(), int line = __builtin_LINE())
      : at_(&t), file_(file), line_(line) {}
  Operand(const Tensor& t, Place place) : Operand(t, place.file, place.line) {}
  Operand(Tensor&& t, const char* file = __builtin_FILE(), int line = __builtin_LINE())
      : at_(&tensor_), tensor_(std::move(t)), file_(file), line_(line) {}
  template <class N>
  requires std::is_arithmetic_v<N> Operand(N n, const char* file = __builtin_FILE(), int line = __builtin_LINE())
      : number_(n), file_(file), line_(line) {}
  Operand(const Number& n, const char* file = __builtin_FILE(), int line = __builtin_LINE())
      : number_(n), file_(file), line_(line) {}
  Operand(const Operand& other)
      : at_(other.at_ ? &tensor_ : nullptr),
        tensor_(other.at_ ? *other.at_ : Tensor()),
        number_(other.number_),
        file_(other.file_),
        line_(other.line_) {}
  Operand& operator=(const Operand&) = delete;

  bool is_number() const { return !at_; }
  const Number& number() const { return number_; }
  /// The tensor; throws ValueError if it is a number.
  const Tensor& tensor() const {
    if (!at_) fail_number(place());
    return *at_;
  }
  /// The tensor, or the number as a 0-d one of type `dtype`.
  Tensor tensor(Dtype dtype) const;
  Place place() const { return {file_, line_}; }

  const Array& array() const { return tensor().array(place()); }
  const Shape& shape() const { return array().shape(); }
  int ndim() const { return array().ndim(); }
  std::int64_t size() const { return array().size(); }
  Dtype dtype() const { return array().dtype(); }
  bool requires_grad() const { return at_ && at_->requires_grad(); }

 protected:
  /// The same operand, borrowed.
  struct Borrow {};
  Operand(Borrow, const Operand& other)
      : at_(other.at_), number_(other.number_), file_(other.file_), line_(other.line_) {}

 private:
  [[noreturn]] static void fail_number(Place place);

  const Tensor* at_ = nullptr;  // null: a number
  Tensor tensor_;
  Number number_ = 0;
  const char* file_;
  int line_;
};

/// An operand as a rule captures it: `[b = Saved(b)](const Tensor& g) { return g * b; }`. Borrowed until the rule is
/// moved into a node, so that a rule which is not stored has counted no reference.
class Saved : public Operand {
 public:
  explicit Saved(const Operand& operand) : Operand(Borrow{}, operand) {}
  Saved(Saved&& other) : Operand(static_cast<const Operand&>(other)) {}
};

/// Nested braces of numbers, as `tensor` takes them; throws ShapeError when rows differ in length.
class Nested {
 public:
  template <class N>
  requires std::is_arithmetic_v<N> Nested(N n) : numbers_{Number(n)}, all_bool_(std::is_same_v<N, bool>) {}
  Nested(std::initializer_list<Nested> rows);
  const Shape& shape() const { return shape_; }
  const std::vector<Number>& numbers() const { return numbers_; }
  /// boolean where there are numbers and each is `true` or `false`, else f32.
  Dtype dtype() const { return all_bool_ ? boolean : f32; }

 private:
  Shape shape_;
  std::vector<Number> numbers_;
  bool all_bool_;
  std::string ragged_;
  friend Tensor tensor(const Nested&, TensorOptions, Place);
};

/// A tensor of the numbers in nested braces: `tensor({{1., 2.}, {3., 4.}})`, or of one number: `tensor(3.)`. It is f32
/// unless told, of integers too: whether somebody wrote `2` or `2.` changes no program. Indices and classes are asked
/// for, `tensor({0, 2}, i64)`. Without options `tensor({true, false})` is boolean, as a mask has to be.
Tensor tensor(const Nested& values, TensorOptions options, Place place = Place::here());
template <std::same_as<Place> P = Place>  // a template, so that braces after the numbers are options
Tensor tensor(const Nested& values, P place = Place::here()) {
  return tensor(values, TensorOptions{values.dtype()}, place);
}

namespace detail {
/// Whether a T may be too large for i64.
template <class T>
inline constexpr bool wraps = std::is_unsigned_v<T> && sizeof(T) >= sizeof(std::int64_t);
/// Throws ValueError if one of n integers past INT64_MAX became negative when it was converted.
void check_wrapped(const std::int64_t* converted, std::int64_t n);
}  // namespace detail

/// A tensor of `values` in row-major order: boolean of bool, i64 of other integers, f32 of float, f64 of other floating
/// types. `shape` must have as many elements. Throws ValueError for an integer that i64 cannot hold.
template <class T>
Tensor from_values(const std::vector<T>& values, const Shape& shape, bool requires_grad = false,
                   Place place = Place::here());
template <class T>
requires(!std::is_same_v<T, detail::element_t<T>>) Tensor
    from_values(const std::vector<T>& values, const Shape& shape, bool requires_grad = false,
                Place place = Place::here()) {
  const OpScope scope("from_values", place);
  std::vector<detail::element_t<T>> converted;
  for (const T value : values) converted.push_back(static_cast<detail::element_t<T>>(value));
  if constexpr (detail::wraps<T>) detail::check_wrapped(converted.data(), std::ssize(converted));
  return from_values(converted, shape, requires_grad, place);
}

Tensor zeros(const Shape& shape, TensorOptions options = {}, Place place = Place::here());
Tensor ones(const Shape& shape, TensorOptions options = {}, Place place = Place::here());
Tensor full(const Shape& shape, Number value, TensorOptions options = {}, Place place = Place::here());
/// start, start + step, ... below stop (above it for a negative step); of three integers exact.
Tensor arange(Number start, Number stop, Number step = 1, TensorOptions options = {}, Place place = Place::here());
/// `count` numbers from start to stop, both included and finite.
Tensor linspace(Number start, Number stop, std::int64_t count, TensorOptions options = {}, Place place = Place::here());
/// The (n, n) identity matrix.
Tensor eye(std::int64_t n, TensorOptions options = {}, Place place = Place::here());
/// Uniform on [0, 1).
Tensor rand(const Shape& shape, TensorOptions options = {}, Place place = Place::here());
/// Standard normal.
Tensor randn(const Shape& shape, TensorOptions options = {}, Place place = Place::here());
/// A boolean tensor, each element true with probability p.
Tensor bernoulli(const Shape& shape, double p, Place place = Place::here());
/// A random order of 0 ... n - 1, as i64.
Tensor randperm(std::int64_t n, Place place = Place::here());

/// The calling thread's random numbers start anew from `seed`. Each random call takes the next stream of the seed, so
/// the numbers depend on the seed and the order of calls, never on the processor or the number of threads.
///
/// A thread that has not called it gets a seed with its first draw, made of the main thread's seed and of how many such
/// threads have drawn since that was set, and keeps it. Threads that begin to draw one after the other therefore repeat
/// their numbers. Where their order may change, as that of a pool's tasks, let each call manual_seed with its own seed.
void manual_seed(std::uint64_t seed);
/// Where the calling thread's generator stands; `set_random_state` returns there.
struct RandomState {
  std::uint64_t seed, stream;
};
RandomState random_state();
void set_random_state(RandomState state);

}  // namespace xgrad
#pragma GCC visibility pop
