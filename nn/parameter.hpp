#pragma once
#include <autograd/tensor.hpp>

#pragma GCC visibility push(default)

/// Parameters and buffers: the tensors that belong to a model.
namespace xgrad::nn {

namespace detail {

/// A tensor that belongs to one model: Parameter below says how it is copied, assigned and moved.
class OwnedTensor : public Tensor {
 public:
  OwnedTensor(const OwnedTensor& other);
  OwnedTensor(OwnedTensor&& other) noexcept;
  ~OwnedTensor();
  // `p += x` would make the handle another tensor, which no optimiser trains; use assign.
  template <class T>
  void operator+=(const T&) = delete;
  template <class T>
  void operator-=(const T&) = delete;
  template <class T>
  void operator*=(const T&) = delete;
  template <class T>
  void operator/=(const T&) = delete;

 protected:
  OwnedTensor();
  OwnedTensor(Tensor values, bool requires_grad, Place place);
  OwnedTensor& operator=(const OwnedTensor& other);
  OwnedTensor& operator=(OwnedTensor&& other) noexcept;

 private:
  /// Overwrites the numbers with those of one of equal shape and dtype; returns false for any other.
  bool overwrite(const OwnedTensor& other);
};

}  // namespace detail

/// A leaf tensor that a model trains. It is a Tensor in every op, `matmul(x, weight)`, with the semantics of a value:
///
/// - Copying a parameter, and so a model, makes a new leaf with the same numbers and without a gradient.
/// - Assigning one of equal shape and dtype overwrites the numbers in place and drops the gradient, so that
///   optimisers made before still train this one: `model = best;`, `model = Net{};`, `weight = zeros({4, 8});`.
/// - Constructing one by a move, as when a function returns a model, hands over the leaf itself.
///
/// `Tensor t = weight` is a handle to the parameter; `auto w = weight` is a copy. A default-built parameter is absent,
/// as the bias of a layer without one.
class Parameter : public detail::OwnedTensor {
 public:
  Parameter() = default;
  /// A leaf with these numbers, which are copied unless nobody else holds them. Throws DtypeError unless f32 or f64.
  Parameter(Tensor values, Place place = Place::here()) : OwnedTensor(std::move(values), true, place) {}
};

/// A tensor that is part of a model's state but is not trained, such as a running mean; otherwise like Parameter.
class Buffer : public detail::OwnedTensor {
 public:
  Buffer() = default;
  Buffer(Tensor values, Place place = Place::here()) : OwnedTensor(std::move(values), false, place) {}
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
