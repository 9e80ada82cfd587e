#include <autograd/kernels/simd/exponential_sums.hpp>
#include <autograd/kernels/simd/exponentials.hpp>
#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/turn.hpp>

/// Attention in blocks of queries and keys, whose weights are never stored: the largest score and the sum of
/// exponentials of a row are carried from block to block of its keys, and what was summed before is scaled down when
/// the former grows (Milakov and Gimelshein 2018; Rabe and Staats 2021; Dao et al. 2022). Going back, the weights of a
/// block are computed again from both. The logarithm of the sum, added to the largest score, would be one number
/// instead of two, but beside a large score it has no digits left.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

constexpr Size block = Attention::block;

template <class T>
using Lane = Batch<T>;
template <class T>
inline constexpr Size lanes = Lanes<Lane<T>>::width;
/// Rows that are computed together where each sees one key more than the one before, and to what their keys are rounded
/// up, a whole number of batches.
constexpr Size group = 24, whole = 16;

/// The largest of the lanes; of NaN one or none.
template <class T>
T largest(Lane<T> most) {
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
  bool diagonal() const { return s.causal && row == column; }
  /// How many of the queries [i, rows) are computed together.
  Size together(Size i, Size rows) const { return diagonal() && rows - i > group ? group : rows - i; }

  /// Calls body(j, v) for the batches of query i's scores, made of its products x, where v is -inf for what it does not
  /// see. Batches of which it sees nothing are left out. Returns where these begin.
  template <class Body>
  [[gnu::always_inline]] Size scores(Size i, const T* x, const Body& body) const {
    const Lane<T> scale(static_cast<T>(s.scale));
    const Size n = seen(i);
    Size j = 0;
    for (; j < n; j += lanes<T>) {
      Lane<T> v = Lane<T>::load_aligned(x + j) * scale;
      if (mask) {
        const Lane<T> more = added(i, j), least(-infinity<T>);
        v = xsimd::select(more == least, least, v + more);  // also a score of inf or NaN is hidden
      }
      if (n - j < lanes<T>) v = xsimd::select(first_lanes<T>(n - j), v, Lane<T>(-infinity<T>));
      body(j, v);
    }
    return j;
  }
  /// What the mask adds from column j on.
  Lane<T> added(Size i, Size j) const {
    alignas(64) T numbers[lanes<T>] = {};
    const T* const from = mask + (row + i) * s.mask_row + (column + j) * s.mask_column;
    for (Size k = 0; k < lanes<T> && j + k < columns; ++k) numbers[k] = from[k * s.mask_column];
    return Lane<T>::load_aligned(numbers);
  }
  /// x[j] = kept ? x[j] / p : 0, by the random numbers of query i.
  void drop(Size i, T* x) const {
    bool kept[block];
    table().keep(kept, block, s.random_row(pair, row + i) + column, s.keep, seed, stream);
    const T scale = T(1 / s.keep);
    for (Size j = 0; j < columns; ++j) x[j] = kept[j] ? x[j] * scale : T(0);
  }
};

/// Keys or values of a block, `width` to a row, for products with them transposed: turned once if several groups of
/// rows are to use them and there is room.
template <class T>
class Turned {
 public:
  Turned(const Block<T>& b, Size rows, const T* from, Size width, Size row)
      : from_(from), width_(width), row_(row), turned_(b.together(0, rows) < rows && width <= block) {
    if (!turned_) return;
    if (const Size padded = round_up_to_whole(b.columns); padded != b.columns)
      for (Size k = 0; k < width; ++k)
        for (Size j = b.columns; j < padded; ++j) room_[k * block + j] = T(0);
    turn(from, row, room_, block, b.columns, width);
  }
  static Size round_up_to_whole(Size n) { return (n + whole - 1) / whole * whole; }

  /// The products of m rows with the first n keys.
  void multiply(const T* rows, Size m, Size n, T* to) const {
    table().gemm[int(dtype_of<T>)]({.transpose_b = !turned_,
                                    .m = m,
                                    .n = turned_ ? round_up_to_whole(n) : n,
                                    .k = width_,
                                    .lda = row_,
                                    .ldb = turned_ ? block : row_,
                                    .ldc = block},
                                   rows, turned_ ? room_ : from_, to);
  }

 private:
  const T* const from_;
  const Size width_, row_;
  const bool turned_;
  alignas(64) T room_[block * block];
};

template <class T>
void clear(T* x, Size first, Size end) {
  for (Size j = first; j < end; j += lanes<T>) Lane<T>(T(0)).store_aligned(x + j);
}

/// Of a row, as far as its keys have been seen: the largest score, and the sum of exponentials less it.
struct Seen {
  double most, sum;
};

/// A row of products becomes weights relative to the largest score so far, and zeros up to `end`; returns by what those
/// before it have to be multiplied.
template <class T>
[[gnu::flatten]] double weigh(const Block<T>& b, Size i, Size end, T* x, Seen& seen) {
  Lane<T> most(-infinity<T>), sum(T(0));
  const Size n = b.scores(i, x, [&](Size j, Lane<T> v) {
    most = max_of(v, most);
    v.store_aligned(x + j);
  });
  const double before = seen.most, found = double(largest<T>(most));
  if (found > before) seen.most = found;
  const Lane<T> shift(seen.most == -infinity<double> ? T(0) : T(seen.most));
  for (Size j = 0; j < n; j += lanes<T>) {
    const Lane<T> p = exponential(Lane<T>::load_aligned(x + j) - shift);
    sum = sum + p;
    p.store_aligned(x + j);
  }
  clear(x, n, end);
  const double factor = seen.sum > 0 && found > before ? std::exp(before - seen.most) : 1;
  seen.sum = seen.sum * factor + double(sum_of_lanes<T>(sum));
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
void clear_rows(T* to, Size rows, Size columns, Size step) {
  for (Size i = 0; i < rows; ++i)
    if (columns > 0) std::memset(static_cast<void*>(to + i * step), 0, std::size_t(columns) * sizeof(T));
}

template <class T>
void attention(const Attention& s, const Loop<1>& pairs, const void* q_, const void* k_, const void* v_,
               const void* mask, std::uint64_t seed, std::uint64_t stream, void* y_, void* of_rows, Size first,
               Size count) {
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
    T* const most = static_cast<T*>(of_rows) + pair * s.queries + row;
    T* const inverse = most + s.outer * s.queries;
    Seen seen[block];
    for (Size i = 0; i < rows; ++i) seen[i] = {-infinity<double>, 0};
    const Size end = keys_seen(s, row + rows);
    if (end == 0) clear_rows(y, rows, s.value_width, value_step);
    for (Size column = 0; column < end; column += block) {
      const Size columns = end - column < block ? end - column : block;
      const Block<T> b{s, pair, row, column, columns, mask_of<T>(pairs, mask, pair), seed, stream};
      const Turned<T> keys(b, rows, k + column * step, s.width, step);
      for (Size i = 0, m; i < rows; i += m) {
        m = b.together(i, rows);
        const Size n = b.seen(i + m - 1);
        T* const of_group = scores + i * block;
        keys.multiply(q + i * step, m, n, of_group);
        for (Size r = i; r < i + m; ++r) {
          const double factor = weigh(b, r, n, scores + r * block, seen[r]);
          if (factor != 1)
            for (Size j = 0; j < s.value_width; ++j) y[r * value_step + j] *= T(factor);
        }
        multiply({.accumulate = column > 0,
                  .m = m,
                  .n = s.value_width,
                  .k = n,
                  .lda = block,
                  .ldb = value_step,
                  .ldc = value_step},
                 of_group, v + column * value_step, y + i * value_step);
      }
    }
    for (Size i = 0; i < rows; ++i) {
      const bool none = seen[i].sum == 0;
      most[i] = none ? T(0) : T(seen[i].most);
      inverse[i] = none ? T(0) : T(1 / seen[i].sum);
      for (Size j = 0; j < s.value_width; ++j) y[i * value_step + j] *= inverse[i];
    }
  }
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
/// products: p (dp - g.y) scale. Both are zero behind them, up to `end`.
template <class T>
[[gnu::flatten]] void weigh_back(const Block<T>& b, Size i, Size end, T most, T inverse, T along, T* p, T* dp) {
  if (b.s.keep < 1) b.drop(i, dp);
  const Lane<T> scale(static_cast<T>(b.s.scale)), less(along), shift(most), by(inverse);
  const Size seen = b.seen(i);
  const Size n = b.scores(i, p, [&](Size j, Lane<T> v) {
    const Lane<T> weight = exponential(v - shift) * by;
    Lane<T> d = weight * (Lane<T>::load_aligned(dp + j) - less) * scale;
    if (seen - j < lanes<T>) d = xsimd::select(first_lanes<T>(seen - j), d, Lane<T>(T(0)));
    weight.store_aligned(p + j);
    d.store_aligned(dp + j);
  });
  clear(p, n, end);
  clear(dp, n, end);
  if (b.s.keep < 1) b.drop(i, p);
}

template <class T>
void attention_backward(const Attention& s, const Loop<1>& pairs, const void* q_, const void* k_, const void* v_,
                        const void* mask, const void* y_, const void* of_rows, const void* g_, std::uint64_t seed,
                        std::uint64_t stream, void* dq_, void* dk_, void* dv_, Size first, Size count) {
  const auto multiply = table().gemm[int(dtype_of<T>)];
  const Size step = s.heads * s.width, value_step = s.heads * s.value_width;
  alignas(64) T p[block * block] = {}, dp[block * block] = {};
  for (Size pair = first; pair < first + count; ++pair) {
    const Size of_q = s.offset(pair, s.queries, s.width), of_k = s.offset(pair, s.keys, s.width);
    const Size of_v = s.offset(pair, s.keys, s.value_width), of_y = s.offset(pair, s.queries, s.value_width);
    const T *const q = static_cast<const T*>(q_) + of_q, *const k = static_cast<const T*>(k_) + of_k;
    const T *const v = static_cast<const T*>(v_) + of_v, *const y = static_cast<const T*>(y_) + of_y;
    const T* const g = static_cast<const T*>(g_) + of_y;
    const T* const most = static_cast<const T*>(of_rows) + pair * s.queries;
    const T* const inverse = most + s.outer * s.queries;
    T *const dq = static_cast<T*>(dq_) + of_q, *const dk = static_cast<T*>(dk_) + of_k;
    T* const dv = static_cast<T*>(dv_) + of_v;
    // Keys that no query sees; those of others are written by the first block of queries that does.
    const Size reached = s.queries > 0 ? keys_seen(s, s.queries) : 0;
    clear_rows(dk + reached * step, s.keys - reached, s.width, step);
    clear_rows(dv + reached * value_step, s.keys - reached, s.value_width, value_step);
    for (Size row = 0; row < s.queries; row += block) {
      const Size rows = s.queries - row < block ? s.queries - row : block, end = keys_seen(s, row + rows);
      if (end == 0) clear_rows(dq + row * step, rows, s.width, step);
      T along[block];  // g.y of each row
      for (Size i = 0; i < rows; ++i)
        along[i] = dot(g + (row + i) * value_step, y + (row + i) * value_step, s.value_width);
      for (Size column = 0; column < end; column += block) {
        const Size columns = end - column < block ? end - column : block;
        const Block<T> b{s, pair, row, column, columns, mask_of<T>(pairs, mask, pair), seed, stream};
        const Turned<T> keys(b, rows, k + column * step, s.width, step);
        const Turned<T> values(b, rows, v + column * value_step, s.value_width, value_step);
        for (Size i = 0, m; i < rows; i += m) {
          m = b.together(i, rows);
          const Size n = b.seen(i + m - 1), at = i * block;
          keys.multiply(q + (row + i) * step, m, n, p + at);
          values.multiply(g + (row + i) * value_step, m, n, dp + at);
          for (Size r = i; r < i + m; ++r)
            weigh_back(b, r, n, most[row + r], inverse[row + r], along[r], p + r * block, dp + r * block);
          multiply({.accumulate = column > 0, .m = m, .n = s.width, .k = n, .lda = block, .ldb = step, .ldc = step},
                   dp + at, k + column * step, dq + (row + i) * step);
        }
        const Size from = s.causal ? column : 0;  // the first block of queries that sees these keys
        for (Size j = 0, m; j < columns; j += m) {
          m = b.together(j, columns);
          const Size i = b.diagonal() ? j : 0, at = i * block + j;  // the first query that sees some of these keys
          const auto sum_into = [&](const T* weights, const T* queries, Size width, Size apart, T* to) {
            multiply({.transpose_a = true,
                      .accumulate = row > from,
                      .m = m,
                      .n = width,
                      .k = rows - i,
                      .lda = block,
                      .ldb = apart,
                      .ldc = apart},
                     weights + at, queries + (row + i) * apart, to + (column + j) * apart);
          };
          sum_into(p, g, s.value_width, value_step, dv);
          sum_into(dp, q, s.width, step, dk);
        }
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
