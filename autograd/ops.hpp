#pragma once
#include <autograd/activations.hpp>
#include <autograd/factories.hpp>
#include <autograd/images.hpp>
#include <autograd/indexing.hpp>
#include <autograd/normalisation.hpp>
#include <autograd/sequences.hpp>
#include <optional>
#include <string_view>

#pragma GCC visibility push(default)

/// The ops; those of the headers that this one includes are part of it. Every argument written `const Operand&` takes a
/// tensor, or a C++ number where a formula has two operands; the number takes the tensor's dtype. Two operands
/// broadcast by NumPy's rules. Axes are one or braces of some, count from the end when negative, and an empty list of
/// them means all; a 0-d tensor has none, so axis 0 or -1 of it is an error, as in NumPy. All throw ShapeError,
/// DtypeError or ValueError with the caller's file and line. Ops on floating tensors are differentiable to any order
/// unless they say otherwise.
///
/// Subnormal numbers, below 1.2e-38 in f32 and 2.2e-308 in f64, count as zeros of their sign, and a result that would
/// be one is such a zero: a processor may take a hundred times as long for them, and the gradients of a model that has
/// converged consist of them. This holds in all ops, passes (with their hooks), replays and optimisers, and changes
/// nothing in a program's own arithmetic. What only moves elements, or gives back its input, keeps the bits.
namespace xgrad {

// ---- arithmetic ----

/// Of booleans a + b is "or" and a * b is "and", as in NumPy and PyTorch.
Tensor operator+(const Operand& a, const Operand& b);
Tensor operator-(const Operand& a, const Operand& b);
Tensor operator*(const Operand& a, const Operand& b);
/// a / b; f32 and f64 only.
Tensor operator/(const Operand& a, const Operand& b);
Tensor operator-(const Operand& x);
inline Tensor operator+(const Tensor& x) { return x; }
/// `a += b` is `a = a + b`: the handle moves on to a new tensor, and other handles keep the old one.
inline Tensor& operator+=(Tensor& a, const Operand& b) { return a = Operand(a, b.place()) + b; }
inline Tensor& operator-=(Tensor& a, const Operand& b) { return a = Operand(a, b.place()) - b; }
inline Tensor& operator*=(Tensor& a, const Operand& b) { return a = Operand(a, b.place()) * b; }
inline Tensor& operator/=(Tensor& a, const Operand& b) { return a = Operand(a, b.place()) / b; }
/// a^b by C99's pow. d/da = b a^(b-1), 0 where b = 0; d/db = a^b log a, 0 where a = 0 and b >= 0. Of i64 it wraps
/// around, and throws ValueError for a negative exponent.
Tensor pow(const Operand& a, const Operand& b);
Tensor square(const Operand& x);
/// |x|; derivative sign(x), so 0 at 0.
Tensor abs(const Operand& x);
/// -1, 0 or 1, NaN of NaN; derivative 0.
Tensor sign(const Operand& x);
Tensor sqrt(const Operand& x);
/// 1 / sqrt(x).
Tensor rsqrt(const Operand& x);
/// 1 / x.
Tensor reciprocal(const Operand& x);
/// sqrt(a^2 + b^2) without overflow; derivatives a / y and b / y, 0 at the origin.
Tensor hypot(const Operand& a, const Operand& b);
/// a + w (b - a), and exactly b where w = 1.
Tensor lerp(const Operand& a, const Operand& b, const Operand& w);
/// Largest integer below, smallest above, nearest (halves to even); derivative 0.
Tensor floor(const Operand& x);
Tensor ceil(const Operand& x);
Tensor round(const Operand& x);
/// The largest whole number below a / b; derivative 0. Of i64 it throws ValueError where b is 0, as all three here do.
Tensor floor_divide(const Operand& a, const Operand& b);
/// a - b floor(a / b), exactly, which has the sign of b as in Python; derivatives 1 and -floor(a / b).
Tensor remainder(const Operand& a, const Operand& b);
Tensor operator%(const Operand& a, const Operand& b);
/// C's fmod: what is left of a when its multiples of b are taken off, which has the sign of a. Derivatives 1 and -n,
/// n being a / b without its fraction.
Tensor fmod(const Operand& a, const Operand& b);

// ---- bits: of i64 each bit, of booleans the logical function ----

Tensor operator&(const Operand& a, const Operand& b);
Tensor operator|(const Operand& a, const Operand& b);
Tensor operator^(const Operand& a, const Operand& b);
Tensor operator~(const Operand& x);

// ---- exponentials, logarithms, trigonometry ----

Tensor exp(const Operand& x);
Tensor expm1(const Operand& x);
/// Natural logarithm; NaN with derivative NaN below 0.
Tensor log(const Operand& x);
Tensor log1p(const Operand& x);
/// 2^x, and the logarithms to base 2 and 10, exact where the result is a whole number.
Tensor exp2(const Operand& x);
Tensor log2(const Operand& x);
Tensor log10(const Operand& x);
/// log(exp(a) + exp(b)) without overflow; -inf of -inf twice, there with derivative 0.
Tensor logaddexp(const Operand& a, const Operand& b);
/// a log(b), and 0 where a is 0 unless b is NaN.
Tensor xlogy(const Operand& a, const Operand& b);
Tensor sin(const Operand& x);
Tensor cos(const Operand& x);
Tensor tan(const Operand& x);
Tensor asin(const Operand& x);
Tensor acos(const Operand& x);
Tensor atan(const Operand& x);
/// The angle of the point (x, y); its derivative at the origin is 0.
Tensor atan2(const Operand& y, const Operand& x);
Tensor sinh(const Operand& x);
Tensor cosh(const Operand& x);
Tensor tanh(const Operand& x);
/// Outside of their domains, below 1 and beyond -1 and 1, acosh and atanh are NaN with derivative NaN.
Tensor asinh(const Operand& x);
Tensor acosh(const Operand& x);
Tensor atanh(const Operand& x);
/// sin(pi x) / (pi x), 1 at 0: NumPy's and PyTorch's. Differentiable to order 4 at 0.
Tensor sinc(const Operand& x);
Tensor erf(const Operand& x);
/// 1 - erf(x), without loss where erf(x) is near 1.
Tensor erfc(const Operand& x);
/// The x whose erf this is; infinite at -1 and 1, NaN beyond.
Tensor erfinv(const Operand& x);
/// log |Gamma(x)|, its derivative digamma(x), and derivative number n of that (n = 0 is digamma), whose own derivative
/// is polygamma(n + 1, x). At the poles 0, -1, -2, ... they are infinite or NaN. polygamma throws ValueError for n < 0.
Tensor lgamma(const Operand& x);
Tensor digamma(const Operand& x);
Tensor polygamma(int n, const Operand& x);

// ---- comparisons and choice; the results of comparisons are boolean ----

Tensor operator==(const Operand& a, const Operand& b);
Tensor operator!=(const Operand& a, const Operand& b);
Tensor operator<(const Operand& a, const Operand& b);
Tensor operator<=(const Operand& a, const Operand& b);
Tensor operator>(const Operand& a, const Operand& b);
Tensor operator>=(const Operand& a, const Operand& b);
/// On any dtype, read as "is not zero".
Tensor logical_and(const Operand& a, const Operand& b);
Tensor logical_or(const Operand& a, const Operand& b);
Tensor logical_xor(const Operand& a, const Operand& b);
Tensor logical_not(const Operand& x);
namespace detail {
/// An operand that is no number: && and || of a tensor and a bool stay the built-in ones.
struct TensorOperand : Operand {
  TensorOperand(const Tensor& t, const char* file = __builtin_FILE(), int line = __builtin_LINE())
      : Operand(t, file, line) {}
};
}  // namespace detail
/// logical_and, logical_or and logical_not as operators, of tensors: both sides are always computed. The built-in && of
/// a bool and a tensor asks for the truth of the tensor's one element, and only if it has to. `!` is not told its line.
inline Tensor operator&&(const Tensor& a, const detail::TensorOperand& b) {
  return logical_and(Operand(a, b.place()), b);
}
inline Tensor operator||(const Tensor& a, const detail::TensorOperand& b) {
  return logical_or(Operand(a, b.place()), b);
}
inline Tensor operator!(const Tensor& x) { return logical_not(Operand(x, Place{})); }
Tensor isnan(const Operand& x);
Tensor isfinite(const Operand& x);
/// a where the boolean mask is true, b elsewhere; all three broadcast. The gradient is selected too, never multiplied;
/// a branch that is not chosen still gets NaN from its own rule if it is infinite there, so choose its input as well:
/// `where(x > 0, sqrt(where(x > 0, x, 1)), 0)`.
Tensor where(const Operand& mask, const Operand& a, const Operand& b);
/// The smaller (larger) of two; NaN if either is. Equal operands share the gradient by halves.
Tensor minimum(const Operand& a, const Operand& b);
Tensor maximum(const Operand& a, const Operand& b);
/// x limited to [low, high]; derivative 1 inside and at the bounds, 0 outside and at NaN. Of numbers as bounds it
/// throws ValueError if low > high or either is NaN. Tensors as bounds broadcast, get the gradient of the elements that
/// they limit, and where low > high the result is high.
Tensor clamp(const Operand& x, const Operand& low, const Operand& high);
struct NanToNumOptions {
  double nan = 0;                                // what stands for NaN,
  std::optional<double> infinity = {};           // for infinity (without one the largest finite number),
  std::optional<double> negative_infinity = {};  // and for minus infinity (the lowest finite number)
};
/// x with numbers in place of NaN and infinities; derivative 0 there.
Tensor nan_to_num(const Operand& x, const NanToNumOptions& options = {});

// ---- reductions ----

/// Of booleans: how many are true, as i64. Sums and products of i64 wrap around, as C++'s unsigned ones do.
Tensor sum(const Operand& x, const Axes& axes = {}, bool keepdims = false);
/// sum / count; NaN of no elements. Of booleans: the share that is true, as f32.
Tensor mean(const Operand& x, const Axes& axes = {}, bool keepdims = false);
/// The sum and the mean of those elements that are not NaN; the others get derivative 0. The mean of none is NaN.
Tensor nansum(const Operand& x, const Axes& axes = {}, bool keepdims = false);
Tensor nanmean(const Operand& x, const Axes& axes = {}, bool keepdims = false);
/// The gradient is made of exclusive products, so zeros are exact.
Tensor prod(const Operand& x, const Axes& axes = {}, bool keepdims = false);
/// The largest (smallest) element, NaN if there is one; ties share the gradient evenly. Throws ValueError on no
/// elements. Of booleans as any and all.
Tensor max(const Operand& x, const Axes& axes = {}, bool keepdims = false);
Tensor min(const Operand& x, const Axes& axes = {}, bool keepdims = false);
/// log(sum(exp(x))) without overflow; -inf of no elements or of -inf only, there with derivative 0.
Tensor logsumexp(const Operand& x, const Axes& axes = {}, bool keepdims = false);
/// Whether all (any) elements are not zero; boolean.
Tensor all(const Operand& x, const Axes& axes = {}, bool keepdims = false);
Tensor any(const Operand& x, const Axes& axes = {}, bool keepdims = false);
/// sum((x - mean)^2) / (count - ddof), in two passes with the mean held in double; NaN unless count > ddof.
Tensor variance(const Operand& x, const Axes& axes = {}, bool keepdims = false, int ddof = 0);
/// sqrt(variance), also where the variance over- or underflows; derivative 0 where x is constant.
Tensor stddev(const Operand& x, const Axes& axes = {}, bool keepdims = false, int ddof = 0);
/// sum(|x|^p)^(1/p), p > 0 or infinity; scaled so that it neither over- nor underflows; derivative 0 at 0. Throws
/// ValueError on other p.
Tensor norm(const Operand& x, const Axes& axes = {}, bool keepdims = false, double p = 2);

// ---- vectors ----

/// The cosine of the angle between vectors along the axis, a . b / (|a| |b|), each norm counted as at least eps; so 0
/// of a vector of zeros. a and b broadcast.
Tensor cosine_similarity(const Operand& a, const Operand& b, int axis = -1, double eps = 1e-8);
/// x / max(norm(x, p), eps) along the axis.
Tensor normalize(const Operand& x, double p = 2, int axis = -1, double eps = 1e-12);
/// Distances between all rows, norm(a_i - b_j, p): (..., m, k) (..., n, k) -> (..., m, n); leading axes broadcast.
/// Holds m n k differences in between. Derivative 0 at distance 0.
Tensor cdist(const Operand& a, const Operand& b, double p = 2);
/// a x b of vectors of 3 elements along the axis; a and b broadcast.
Tensor cross(const Operand& a, const Operand& b, int axis = -1);

// ---- products ----

struct MatmulOptions {
  bool transpose_a = false, transpose_b = false;  // of the last two axes; a 1-d operand is its own transpose
};
/// NumPy's matmul, of i64 too, which wraps around: (m, k) (k, n) -> (m, n); 1-d operands are a row on the left, a
/// column on the right; leading axes broadcast. The options' transposes reach the product as flags, where `transpose`
/// would copy; so do those of the derivatives.
Tensor matmul(const Operand& a, const Operand& b, MatmulOptions options = {});
/// (n) (n) -> ().
Tensor dot(const Operand& a, const Operand& b);
/// (m) (n) -> (m, n).
Tensor outer(const Operand& a, const Operand& b);
/// x w + b for x (..., in), w (in, out) and b (out) in one node; `b` may be undefined.
Tensor dense(const Operand& x, const Operand& w, const Tensor& b = {});
/// Einstein's sum: "bij,bjk->bik" names the axes of each operand and of the result by letters, multiplies what has the
/// same letter, and sums over those that the result lacks. "..." stands for axes that broadcast. A letter twice in one
/// operand takes the diagonal; without "->" the result has "..." and the letters that stand once, by the alphabet.
/// More than two are multiplied in the cheapest order. Throws ValueError for a formula that makes no sense, ShapeError
/// for sizes of a letter that differ.
Tensor einsum(std::string_view formula, const std::vector<Tensor>& operands, Place place = Place::here());

// ---- shapes ----

/// Swaps the last two axes.
Tensor transpose(const Operand& x);
/// Axis i of the result is axis axes[i] of x.
Tensor permute(const Operand& x, const Axes& axes);
/// The same elements in row-major order; one size may be -1 and is inferred. Shares storage.
Tensor reshape(const Operand& x, const std::vector<std::int64_t>& shape);
template <detail::IntegerRange S>  // a Shape, a std::vector<int>; not of a known type: braces would fit both
Tensor reshape(const Operand& x, const S& shape) {
  return reshape(x, std::vector<std::int64_t>(std::begin(shape), std::end(shape)));
}
/// Axes first_axis to last_axis as one. Shares storage.
Tensor flatten(const Operand& x, int first_axis = 0, int last_axis = -1);
/// Removes axes of size 1: these, or all that there are. Shares storage.
Tensor squeeze(const Operand& x, int axis);
Tensor squeeze(const Operand& x, const Axes& axes = {});
/// Inserts an axis of size 1. Shares storage.
Tensor unsqueeze(const Operand& x, int axis);
/// Axes a and b change places.
Tensor swap_axes(const Operand& x, int axis_a, int axis_b);
/// x repeated along axes that it lacks or that are of size 1 in it. Throws ShapeError if it does not fit.
Tensor broadcast_to(const Operand& x, const Shape& shape);
/// The transpose of broadcast_to: sums the axes along which `shape` was broadcast to x's shape. Of booleans, as sum:
/// i64.
Tensor sum_to(const Operand& x, const Shape& shape);

// ---- parts of other ops that are worth a name ----

/// x - mean(x) over the axes, the mean held in double.
Tensor centre(const Operand& x, const Axes& axes = {});
/// y <= 0 ? 0 : g, elementwise; linear in g, no derivative for y.
Tensor relu_grad(const Operand& g, const Operand& y);
/// log(1 + exp(z)) - t z, elementwise: the binary cross-entropy of sigmoid(z) against t, exact for saturated z.
Tensor bce_with_logits(const Operand& z, const Operand& t);
/// x[i] * scale where keep[i], 0 elsewhere; equal shapes.
Tensor masked_scale(const Operand& x, const Tensor& keep, double scale);

}  // namespace xgrad
#pragma GCC visibility pop
