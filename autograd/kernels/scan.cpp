#include <algorithm>
#include <autograd/kernels/scan.hpp>
#include <autograd/kernels/with_type.hpp>
#include <functional>

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

}  // namespace

// Each step reads x before it writes y, which may be x.

void cumsum(Dtype d, const void* from, void* to, Size outer, Size count, Size inner, bool reverse) {
  with_type(d, [&](auto zero) {
    using T = decltype(zero);
    const T* x = static_cast<const T*>(from);
    T* y = static_cast<T*>(to);
    scan(outer, count, inner, reverse, Held<T>(0), [x, y](Held<T>& sum, Size at) {
      sum += Held<T>(x[at]);
      y[at] = T(sum);
    });
  });
}

void cumprod(Dtype d, const void* from, void* to, Size outer, Size count, Size inner, bool reverse, bool exclusive) {
  with_type(d, [&](auto zero) {
    using T = decltype(zero);
    const T* x = static_cast<const T*>(from);
    T* y = static_cast<T*>(to);
    scan(outer, count, inner, reverse, Held<T>(1), [x, y, exclusive](Held<T>& product, Size at) {
      const Held<T> next = product * Held<T>(x[at]);
      y[at] = T(exclusive ? product : next);
      product = next;
    });
  });
}

void recurrence(Dtype d, const void* from, const void* added, void* to, Size outer, Size count, Size inner,
                bool reverse) {
  with_type(d, [&](auto zero) {
    using T = decltype(zero);
    const T *x = static_cast<const T*>(from), *b = static_cast<const T*>(added);
    T* y = static_cast<T*>(to);
    scan(outer, count, inner, reverse, Held<T>(0), [x, b, y](Held<T>& running, Size at) {
      const Held<T> next = Held<T>(b[at]) + Held<T>(x[at]) * running;
      y[at] = T(running);
      running = next;
    });
  });
}

}  // namespace xgrad::kernels
