#include <autograd/kernels/simd/exponential_sums.hpp>
#include <autograd/kernels/simd/exponentials.hpp>
#include <autograd/kernels/simd/fill.hpp>

/// Attention in blocks of queries and keys, whose weights are never stored: the largest score and the sum of
/// exponentials of a row are carried from block to block of its keys, and what was summed before is scaled down when
/// the former grows (Milakov and Gimelshein 2018; Rabe and Staats 2021; Dao et al. 2022). Going back, the weights of a
/// block are computed again from the logarithm of the row's sum.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

constexpr Size block = Attention::block;

template <class T>
using Lane = Batch<T>;
template <class T>
inline constexpr Size lanes = Lanes<Lane<T>>::width;
template <class T>
inline constexpr Size batches = block / lanes<T>;

/// A row of a block, as batches.
template <class T>
struct Row {
  Lane<T> v[batches<T>];

  static Row load(const T* from) {
    Row r;
    for (Size k = 0; k < batches<T>; ++k) r.v[k] = Lane<T>::load_aligned(from + k * lanes<T>);
    return r;
  }
  void store(T* to) const {
    for (Size k = 0; k < batches<T>; ++k) v[k].store_aligned(to + k * lanes<T>);
  }
  /// The first n elements, and `otherwise` in place of the others.
  Row first(Size n, T otherwise) const {
    Row r = *this;
    for (Size k = 0; k < batches<T>; ++k)
      if (n < (k + 1) * lanes<T>)
        r.v[k] = n <= k * lanes<T> ? Lane<T>(otherwise)
                                   : xsimd::select(first_lanes<T>(n - k * lanes<T>), v[k], Lane<T>(otherwise));
    return r;
  }
};

/// The largest element; of NaN one or none.
template <class T>
T largest(const Row<T>& r) {
  Lane<T> most = r.v[0];
  for (Size k = 1; k < batches<T>; ++k) most = max_of(r.v[k], most);
#if defined __AVX512F__
  if constexpr (sizeof(T) == 4)
    return _mm512_reduce_max_ps(most);
  else
    return _mm512_reduce_max_pd(most);
#else
  alignas(64) T all[lanes<T>];
  most.store_aligned(all);
  T found = all[0];
  for (Size j = 1; j < lanes<T>; ++j) found = all[j] > found ? all[j] : found;
  return found;
#endif
}
template <class T>
T total(const Row<T>& r) {
  Lane<T> sum = r.v[0];
  for (Size k = 1; k < batches<T>; ++k) sum = sum + r.v[k];
  return sum_of_lanes<T>(sum);
}

/// A block of queries and one of keys, whose scores, or their cotangents, live on the stack: rows of `block` elements,
/// of which the first `columns` are meant.
template <class T>
struct Block {
  const Attention& s;
  Size pair, row, column, columns;  // of the queries and keys
  const T* mask;                    // of this pair, or null
  std::uint64_t seed, stream;

  /// How many keys query i of the block may see; the others lie behind them.
  Size seen(Size i) const {
    const Size before = row + i + 1 - column;
    return !s.causal || before > columns ? columns : before < 0 ? 0 : before;
  }
  /// The scores of query i from its products, -inf for what it does not see.
  Row<T> scores(Size i, const T* products) const {
    Row<T> r = Row<T>::load(products);
    const Lane<T> scale(static_cast<T>(s.scale));
    for (Lane<T>& v : r.v) v = v * scale;
    if (mask) {
      alignas(64) T added[block] = {};
      const T* const from = mask + (row + i) * s.mask_row + column * s.mask_column;
      for (Size j = 0; j < columns; ++j) added[j] = from[j * s.mask_column];
      for (Size k = 0; k < batches<T>; ++k) r.v[k] = r.v[k] + Lane<T>::load_aligned(added + k * lanes<T>);
    }
    return r.first(seen(i), -infinity<T>);
  }
  /// x[j] = kept ? x[j] / p : 0, by the random numbers of query i.
  void drop(Size i, T* x) const {
    bool kept[block];
    table().keep(kept, block, s.random_row(pair, row + i) + column, s.keep, seed, stream);
    const T scale = T(1 / s.keep);
    for (Size j = 0; j < columns; ++j) x[j] = kept[j] ? x[j] * scale : T(0);
  }
};

/// Of a row, as far as its keys have been seen: the largest score, and the sum of exponentials less it.
struct Seen {
  double most, sum;
};

/// A row of products becomes weights relative to the largest score so far; returns by what those before it have to be
/// multiplied.
template <class T>
[[gnu::flatten]] double weigh(const Block<T>& b, Size i, T* x, Seen& seen) {
  Row<T> r = b.scores(i, x);
  const double before = seen.most, found = double(largest(r));
  if (found > before) seen.most = found;
  const Lane<T> shift(seen.most == -infinity<double> ? T(0) : T(seen.most));
  for (Lane<T>& v : r.v) v = exponential(v - shift);
  r.store(x);
  const double factor = seen.sum > 0 && found > before ? std::exp(before - seen.most) : 1;
  seen.sum = seen.sum * factor + double(total(r));
  if (b.s.keep < 1) b.drop(i, x);
  return factor;
}

template <class T>
const T* mask_of(const Loop<1>& pairs, const void* mask, Size pair) {
  if (!mask) return nullptr;
  Size at = 0;
  for (int d = pairs.rank - 1; d >= 0; --d) at += pair % pairs.sizes[d] * pairs.strides[0][d], pair /= pairs.sizes[d];
  return static_cast<const T*>(mask) + at;
}

/// How many keys the queries before `end` see.
Size keys_seen(const Attention& s, Size end) { return s.causal && end < s.keys ? end : s.keys; }

template <class T>
void attention(const Attention& s, const Loop<1>& pairs, const void* q_, const void* k_, const void* v_,
               const void* mask, std::uint64_t seed, std::uint64_t stream, void* y_, void* l_, Size first, Size count) {
  const auto multiply = table().gemm[int(dtype_of<T>)];
  const Size step = s.heads * s.width, value_step = s.heads * s.value_width;
  alignas(64) T scores[block * block] = {};
  for (Size task = first; task < first + count; ++task) {
    const Size pair = task / s.blocks(), row = task % s.blocks() * block;
    const Size rows = s.queries - row < block ? s.queries - row : block;
    const T* const q = static_cast<const T*>(q_) + s.offset(pair, s.queries, s.width) + row * step;
    const T* const k = static_cast<const T*>(k_) + s.offset(pair, s.keys, s.width);
    const T* const v = static_cast<const T*>(v_) + s.offset(pair, s.keys, s.value_width);
    T* const y = static_cast<T*>(y_) + s.offset(pair, s.queries, s.value_width) + row * value_step;
    T* const l = static_cast<T*>(l_) + pair * s.queries + row;
    Seen seen[block];
    for (Size i = 0; i < rows; ++i) {
      seen[i] = {-infinity<double>, 0};
      for (Size j = 0; j < s.value_width; ++j) y[i * value_step + j] = T(0);
    }
    const Size end = keys_seen(s, row + rows);
    for (Size column = 0; column < end; column += block) {
      const Size columns = end - column < block ? end - column : block;
      const Block<T> b{s, pair, row, column, columns, mask_of<T>(pairs, mask, pair), seed, stream};
      multiply({.transpose_b = true, .m = rows, .n = columns, .k = s.width, .lda = step, .ldb = step, .ldc = block}, q,
               k + column * step, scores);
      for (Size i = 0; i < rows; ++i) {
        const double factor = weigh(b, i, scores + i * block, seen[i]);
        if (factor != 1)
          for (Size j = 0; j < s.value_width; ++j) y[i * value_step + j] *= T(factor);
      }
      multiply({.accumulate = true,
                .m = rows,
                .n = s.value_width,
                .k = columns,
                .lda = block,
                .ldb = value_step,
                .ldc = value_step},
               scores, v + column * value_step, y);
    }
    double sums[block], logarithm[block];
    for (Size i = 0; i < rows; ++i) sums[i] = seen[i].sum;
    logarithms(sums, logarithm, rows);
    for (Size i = 0; i < rows; ++i) {
      const bool none = sums[i] == 0;
      l[i] = none ? T(0) : T(seen[i].most + logarithm[i]);
      const T by = none ? T(0) : T(1 / sums[i]);
      for (Size j = 0; j < s.value_width; ++j) y[i * value_step + j] *= by;
    }
  }
}

template <class T>
void clear_rows(T* to, Size rows, Size columns, Size step) {
  for (Size i = 0; i < rows; ++i)
    if (columns > 0) std::memset(static_cast<void*>(to + i * step), 0, std::size_t(columns) * sizeof(T));
}

/// The sum of a[j] b[j].
template <class T>
T dot(const T* a, const T* b, Size n) {
  Lane<T> sum(T(0));
  Size j = 0;
  for (; j + lanes<T> <= n; j += lanes<T>) sum = sum + Lane<T>::load_unaligned(a + j) * Lane<T>::load_unaligned(b + j);
  if (j < n) sum = sum + load_few(a + j, n - j) * load_few(b + j, n - j);
  return sum_of_lanes<T>(sum);
}

/// A row of products becomes weights p, as they met the values, and the row of their cotangents dp those of the scores'
/// products: p (dp - g.y) scale.
template <class T>
[[gnu::flatten]] void weigh_back(const Block<T>& b, Size i, T l, T along, T* p, T* dp) {
  Row<T> r = b.scores(i, p);
  for (Lane<T>& v : r.v) v = exponential(v - Lane<T>(l));
  r.store(p);
  if (b.s.keep < 1) b.drop(i, p), b.drop(i, dp);
  Row<T> d = Row<T>::load(dp);
  const Lane<T> scale(static_cast<T>(b.s.scale)), less(along);
  for (Size k = 0; k < batches<T>; ++k) d.v[k] = r.v[k] * (d.v[k] - less) * scale;
  d.first(b.seen(i), T(0)).store(dp);
}

template <class T>
void attention_backward(const Attention& s, const Loop<1>& pairs, const void* q_, const void* k_, const void* v_,
                        const void* mask, const void* y_, const void* l_, const void* g_, std::uint64_t seed,
                        std::uint64_t stream, void* dq_, void* dk_, void* dv_, Size first, Size count) {
  const auto multiply = table().gemm[int(dtype_of<T>)];
  const Size step = s.heads * s.width, value_step = s.heads * s.value_width;
  alignas(64) T p[block * block] = {}, dp[block * block] = {};
  for (Size pair = first; pair < first + count; ++pair) {
    const Size of_q = s.offset(pair, s.queries, s.width), of_k = s.offset(pair, s.keys, s.width);
    const Size of_v = s.offset(pair, s.keys, s.value_width), of_y = s.offset(pair, s.queries, s.value_width);
    const T *const q = static_cast<const T*>(q_) + of_q, *const k = static_cast<const T*>(k_) + of_k;
    const T *const v = static_cast<const T*>(v_) + of_v, *const y = static_cast<const T*>(y_) + of_y;
    const T *const g = static_cast<const T*>(g_) + of_y, *const l = static_cast<const T*>(l_) + pair * s.queries;
    T *const dq = static_cast<T*>(dq_) + of_q, *const dk = static_cast<T*>(dk_) + of_k;
    T* const dv = static_cast<T*>(dv_) + of_v;
    clear_rows(dq, s.queries, s.width, step);
    clear_rows(dk, s.keys, s.width, step);
    clear_rows(dv, s.keys, s.value_width, value_step);
    for (Size row = 0; row < s.queries; row += block) {
      const Size rows = s.queries - row < block ? s.queries - row : block, end = keys_seen(s, row + rows);
      T along[block];  // g.y of each row
      for (Size i = 0; i < rows; ++i)
        along[i] = dot(g + (row + i) * value_step, y + (row + i) * value_step, s.value_width);
      for (Size column = 0; column < end; column += block) {
        const Size columns = end - column < block ? end - column : block;
        const Block<T> b{s, pair, row, column, columns, mask_of<T>(pairs, mask, pair), seed, stream};
        multiply({.transpose_b = true, .m = rows, .n = columns, .k = s.width, .lda = step, .ldb = step, .ldc = block},
                 q + row * step, k + column * step, p);
        multiply({.transpose_b = true,
                  .m = rows,
                  .n = columns,
                  .k = s.value_width,
                  .lda = value_step,
                  .ldb = value_step,
                  .ldc = block},
                 g + row * value_step, v + column * value_step, dp);
        for (Size i = 0; i < rows; ++i) weigh_back(b, i, l[row + i], along[i], p + i * block, dp + i * block);
        multiply({.transpose_a = true,
                  .accumulate = true,
                  .m = columns,
                  .n = s.value_width,
                  .k = rows,
                  .lda = block,
                  .ldb = value_step,
                  .ldc = value_step},
                 p, g + row * value_step, dv + column * value_step);
        multiply({.accumulate = true, .m = rows, .n = s.width, .k = columns, .lda = block, .ldb = step, .ldc = step},
                 dp, k + column * step, dq + row * step);
        multiply({.transpose_a = true,
                  .accumulate = true,
                  .m = columns,
                  .n = s.width,
                  .k = rows,
                  .lda = block,
                  .ldb = step,
                  .ldc = step},
                 dp, q + row * step, dk + column * step);
      }
    }
  }
}

template <class T>
void fill(Table& t, Dtype d) {
  t.attention[int(d)] = attention<T>;
  t.attention_backward[int(d)] = attention_backward<T>;
}

}  // namespace

void fill_attention(Table& t) {
  fill<float>(t, f32);
  fill<double>(t, f64);
}

}  // namespace xgrad::kernels::XGRAD_ISA
