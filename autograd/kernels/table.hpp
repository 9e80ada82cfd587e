#pragma once
#include <autograd/dtype.hpp>
#include <autograd/kernels/binary.hpp>
#include <autograd/kernels/gemm.hpp>
#include <autograd/kernels/loop.hpp>
#include <autograd/kernels/sequences.hpp>
#include <autograd/kernels/slices.hpp>
#include <autograd/kernels/unary.hpp>
#include <autograd/kernels/windows.hpp>

#pragma GCC visibility push(default)

/// The kernels: raw pointers in, raw pointers out, knowing nothing of Tensor or Node.
///
/// autograd/kernels/simd/*.cpp is compiled once for each instruction set (baseline, avx2, avx512); each set fills a
/// `Table` of function pointers, and `process_table()` is the best one that the processor has. The environment variable
/// XGRAD_ISA=baseline|avx2|avx512 forces a lower one. A null entry means that the kernel does not exist for that dtype.
///
/// A new elementwise kernel is a name and a definition in unary.hpp or binary.hpp. Kernels that gain nothing
/// from SIMD (sorting, gathering, scanning) stand in autograd/kernels/*.cpp and are the same in every table. Whatever
/// an op computes, it computes by an entry of `table()`, where subnormal numbers count as zeros
/// (kernels/subnormals.hpp); an instruction set's own table leaves the thread's mode as it is.
namespace xgrad::kernels {

// T -> boolean
#define XGRAD_PREDICATE_KERNELS(K) K(isnan) K(isfinite) K(logical_not)
// (T, T) -> boolean
#define XGRAD_COMPARE_KERNELS(K) \
  K(equal) K(not_equal) K(less) K(less_equal) K(greater) K(greater_equal) K(logical_and) K(logical_or) K(logical_xor)
// (T, T) -> T for the bits of integers and for booleans
#define XGRAD_BITWISE_KERNELS(K) K(bitwise_and) K(bitwise_or) K(bitwise_xor)

#define XGRAD_KERNEL_NAME(name) name,
enum class Predicate { XGRAD_PREDICATE_KERNELS(XGRAD_KERNEL_NAME) count };
enum class Compare { XGRAD_COMPARE_KERNELS(XGRAD_KERNEL_NAME) count };
enum class Bitwise { XGRAD_BITWISE_KERNELS(XGRAD_KERNEL_NAME) count };
#undef XGRAD_KERNEL_NAME

/// `norm2` is the Euclidean norm, scaled by the largest magnitude so that it neither over- nor underflows; `logsumexp`
/// is log(sum exp(x)), shifted by one of the largest elements likewise.
enum class Reduce { sum, prod, max, min, norm2, logsumexp, count };
enum class Softmax { softmax, log_softmax, count };

/// What an optimiser's pass needs; each reads the fields that its formula names (optim/*.hpp state the formulas).
struct OptimiserStep {
  double lr, weight_decay, momentum, dampening, beta1, beta2, eps, rate1, rate2;
  bool nesterov, first, decoupled, centred, amsgrad;
};
/// A parameter's n elements, its gradient and its moments; those that a formula does not use are null.
struct OptimiserArrays {
  void* p;
  const void* g;
  void *m, *v, *w;
  Size n;
};

struct Table {
  const char* name;  // "baseline", "avx2" or "avx512"

  /// y[i] = f(x[i]), all contiguous. y may be x.
  using UnaryFn = void (*)(const void* x, void* y, Size n);
  UnaryFn unary[int(Unary::count)][dtype_count];
  UnaryFn predicate[int(Predicate::count)][dtype_count];
  UnaryFn cast[dtype_count][dtype_count];  // cast[from][to]; floating to integer truncates, anything to boolean is != 0

  /// y = f(a, b): strides[0] is a's, strides[1] b's; y is contiguous in the loop's order. y may be a or b where
  /// that operand is not broadcast.
  using BinaryFn = void (*)(const void* a, const void* b, void* y, const Loop<2>& loop);
  BinaryFn binary[int(Binary::count)][dtype_count];
  BinaryFn compare[int(Compare::count)][dtype_count];
  BinaryFn bitwise[int(Bitwise::count)][dtype_count];

  /// y = mask ? a : b: strides of mask, a, b. Selects, never multiplies.
  using SelectFn = void (*)(const bool* mask, const void* a, const void* b, void* y, const Loop<3>& loop);
  SelectFn select[dtype_count];

  /// to[...] = from[...]: strides[0] is to's, strides[1] from's. Blocked where it transposes.
  using CopyFn = void (*)(const void* from, void* to, const Loop<2>& loop);
  CopyFn copy[dtype_count];
  /// to[...] += from[...], the same walk (to's strides are never 0).
  CopyFn accumulate[dtype_count];

  /// Arrays as (outer, count, inner): y[o, i] = reduction over r of x[o, r, i]. Of no elements: sum 0, prod 1,
  /// norm2 0; max, min and logsumexp are never called with none. A NaN anywhere gives NaN. Sums and products of f32 are
  /// accumulated so that 10^7 values keep 1e-6 relative; i64 sums exactly; max and min exist for every dtype but
  /// boolean.
  using ReduceFn = void (*)(const void* x, void* y, Size outer, Size count, Size inner);
  ReduceFn reduce[int(Reduce::count)][dtype_count];
  /// A piece of a reduction: y[i] = reduction over r < count of x[r * stride + i], i < width. For f32 y is f64 if
  /// `wide`, so that pieces can be put together without loss.
  using ReduceBlockFn = void (*)(const void* x, void* y, Size count, Size stride, Size width, bool wide);
  ReduceBlockFn reduce_block[int(Reduce::count)][dtype_count];
  /// y[o, r, i] = x[o, r, i] - mean over r, the mean held in double. The same kernel is its own vjp.
  ReduceFn centre[dtype_count];
  /// y[o, i] = sum over r of the squares of these differences, held in double.
  ReduceFn squared_deviations[dtype_count];
  /// A piece of it, as of a reduction. With `means`, which get the means, y is f64: what pieces are put together from.
  using DeviationsFn = void (*)(const void* x, void* y, double* means, Size count, Size stride, Size width);
  DeviationsFn squared_deviations_block[dtype_count];
  /// y[o, r, i] = exp(x - max) / sum exp(x - max) over r, or its logarithm x - max - log(sum exp(x - max)).
  /// A slice of -inf only, or one with a +inf or a NaN, gives NaN.
  ReduceFn softmax[int(Softmax::count)][dtype_count];

  /// c[i, j] += row[j], c being (rows, cols).
  using AddRowFn = void (*)(const void* row, void* c, Size rows, Size cols);
  AddRowFn add_row[dtype_count];

  /// Counter-based random numbers (Philox 4x32-10): y[i] is number `first` + i of (seed, stream), so the same bits come
  /// for any instruction set and any split; `first` is a multiple of 64. uniform: [0, 1) with 24 (f32) or 53 (f64)
  /// random bits; normal: Box-Muller; keep: boolean, true with probability p.
  using RandomFn = void (*)(void* y, Size n, Size first, std::uint64_t seed, std::uint64_t stream);
  RandomFn uniform[dtype_count], normal[dtype_count];
  void (*keep)(bool* y, Size n, Size first, double p, std::uint64_t seed, std::uint64_t stream);
  /// y[i] = keep[i] ? x[i] * scale : 0, contiguous.
  void (*dropout[dtype_count])(const void* x, const bool* keep, double scale, void* y, Size n);

  /// One pass over `count` >= 1 parameters, all with the same moments.
  using OptimiserFn = void (*)(const OptimiserArrays* parameters, Size count, const OptimiserStep& step);
  OptimiserFn sgd[dtype_count], adam[dtype_count], rmsprop[dtype_count], adagrad[dtype_count];

  /// C = A B, or C += A B; `shape` says how they are stored. Large products of f32 go to oneDNN where it is built in;
  /// long ones are put together in f64, and so are sums of many. Those of i64 wrap around.
  GemmFn gemm[dtype_count];
  /// The same for each position of `batch`, whose strides count matrices of a, b and c. Where c's stride is 0 the
  /// products along that axis are summed; c is zeros where there are none.
  using GemmBatchFn = void (*)(const Gemm& shape, const Loop<3>& batch, const void* a, const void* b, void* c);
  GemmBatchFn gemm_batch[dtype_count];

  /// The parts of convolutions (kernels/windows.hpp), which cut the work into pieces themselves.
  void (*correlate[dtype_count])(const Correlation& of, const void* source, const void* weights, const void* bias,
                                 void* to);
  void (*tap_sums[dtype_count])(const TapSums& of, const void* source, const void* g, double* sums);
  void (*correlate_wide[dtype_count])(const WideCorrelation& of, const void* source, const void* weights,
                                      const void* bias, void* to);
  void (*tap_sums_wide[dtype_count])(const WideCorrelation& of, const void* source, const void* g, double* sums);
  /// y[n, p], the largest element of window p of x[n], and index[n, p], where it stands in x[n] as one row: the first
  /// NaN, or the first of equal ones. `index` may be null. The windows are those of a convolution with one channel and
  /// no dilation, and each reaches into x.
  void (*max_windows[dtype_count])(const Convolution& c, const void* x, void* y, Size* index);

  /// y = z = (x - mean) / sqrt(variance + eps) within each slice, with sums in double; moments, (2, slices), gets the
  /// means, 0 where these are not taken off, and the variances, of squares then. With a weight and perhaps a bias
  /// (inner), for which outer is 1, y = z weight + bias.
  void (*standardise[dtype_count])(const Slices& s, double eps, const void* x, const void* weight, const void* bias,
                                   void* y, double* moments);
  /// Its vjp, with h = g weight, or g without one: dx = (h - mean(h) - z mean(h z)) / sqrt(variance + eps), without the
  /// first mean where none was taken off. With a weight x is what it was, and `sums` (2, inner) gets the cotangents of
  /// the weight and of a bias, the sums of g z and of g over the slices. Without one x is z, and `sums` is null.
  void (*standardise_grad[dtype_count])(const Slices& s, double eps, const void* g, const void* weight, const void* x,
                                        const double* moments, void* dx, double* sums);
  RecurrentFn recurrent[int(Recurrent::count)][dtype_count];
  RecurrentBackwardFn recurrent_backward[int(Recurrent::count)][dtype_count];
  AttentionFn attention[dtype_count];
  AttentionBackwardFn attention_backward[dtype_count];

  // Around an axis, (outer, count, inner). Indices have been checked by the caller to lie in range.

  /// take: to[o, j, i] = from[o, index[j], i], from being (outer, count, inner), to (outer, picks, inner).
  /// gather: to[o, j, i] = from[o, index[o, j, i], i].
  using PickFn = void (*)(const void* from, const Size* index, void* to, Size outer, Size count, Size picks,
                          Size inner);
  PickFn take[dtype_count], gather[dtype_count];
  /// index_add: to[o, index[j], i] += from[o, j, i], in the order of j, to being (outer, count, inner).
  /// scatter_add: to[o, index[o, j, i], i] += from[o, j, i]. Both hold sums of f32 in f64.
  using PlaceFn = void (*)(void* to, const Size* index, const void* from, Size outer, Size count, Size picks,
                           Size inner);
  PlaceFn index_add[dtype_count], scatter_add[dtype_count];

  /// The first index of the largest (smallest) element; the first NaN wins over everything.
  using ArgFn = void (*)(const void* x, Size* index, Size outer, Size count, Size inner);
  ArgFn argmax[dtype_count], argmin[dtype_count];
  /// Where the first `picks` <= count elements of the axis' stable order stand, as (outer, picks, inner). NaN is last
  /// (as NumPy has it); `descending` puts the largest first and NaN first.
  using SortFn = void (*)(const void* x, Size* index, Size outer, Size count, Size picks, Size inner, bool descending);
  SortFn argsort[dtype_count];

  /// Running sums and products along the axis, in double for f32; `reverse` runs from the end, `exclusive` leaves out
  /// the element itself. y may be x.
  using ScanFn = void (*)(const void* x, void* y, Size outer, Size count, Size inner, bool reverse, bool exclusive);
  ScanFn cumsum[dtype_count], cumprod[dtype_count];
  /// The linear recurrence y[k] = b[k-1] + x[k-1] y[k-1] along the axis from y[0] = 0, held in double; `reverse` runs
  /// from the end, with k+1 for k-1. y may be x.
  void (*recurrence[dtype_count])(const void* x, const void* b, void* y, Size outer, Size count, Size inner,
                                  bool reverse);
};

/// The table of the process, chosen on first call: the best instruction set's, with large work spread over threads.
const Table& process_table();
/// The one that this thread uses, or what stands in for it; null before its first use.
extern thread_local constinit const Table* thread_table;
/// The table in use.
inline const Table& table() { return thread_table ? *thread_table : *(thread_table = &process_table()); }

/// The table of the instruction set in use, whose entries run in the calling thread only.
const Table& serial_table();
/// Every table that this processor can run, lowest first, for tests that compare them.
struct Tables {
  const Table* entries[3];
  int count;
};
Tables available_tables();

}  // namespace xgrad::kernels
#pragma GCC visibility pop
