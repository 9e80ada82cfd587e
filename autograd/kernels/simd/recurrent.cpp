#include <autograd/kernels/simd/fill.hpp>
#include <autograd/kernels/simd/math.hpp>

/// Recurrent layers: for each step one product with the state, and one pass over what it gives, while that is in the
/// cache.
namespace xgrad::kernels::XGRAD_ISA {
namespace {

/// What a pass computes with: batches of f32, single elements of f64.
template <class T>
using Lane = std::conditional_t<sizeof(T) == 4, Batch<T>, T>;
template <class T>
inline constexpr Size lanes = Lanes<Lane<T>>::width;

/// How the elements of a whole batch, or the last few of a row, are read and written.
template <class T>
struct Whole {
  static Lane<T> load(const T* p) {
    if constexpr (lanes<T> == 1)
      return *p;
    else
      return Lane<T>::load_unaligned(p);
  }
  static void store(T* p, Lane<T> v) {
    if constexpr (lanes<T> == 1)
      *p = v;
    else
      v.store_unaligned(p);
  }
};
template <class T>
struct Few {
  Size n;
  Lane<T> load(const T* p) const { return load_few(p, n); }
  void store(T* p, Lane<T> v) const { store_few(p, v, n); }
};

/// body(j, io) for the elements of a row.
template <class T, class Body>
[[gnu::always_inline]] inline void along(Size n, const Body& body) {
  Size j = 0;
  for (; j + lanes<T> <= n; j += lanes<T>) body(j, Whole<T>{});
  if constexpr (lanes < T >> 1)
    if (j < n) body(j, Few<T>{n - j});
}

template <class V>
[[gnu::always_inline]] inline V sigmoid(V x) {
  const V e = math::exp(-math::abs(x));  // which cannot overflow
  return math::select(x < V(0), e, V(1)) / (V(1) + e);
}

template <class T>
void copy(const T* from, T* to, Size n) {
  if (n > 0) std::memcpy(static_cast<void*>(to), from, std::size_t(n) * sizeof(T));
}
template <class T>
void clear(T* to, Size n) {
  if (n > 0) std::memset(static_cast<void*>(to), 0, std::size_t(n) * sizeof(T));
}

/// One row of one step.
template <class T>
struct Row {
  Size n;  // hidden units
  const T* bias;
  T *gates, *products;
  const T *h_before, *c_before;
  T *h, *c;
};

template <Recurrent kind, class T>
[[gnu::flatten]] void step(const Row<T>& r) {
  using V = Lane<T>;
  const Size n = r.n;
  along<T>(n, [&](Size j, auto io) {
    const auto gate = [&](Size k) { return io.load(r.gates + k * n + j) + io.load(r.bias + k * n + j); };
    if constexpr (kind == Recurrent::rnn) {
      io.store(r.h + j, math::tanh(gate(0)));
    } else if constexpr (kind == Recurrent::lstm) {
      const V input = sigmoid(gate(0)), forget = sigmoid(gate(1)), cell = math::tanh(gate(2)),
              output = sigmoid(gate(3));
      const V c = forget * io.load(r.c_before + j) + input * cell;
      io.store(r.gates + j, input);
      io.store(r.gates + n + j, forget);
      io.store(r.gates + 2 * n + j, cell);
      io.store(r.gates + 3 * n + j, output);
      io.store(r.c + j, c);
      io.store(r.h + j, output * math::tanh(c));
    } else {
      const auto product = [&](Size k) { return io.load(r.products + k * n + j); };
      const V reset = sigmoid(gate(0) + product(0)), update = sigmoid(gate(1) + product(1));
      const V own = product(2) + io.load(r.bias + 3 * n + j), fresh = math::tanh(gate(2) + reset * own);
      io.store(r.gates + j, reset);
      io.store(r.gates + n + j, update);
      io.store(r.gates + 2 * n + j, fresh);
      io.store(r.products + 2 * n + j, own);
      io.store(r.h + j, fresh + update * (io.load(r.h_before + j) - fresh));
    }
  });
}

template <Recurrent kind, class T>
void forward(const Recurrence& s, const void* u_, const void* bias, const bool* mask, void* gates_, void* products_,
             void* h_, void* c_) {
  constexpr Size count = gates_of(kind);
  const Size n = s.hidden, next = s.distance * n;
  T *gates = static_cast<T*>(gates_), *products = static_cast<T*>(products_);
  T *h = static_cast<T*>(h_), *c = static_cast<T*>(c_);
  const auto multiply = table().gemm[int(dtype_of<T>)];
  for (Size t = 0; t < s.steps; ++t, gates += count * next, h += next) {
    if constexpr (kind == Recurrent::gru)
      multiply({.m = s.rows, .n = count * n, .k = n}, h, u_, products);
    else
      multiply({.accumulate = true, .m = s.rows, .n = count * n, .k = n}, h, u_, gates);
    for (Size i = 0; i < s.rows; ++i) {
      const Size at = i * n;
      if (mask && !mask[i]) {
        copy(h + at, h + next + at, n);
        if constexpr (kind == Recurrent::lstm) copy(c + at, c + next + at, n);
        continue;
      }
      step<kind>(Row<T>{n, static_cast<const T*>(bias), gates + count * at, products ? products + count * at : nullptr,
                        h + at, c ? c + at : nullptr, h + next + at, c ? c + next + at : nullptr});
    }
    if (mask) mask += s.distance;
    if (products) products += count * next;
    if (c) c += next;
  }
}

/// One row of one step back: dh and dc are the cotangents of the state after the step, dc becomes that of the one
/// before, and so does the part of dh that passes by the product.
template <class T>
struct RowBack {
  Size n;
  const T *g, *gates, *products, *h_before, *c_before, *h, *c;
  T *dgates, *dproducts, *dh, *dc;
};

template <Recurrent kind, class T>
[[gnu::flatten]] void step_back(const RowBack<T>& r) {
  using V = Lane<T>;
  const Size n = r.n;
  const V one(1);
  along<T>(n, [&](Size j, auto io) {
    const V passed = io.load(r.dh + j), g = r.g ? passed + io.load(r.g + j) : passed;
    const auto gate = [&](Size k) { return io.load(r.gates + k * n + j); };
    const auto put = [&](Size k, V v) { io.store(r.dgates + k * n + j, v); };
    V around(0);
    if constexpr (kind == Recurrent::rnn) {
      const V h = io.load(r.h + j);
      put(0, g * (one - h * h));
    } else if constexpr (kind == Recurrent::lstm) {
      const V input = gate(0), forget = gate(1), cell = gate(2), output = gate(3), t = math::tanh(io.load(r.c + j));
      const V dc = io.load(r.dc + j) + g * output * (one - t * t);
      put(0, dc * cell * input * (one - input));
      put(1, dc * io.load(r.c_before + j) * forget * (one - forget));
      put(2, dc * input * (one - cell * cell));
      put(3, g * t * output * (one - output));
      io.store(r.dc + j, dc * forget);
    } else {
      const V reset = gate(0), update = gate(1), fresh = gate(2), own = io.load(r.products + 2 * n + j);
      const V dfresh = g * (one - update) * (one - fresh * fresh);
      const V dupdate = g * (io.load(r.h_before + j) - fresh) * update * (one - update);
      const V dreset = dfresh * own * reset * (one - reset);
      put(0, dreset);
      put(1, dupdate);
      put(2, dfresh);
      io.store(r.dproducts + j, dreset);
      io.store(r.dproducts + n + j, dupdate);
      io.store(r.dproducts + 2 * n + j, dfresh * reset);
      around = g * update;
    }
    io.store(r.dh + j, around);
  });
}

/// A step that the mask leaves out: its inputs have no part in the state, which it passes on.
template <class T>
void pass_back(const RowBack<T>& r, Size columns) {
  clear(r.dgates, columns);
  if (r.dproducts) clear(r.dproducts, columns);
  for (Size j = 0; r.g && j < r.n; ++j) r.dh[j] += r.g[j];
}

template <Recurrent kind, class T>
void backward(const Recurrence& s, const void* u, const void* g_, const bool* mask, const void* gates_,
              const void* products_, const void* h_, const void* c_, void* dgates_, void* dproducts_, void* dh_,
              void* dc_) {
  constexpr Size count = gates_of(kind);
  const Size n = s.hidden, next = s.distance * n;
  const auto multiply = table().gemm[int(dtype_of<T>)];
  T *const dh = static_cast<T*>(dh_), *const dc = static_cast<T*>(dc_);
  for (Size t = s.steps - 1; t >= 0; --t) {
    const auto row_of = [&](auto* p, Size columns, Size i) { return p ? p + (t * s.distance + i) * columns : nullptr; };
    const T *const h = static_cast<const T*>(h_), *const c = static_cast<const T*>(c_);
    T *const dgates = static_cast<T*>(dgates_), *const dproducts = static_cast<T*>(dproducts_);
    for (Size i = 0; i < s.rows; ++i) {
      const RowBack<T> r{n,
                         row_of(static_cast<const T*>(g_), n, i),
                         row_of(static_cast<const T*>(gates_), count * n, i),
                         row_of(static_cast<const T*>(products_), count * n, i),
                         row_of(h, n, i),
                         row_of(c, n, i),
                         row_of(h, n, i) + next,
                         c ? row_of(c, n, i) + next : nullptr,
                         row_of(dgates, count * n, i),
                         row_of(dproducts, count * n, i),
                         dh + i * n,
                         dc ? dc + i * n : nullptr};
      if (mask && !mask[t * s.distance + i])
        pass_back(r, count * n);
      else
        step_back<kind>(r);
    }
    const T* const product = kind == Recurrent::gru ? dproducts : dgates;
    multiply({.accumulate = true, .m = s.rows, .n = n, .k = count * n}, product + t * count * next, u, dh);
  }
}

template <class T>
void fill(Table& t, Dtype d) {
  const auto one = [&]<Recurrent kind>() {
    t.recurrent[int(kind)][int(d)] = forward<kind, T>;
    t.recurrent_backward[int(kind)][int(d)] = backward<kind, T>;
  };
  one.template operator()<Recurrent::rnn>();
  one.template operator()<Recurrent::lstm>();
  one.template operator()<Recurrent::gru>();
}

}  // namespace

void fill_recurrent(Table& t) {
  fill<float>(t, f32);
  fill<double>(t, f64);
}

}  // namespace xgrad::kernels::XGRAD_ISA
