#include <autograd/kernels/gemm.hpp>
#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/tile.hpp>
#include <autograd/kernels/simd/turn.hpp>

/// Matrix products by tiles of C that stay in registers while the inner dimension passes by.
///
/// B is read in blocks, whose panels, as wide as a tile, are copied next to each other unless they are used a few times
/// only or lie close by; A is read where it lies, and what comes next of it is fetched ahead. How C is cut into tiles
/// changes no bits: every element is summed along the inner dimension in order, block by block. Only products of a few
/// rows with a transposed B are summed lane by lane.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

/// B in blocks of `depth` rows and so many columns, which are copied to the stack.
template <class T>
inline constexpr Size block_columns = (Size(32) << 10) / depth / Size(sizeof(T));

/// Columns of a block of B, side by side with zeros up to whole batches if they have been copied.
template <class T>
struct Panel {
  const T* b;
  Size row_b, columns, batches;
};

/// The panel that begins at b, whose rows are row_b apart; in `room` if it is copied.
template <class T>
Panel<T> panel(const T* b, Size row_b, bool transposed, bool copied, Size k, Size columns, T* room) {
  Size batches = 1;
  while (batches * width<T> < columns) batches *= 2;
  const Size whole = batches * width<T>;
  if (!copied && columns == whole) return {b, row_b, columns, batches};
  if (columns < whole) std::memset(static_cast<void*>(room), 0, std::size_t(k * whole) * sizeof(T));
  if (transposed) {
    turn(b, row_b, room, whole, columns, k);
  } else {
    for (T* to = room; to != room + k * whole; to += whole, b += row_b) {
      Size j = 0;
      for (; j + width<T> <= columns; j += width<T>) Batch<T>::load_unaligned(b + j).store_aligned(to + j);
      if (j < columns) store_few(to + j, load_few(b + j, columns - j), columns - j);
    }
  }
  return {room, whole, columns, batches};
}

/// One block of B, s.k <= depth and s.n <= block_columns, and the columns of A that it meets.
template <class T, bool transposed>
void block(const Gemm& s, const T* a, const T* b, T* c) {
  constexpr Size narrowest = tile_batches * width<T>;
  alignas(64) T room[depth * block_columns<T>];
  Panel<T> panels[block_columns<T> / narrowest];
  const bool wide = s.m <= few_rows || s.k <= 4;
  const bool copied = s.transpose_b || (s.m > 3 * tile_rows && s.ldb > block_columns<T>);
  const Size widest = wide ? wide_batches * width<T> : narrowest, most_rows = wide ? few_rows : tile_rows;
  int count = 0;
  for (Size j = 0; j < s.n; j += widest)
    new (&panels[count++]) Panel<T>(panel(b + (s.transpose_b ? j * s.ldb : j), s.ldb, s.transpose_b, copied, s.k,
                                          s.n - j < widest ? s.n - j : widest, room + j * s.k));
  for (Size i = 0, rows; i < s.m; i += rows) {
    rows = rows_taken(s.m - i, most_rows);
    T* to = c + i * s.ldc;
    for (const Panel<T>* p = panels; p != panels + count; to += p++->columns)
      tile_of<T, transposed>(rows, p->batches)(
          {a + (transposed ? i : i * s.lda), p->b, to, s.lda, p->row_b, s.ldc, p->columns}, s.k, s.accumulate);
  }
}

/// The sum of x[p] y[p], in as many sums as a batch has lanes, for `count` rows y at a time.
template <int count, class T>
void dot(const T* x, const T* y, Size row_y, Size n, T* to, bool accumulate) {
  using V = Batch<T>;
  V sums[count];
  for (int j = 0; j < count; ++j) sums[j] = V(T(0));
  Size p = 0;
  for (; p + width<T> <= n; p += width<T>) {
    const V left = V::load_unaligned(x + p);
    for (int j = 0; j < count; ++j) sums[j] = sums[j] + left * V::load_unaligned(y + j * row_y + p);
  }
  if (p < n) {
    const V left = load_few(x + p, n - p);
    for (int j = 0; j < count; ++j) sums[j] = sums[j] + left * load_few(y + j * row_y + p, n - p);
  }
  for (int j = 0; j < count; ++j) to[j] = sum_of_lanes(sums[j]) + (accumulate ? to[j] : T(0));
}

/// C of a few rows with a transposed B, whose rows lie along the inner dimension. If A is transposed too, s.k is at
/// most transposed_depth.
template <class T>
void dots(const Gemm& s, const T* a, const T* b, T* c) {
  constexpr int together = 4;
  T row[transposed_depth];
  for (Size i = 0; i < s.m; ++i, c += s.ldc) {
    const T* x = s.transpose_a ? row : a + i * s.lda;
    for (Size p = 0; s.transpose_a && p < s.k; ++p) row[p] = a[p * s.lda + i];
    Size j = 0;
    for (; j + together <= s.n; j += together) dot<together>(x, b + j * s.ldb, s.ldb, s.k, c + j, s.accumulate);
    for (; j < s.n; ++j) dot<1>(x, b + j * s.ldb, s.ldb, s.k, c + j, s.accumulate);
  }
}

/// C = A B or C += A B for one that is neither empty nor a column, block by block.
template <class T>
void product(Gemm& s, const T* a, const T* b, T* c) {
  // A vector is its own transpose.
  if (s.transpose_a && s.m == 1 && s.lda == 1) s.transpose_a = false, s.lda = s.k;
  if (s.transpose_b && s.k == 1 && s.ldb == 1) s.transpose_b = false, s.ldb = s.n;
  const bool by_dots = s.m <= few_rows && s.transpose_b;
  const Size n = by_dots ? s.n : block_columns<T>, k = s.transpose_a ? transposed_depth : by_dots ? s.k : depth;
  const auto run = by_dots ? dots<T> : s.transpose_a ? block<T, true> : block<T, false>;
  if (s.k <= k && s.n <= n) return run(s, a, b, c);
  Gemm part = s;
  for (Size p = 0; p < s.k; p += k, part.accumulate = true) {
    part.k = s.k - p < k ? s.k - p : k;
    const T* const from_a = a + (s.transpose_a ? p * s.lda : p);
    for (Size j = 0; j < s.n; j += n) {
      part.n = s.n - j < n ? s.n - j : n;
      run(part, from_a, b + (s.transpose_b ? j * s.ldb + p : p * s.ldb + j), c + j);
    }
  }
}

template <class T>
void gemm(const Gemm& shape, const void* a_, const void* b_, void* c_) {
  const T *a = static_cast<const T*>(a_), *b = static_cast<const T*>(b_);
  T* c = static_cast<T*>(c_);
  // Field by field: a processor waits when it loads at once what was just stored in parts.
  Gemm s{shape.transpose_a, shape.transpose_b, shape.accumulate, shape.m,      shape.n,
         shape.k,           shape.row_a(),     shape.row_b(),    shape.row_c()};
  if (s.m == 0 || s.n == 0) return;
  if (s.k == 0) {
    for (Size i = 0; i < s.m && !s.accumulate; ++i)
      std::memset(static_cast<void*>(c + i * s.ldc), 0, std::size_t(s.n) * sizeof(T));
    return;
  }
  if constexpr (sizeof(T) == 4) {
    if (s.k > longest_product) return long_product(s, a, b, c, gemm<T>);
    if (library_product(s, a, b, c)) return;
  }
  if (s.n == 1 && s.ldc == 1) {  // a column is a row of the transposed product
    Gemm row{!s.transpose_b, !s.transpose_a, s.accumulate, 1, s.m, s.k, s.ldb, s.lda, s.m};
    return product(row, b, a, c);
  }
  product(s, a, b, c);
}

template <class T>
void gemm_batch(const Gemm& each, const Loop<3>& batch, const void* a_, const void* b_, void* c_) {
  const T *a = static_cast<const T*>(a_), *b = static_cast<const T*>(b_);
  T* c = static_cast<T*>(c_);
  if (batch.count() == 0) {
    Size matrices = 1;
    for (int d = 0; d < batch.rank; ++d) matrices *= batch.strides[2][d] != 0 ? batch.sizes[d] : 1;
    std::memset(static_cast<void*>(c), 0, std::size_t(matrices * each.m * each.n) * sizeof(T));
  }
  if constexpr (sizeof(T) == 4)
    if (summed_products(batch) > most_products) return many_products(each, batch, a, b, c, gemm<T>);
  for_each_product(batch, [&](const Size* at, bool accumulate) {
    Gemm shape = each;
    shape.accumulate |= accumulate;
    gemm<T>(shape, a + at[0] * each.m * each.k, b + at[1] * each.k * each.n, c + at[2] * each.m * each.n);
  });
}

template <class T>
void fill(Table& t, Dtype d) {
  t.gemm[int(d)] = gemm<T>;
  t.gemm_batch[int(d)] = gemm_batch<T>;
}

}  // namespace

void fill_gemm(Table& t) {
  fill<float>(t, f32);
  fill<double>(t, f64);
}

}  // namespace xgrad::kernels::XGRAD_ISA
