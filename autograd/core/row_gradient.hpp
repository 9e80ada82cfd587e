#pragma once
#include <autograd/tensor.hpp>
#include <mutex>

/// Gradients of rows.
namespace xgrad::detail {

/// The gradient of a table (count, features...) of which an op took some rows: the gradients of these, side by side;
/// all other rows are zeros. To the sweep it is a Tensor of the table's shape, whose array has no numbers: its `data()`
/// is null, and its storage's owner is this. Only a leaf holds one, until somebody asks for grad(), and so it never
/// reaches an op, a rule, a hook or a user; `as_dense` gives them an ordinary tensor. Optimisers and clipping go by
/// rows.
class RowGradient final : public StorageOwner {
 public:
  const Tensor indices;  // i64 (k), counted from the front; of a row that stands there twice the gradients add up
  const Tensor values;   // (k, features...); others may hold them, too

  static Tensor make(const Shape& whole, const Tensor& indices, const Tensor& values);
  /// Null unless `g` is one.
  static RowGradient* of(const Tensor& g) {
    return !g.defined() || g.array().data() ? nullptr : static_cast<RowGradient*>(g.array().storage()->owner);
  }

  /// The same gradient as an ordinary tensor, made once.
  Tensor dense();
  /// That tensor if it was asked for; undefined otherwise.
  Tensor known_dense();
  /// Whether it was assigned to since: then it says what the gradient is.
  bool is_overwritten();
  /// Another one, that neither knows what is assigned to this one's `dense` nor asks for more memory.
  Tensor copy();

  void take_back(Storage*) noexcept override { delete this; }

 private:
  RowGradient(const Shape& whole_, const Tensor& indices_, const Tensor& values_)
      : indices(indices_), values(values_), storage_(0, nullptr, this), whole_shape_(whole_) {}
  ~RowGradient() = default;

  Storage storage_;
  const Shape whole_shape_;
  std::mutex lock_;  // of what follows
  Tensor dense_;
  std::uint64_t made_ = 0;  // on the clock of writes
};

/// `g`, or the ordinary tensor of the same numbers.
inline Tensor as_dense(const Tensor& g) {
  RowGradient* const rows = RowGradient::of(g);
  return rows ? rows->dense() : g;
}
/// The sum of two gradients of which one at least is of rows; itself of rows if both are.
Tensor added(const Tensor& a, const Tensor& b);
/// The same gradient in values of its own, where the first of several for one row is their sum and the others zeros.
Tensor summed(const Tensor& g);

}  // namespace xgrad::detail
