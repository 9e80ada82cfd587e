#pragma once
#include <autograd/kernels/convolution.hpp>
#include <autograd/ops/reduce.hpp>
#include <autograd/support/scoped.hpp>

/// What ops with a moving window share: their arguments, checked, as kernels take them.
namespace xgrad {

/// A window's arguments for `count` axes.
class Window {
 public:
  /// Throws unless x is floating and (n, channels, axes...) with 1 to 3 axes.
  Window(const OpScope& scope, const Operand& x);

  int axes() const { return count_; }
  /// One number for all axes, or one for each; throws for other counts, and ValueError for one below `least`.
  Shape each(const char* what, const Shape& sizes, std::int64_t least) const;
  /// The places behind the window's moves: fills `out` and `before`, throws where the window is larger than the padded
  /// x. Padding is of at most `most`.
  void place(const Shape& padding, bool is_same = false);
  /// (n, channels, out...).
  Shape result(std::int64_t channels) const;

  kernels::Convolution geometry{};

  /// Sets one of the geometry's fields, axes that are not there to 1.
  void set(std::int64_t (kernels::Convolution::*field)[kernels::image_axes], const Shape& sizes) {
    for (int d = 0; d < kernels::image_axes; ++d) (geometry.*field)[d] = axis(d) < 0 ? 1 : sizes[axis(d)];
  }

 private:
  /// The own axis for an axis of the geometry; negative if there is none.
  int axis(int d) const { return d - (kernels::image_axes - count_); }

  const OpScope& scope_;
  const Shape& x_;
  const int count_;
};

/// Windows of zero-padded x, weighted and summed, and the two maps that come with it: differentiable to any order.
/// Shapes are those that the geometry says, with `axes` axes; b may be undefined.
Tensor convolved(const Tensor& x, const Tensor& w, const Tensor& b, const kernels::Convolution& c, int axes);

/// While alive, the rules of convolutions give the derivative by the weights of each image, (n, shape of the weights),
/// and not its sum.
class WeightsOfEachImage : detail::Scoped<bool> {
 public:
  WeightsOfEachImage() : Scoped(active_, true) {}
  static bool active() { return active_; }

 private:
  static thread_local constinit bool active_;
};

}  // namespace xgrad
