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

/// The scores of a block of queries with one of keys, or their cotangents, which live on the stack.
template <class T>
struct Block {
  const Attention& s;
  Size pair, row, rows, column, columns;  // of the queries and keys
  const T* mask;                          // of this pair, or null
  std::uint64_t seed, stream;

  /// Keys of row i that it may see; the others lie behind them.
  Size seen(Size i) const {
    const Size before = row + i + 1 - column;
    return !s.causal || before > columns ? columns : before < 0 ? 0 : before;
  }
  bool is_masked() const { return mask != nullptr; }
  /// Row i of the mask, in `room` unless its elements lie side by side.
  const T* mask_row(Size i, T* room) const {
    const T* const from = mask + (row + i) * s.mask_row + column * s.mask_column;
    if (s.mask_column == 1) return from;
    for (Size j = 0; j < columns; ++j) room[j] = from[j * s.mask_column];
    return room;
  }
  /// x[i] = keep ? x[i] / p : 0, by the random numbers of row i.
  void drop(Size i, T* x) const {
    bool kept[block];
    table().keep(kept, block, s.random_row(pair, row + i) + column, s.keep, seed, stream);
    const T scale = T(1 / s.keep);
    for (Size j = 0; j < columns; ++j) x[j] = kept[j] ? x[j] * scale : T(0);
  }
  /// The scores from the products, as exponents less `shift`, in batches: f(j, n, exponent) for n elements from j on.
  template <class F>
  void exponents(const T* products, const T* masks, Size n, T shift, const F& f) const {
    using V = Batch<T>;
    constexpr Size lanes = Lanes<V>::width;
    const V scale(static_cast<T>(s.scale)), less(shift);
    for (Size j = 0; j < n; j += lanes) {
      const Size few = n - j < lanes ? n - j : lanes;
      const auto load = [&](const T* p) { return few == lanes ? V::load_unaligned(p) : load_few(p, few); };
      V x = load(products + j) * scale;
      if (masks) x = x + load(masks + j);
      f(j, few, x - less);
    }
  }
};

template <class T>
void put(T* to, Batch<T> v, Size n) {
  if (n == Lanes<Batch<T>>::width)
    v.store_unaligned(to);
  else
    store_few(to, v, n);
}

/// The lanes below n, and `otherwise` in the others.
template <class T>
Batch<T> first_of(Batch<T> v, Size n, T otherwise) {
  return n == Lanes<Batch<T>>::width ? v : xsimd::select(first_lanes<T>(n), v, Batch<T>(otherwise));
}

/// The largest lane; of NaN one or none.
template <class T>
T largest_lane(Batch<T> v) {
  alignas(64) T all[Lanes<Batch<T>>::width];
  v.store_aligned(all);
  T most = all[0];
  for (Size j = 1; j < Lanes<Batch<T>>::width; ++j) most = all[j] > most ? all[j] : most;
  return most;
}

/// Of a row, as far as its keys have been seen.
struct Seen {
  double most, sum;
};

/// A row of products becomes weights relative to the largest score so far; returns by what those before it have to be
/// multiplied.
template <class T>
double weigh(const Block<T>& b, Size i, T* x, Seen& seen) {
  const Size n = b.seen(i);
  T room[block];
  const T* const masks = b.is_masked() ? b.mask_row(i, room) : nullptr;
  Batch<T> most(-infinity<T>), sum(T(0));
  b.exponents(x, masks, n, T(0), [&](Size j, Size few, Batch<T> v) {
    put(x + j, v, few);
    most = max_of(first_of(v, few, -infinity<T>), most);
  });
  const double before = seen.most, found = double(largest_lane(most));
  if (found > before) seen.most = found;
  const T shift = seen.most == -infinity<double> ? T(0) : T(seen.most);
  for (Size j = 0; j < n; j += Lanes<Batch<T>>::width) {
    constexpr Size lanes = Lanes<Batch<T>>::width;
    const Size few = n - j < lanes ? n - j : lanes;
    const Batch<T> v = few == lanes ? Batch<T>::load_unaligned(x + j) : load_few(x + j, few);
    const Batch<T> e = exponential(v - shift);
    put(x + j, e, few);
    sum = sum + first_of(e, few, T(0));
  }
  for (Size j = n; j < b.columns; ++j) x[j] = T(0);
  const double factor = found > before ? std::exp(before - seen.most) : 1;
  seen.sum = seen.sum * factor + double(sum_of_lanes<T>(sum));
  if (b.s.keep < 1) b.drop(i, x);
  return factor;
}

template <class T>
const T* mask_of(const Attention&, const Loop<1>& pairs, const void* mask, Size pair) {
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
  alignas(64) T scores[block * block];
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
      const Block<T> b{s, pair, row, rows, column, columns, mask_of<T>(s, pairs, mask, pair), seed, stream};
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
    for (Size i = 0; i < rows; ++i) {
      const bool none = seen[i].sum == 0;
      l[i] = none ? T(0) : T(seen[i].most + std::log(seen[i].sum));
      const T by = none ? T(0) : T(1 / seen[i].sum);
      for (Size j = 0; j < s.value_width; ++j) y[i * value_step + j] *= by;
    }
  }
}

template <class T>
void clear_rows(T* to, Size rows, Size columns, Size step) {
  for (Size i = 0; i < rows; ++i)
    if (columns > 0) std::memset(static_cast<void*>(to + i * step), 0, std::size_t(columns) * sizeof(T));
}

/// A row of products becomes weights p, as they met the values, and the row of their cotangents dp those of the scores'
/// products: p (dp - g.y) scale.
template <class T>
void weigh_back(const Block<T>& b, Size i, T l, T along, T* p, T* dp) {
  const Size n = b.seen(i);
  T room[block];
  const T* const masks = b.is_masked() ? b.mask_row(i, room) : nullptr;
  b.exponents(p, masks, n, l, [&](Size j, Size few, Batch<T> x) { put(p + j, exponential(x), few); });
  for (Size j = n; j < b.columns; ++j) p[j] = T(0);
  const T scale = T(b.s.scale);
  if (b.s.keep < 1) {
    T plain[block];
    for (Size j = 0; j < b.columns; ++j) plain[j] = p[j];
    b.drop(i, p);
    b.drop(i, dp);
    for (Size j = 0; j < b.columns; ++j) dp[j] = plain[j] * (dp[j] - along) * scale;
  } else {
    for (Size j = 0; j < b.columns; ++j) dp[j] = p[j] * (dp[j] - along) * scale;
  }
  for (Size j = n; j < b.columns; ++j) dp[j] = T(0);
}

template <class T>
void attention_backward(const Attention& s, const Loop<1>& pairs, const void* q_, const void* k_, const void* v_,
                        const void* mask, const void* y_, const void* l_, const void* g_, std::uint64_t seed,
                        std::uint64_t stream, void* dq_, void* dk_, void* dv_, Size first, Size count) {
  const auto multiply = table().gemm[int(dtype_of<T>)];
  const Size step = s.heads * s.width, value_step = s.heads * s.value_width;
  alignas(64) T p[block * block], dp[block * block];
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
      for (Size i = 0; i < rows; ++i) {
        const Size at = (row + i) * value_step;
        double total = 0;
        for (Size j = 0; j < s.value_width; ++j) total += double(g[at + j]) * double(y[at + j]);
        along[i] = T(total);
      }
      for (Size column = 0; column < end; column += block) {
        const Size columns = end - column < block ? end - column : block;
        const Block<T> b{s, pair, row, rows, column, columns, mask_of<T>(s, pairs, mask, pair), seed, stream};
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
