#include <algorithm>
#include <autograd/kernels/plain.hpp>
#include <type_traits>

/// The kernels of running sums, running products and linear recurrences.
namespace xgrad::kernels {
namespace {

/// Calls step(running, at) for the flat position of each element, its line's running value beginning as `start`. Lines
/// that lie across rows advance together, a tile of columns at a time, so that memory is read row by row.
template <class Running, class Step>
void scan(Size outer, Size count, Size inner, bool reverse, Running start, Step step) {
  constexpr Size tile = 512;
  Running running[tile];
  for (Size o = 0; o < outer; ++o) {
    const auto row = [&](Size r) { return (o * count + (reverse ? count - 1 - r : r)) * inner; };
    if (inner == 1) {
      Running single = start;  // in a register
      for (Size r = 0; r < count; ++r) step(single, row(r));
      continue;
    }
    for (Size i = 0; i < inner; i += tile) {
      const Size width = std::min(tile, inner - i);
      std::fill_n(running, width, start);
      for (Size r = 0; r < count; ++r)
        for (Size j = 0, at = row(r) + i; j < width; ++j) step(running[j], at + j);
    }
  }
}

/// Scans are held in f64 for f32, and in unsigned arithmetic for i64, where wrapping around is defined.
template <class T>
using Held = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;

// Each step reads x before it writes y, which may be x.

template <class T>
void cumsum(const void* from, void* to, Size outer, Size count, Size inner, bool reverse, bool exclusive) {
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
  scan(outer, count, inner, reverse, Held<T>(0), [x, y, exclusive](Held<T>& sum, Size at) {
    const Held<T> next = sum + Held<T>(x[at]);
    y[at] = T(exclusive ? sum : next);
    sum = next;
  });
}

template <class T>
void cumprod(const void* from, void* to, Size outer, Size count, Size inner, bool reverse, bool exclusive) {
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
  scan(outer, count, inner, reverse, Held<T>(1), [x, y, exclusive](Held<T>& product, Size at) {
    const Held<T> next = product * Held<T>(x[at]);
    y[at] = T(exclusive ? product : next);
    product = next;
  });
}

template <class T>
void recurrence(const void* from, const void* added, void* to, Size outer, Size count, Size inner, bool reverse) {
  const T *x = static_cast<const T*>(from), *b = static_cast<const T*>(added);
  T* y = static_cast<T*>(to);
  scan(outer, count, inner, reverse, Held<T>(0), [x, b, y](Held<T>& running, Size at) {
    const Held<T> next = Held<T>(b[at]) + Held<T>(x[at]) * running;
    y[at] = T(running);
    running = next;
  });
}

template <class T>
void fill(Table& t, Dtype d) {
  t.cumsum[int(d)] = cumsum<T>;
  t.cumprod[int(d)] = cumprod<T>;
  if constexpr (std::is_floating_point_v<T>) t.recurrence[int(d)] = recurrence<T>;
}

}  // namespace

void fill_scan(Table& t) {
  fill<float>(t, f32);
  fill<double>(t, f64);
  fill<std::int64_t>(t, i64);
}

}  // namespace xgrad::kernels
