#include <algorithm>
#include <autograd/kernels/indexing.hpp>
#include <cstring>
#include <functional>
#include <numeric>
#include <type_traits>
#include <vector>

namespace xgrad::kernels {
namespace {

/// Calls body(T{}) with the element type; booleans move and order as bytes.
template <class Body>
void with_type(Dtype d, Body body) {
  switch (d) {
    case f32:
      return body(float{});
    case f64:
      return body(double{});
    case i64:
      return body(std::int64_t{});
    case boolean:
      return body(std::uint8_t{});
  }
}

template <class T>
T wrapping_add(T a, T b) {
  if constexpr (std::is_same_v<T, std::int64_t>)
    return T(std::uint64_t(a) + std::uint64_t(b));
  else
    return T(a + b);
}

template <class T>
bool is_nan(T x) {
  if constexpr (std::is_floating_point_v<T>)
    return x != x;
  else
    return false;
}

/// Before `better` compares, a NaN is better than any number.
template <class Better>
void argbest(Dtype d, const void* from, Size* index, Size outer, Size count, Size inner, Better better) {
  with_type(d, [&](auto zero) {
    using T = decltype(zero);
    const T* x = static_cast<const T*>(from);
    std::vector<T> best(static_cast<std::size_t>(count > 0 ? inner : 0));
    for (Size o = 0; o < outer && count > 0; ++o, x += count * inner, index += inner) {
      std::copy(x, x + inner, best.begin());
      std::fill(index, index + inner, Size(0));
      for (Size r = 1; r < count; ++r) {
        for (Size i = 0; i < inner; ++i) {
          const T value = x[r * inner + i];
          T& held = best[std::size_t(i)];
          if (!is_nan(held) && (is_nan(value) || better(value, held))) {
            held = value;
            index[i] = r;
          }
        }
      }
    }
  });
}

/// Calls body(x, y, step, n) for each line along the axis, x and y at the element where the walk begins.
template <class T, class Body>
void for_each_line(const void* from, void* to, Size outer, Size count, Size inner, bool reverse, Body body) {
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
  if (count == 0) return;
  const Size begin = reverse ? (count - 1) * inner : 0;
  for (Size o = 0; o < outer; ++o)
    for (Size i = 0; i < inner; ++i)
      body(x + o * count * inner + begin + i, y + o * count * inner + begin + i, reverse ? -inner : inner);
}

// Scans are held in f64 for f32, and in unsigned arithmetic for i64, where wrapping around is defined.
template <class T>
using Scan = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;

template <class Operation>
void scan(Dtype d, const void* from, void* to, Size outer, Size count, Size inner, bool reverse, bool exclusive,
          unsigned identity, Operation operation) {
  with_type(d, [&](auto zero) {
    using T = decltype(zero);
    for_each_line<T>(from, to, outer, count, inner, reverse, [&](const T* x, T* y, Size step) {
      Scan<T> running(identity);
      for (Size r = 0; r < count; ++r) {
        const Scan<T> next = operation(running, Scan<T>(x[r * step]));  // read first: y may be x
        y[r * step] = T(exclusive ? running : next);
        running = next;
      }
    });
  });
}

template <class T>
void recur(const T* x, const T* b, T* y, Size outer, Size count, Size inner, bool reverse) {
  for (Size o = 0; o < outer; ++o) {
    for (Size i = 0; i < inner; ++i) {
      double running = 0;
      for (Size r = 0; r < count; ++r) {
        const Size at = (o * count + (reverse ? count - 1 - r : r)) * inner + i;
        y[at] = T(running);
        running = double(b[at]) + double(x[at]) * running;
      }
    }
  }
}

}  // namespace

void take(Dtype d, const void* from, const Size* index, void* to, Size outer, Size count, Size picks, Size inner) {
  const std::size_t bytes = std::size_t(inner) * size_of(d);
  const char* x = static_cast<const char*>(from);
  char* y = static_cast<char*>(to);
  if (bytes == 0) return;
  with_type(d, [&](auto zero) {
    for (Size o = 0; o < outer; ++o, x += std::size_t(count) * bytes) {
      for (Size j = 0; j < picks; ++j, y += bytes) {
        const char* picked = x + std::size_t(index[j]) * bytes;
        if (inner == 1) {
          std::memcpy(y, picked, sizeof zero);
        } else {
          std::memcpy(y, picked, bytes);
        }
      }
    }
  });
}

void index_add(Dtype d, void* to, const Size* index, const void* from, Size outer, Size count, Size picks, Size inner) {
  with_type(d, [&](auto zero) {
    using T = decltype(zero);
    const T* x = static_cast<const T*>(from);
    T* y = static_cast<T*>(to);
    for (Size o = 0; o < outer; ++o, y += count * inner) {
      for (Size j = 0; j < picks; ++j, x += inner) {
        T* row = y + index[j] * inner;
        for (Size i = 0; i < inner; ++i) row[i] = wrapping_add(row[i], x[i]);
      }
    }
  });
}

void gather(Dtype d, const void* from, const Size* index, void* to, Size outer, Size count, Size picks, Size inner) {
  with_type(d, [&](auto zero) {
    using T = decltype(zero);
    const T* x = static_cast<const T*>(from);
    T* y = static_cast<T*>(to);
    for (Size o = 0; o < outer; ++o, x += count * inner)
      for (Size j = 0; j < picks; ++j, y += inner, index += inner)
        for (Size i = 0; i < inner; ++i) y[i] = x[index[i] * inner + i];
  });
}

void scatter_add(Dtype d, void* to, const Size* index, const void* from, Size outer, Size count, Size picks,
                 Size inner) {
  with_type(d, [&](auto zero) {
    using T = decltype(zero);
    const T* x = static_cast<const T*>(from);
    T* y = static_cast<T*>(to);
    for (Size o = 0; o < outer; ++o, y += count * inner) {
      for (Size j = 0; j < picks; ++j, x += inner, index += inner) {
        for (Size i = 0; i < inner; ++i) {
          T& sum = y[index[i] * inner + i];
          sum = wrapping_add(sum, x[i]);
        }
      }
    }
  });
}

void argmax(Dtype d, const void* x, Size* index, Size outer, Size count, Size inner) {
  argbest(d, x, index, outer, count, inner, std::greater<>{});
}

void argmin(Dtype d, const void* x, Size* index, Size outer, Size count, Size inner) {
  argbest(d, x, index, outer, count, inner, std::less<>{});
}

void argsort(Dtype d, const void* from, Size* index, Size outer, Size count, Size inner, bool descending) {
  with_type(d, [&](auto zero) {
    using T = decltype(zero);
    const T* x = static_cast<const T*>(from);
    std::vector<Size> order(static_cast<std::size_t>(count));
    for (Size o = 0; o < outer; ++o, x += count * inner, index += count * inner) {
      for (Size i = 0; i < inner; ++i) {
        std::iota(order.begin(), order.end(), Size(0));
        const auto before = [&](T a, T b) { return !is_nan(a) && (is_nan(b) || a < b); };
        const auto value = [&](Size r) { return x[r * inner + i]; };
        if (descending) {
          std::stable_sort(order.begin(), order.end(), [&](Size a, Size b) { return before(value(b), value(a)); });
        } else {
          std::stable_sort(order.begin(), order.end(), [&](Size a, Size b) { return before(value(a), value(b)); });
        }
        for (Size r = 0; r < count; ++r) index[r * inner + i] = order[std::size_t(r)];
      }
    }
  });
}

void cumsum(Dtype d, const void* x, void* y, Size outer, Size count, Size inner, bool reverse) {
  scan(d, x, y, outer, count, inner, reverse, false, 0, std::plus<>{});
}

void cumprod(Dtype d, const void* x, void* y, Size outer, Size count, Size inner, bool reverse, bool exclusive) {
  scan(d, x, y, outer, count, inner, reverse, exclusive, 1, std::multiplies<>{});
}

void recurrence(Dtype d, const void* x, const void* b, void* y, Size outer, Size count, Size inner, bool reverse) {
  if (d == f32) {
    recur(static_cast<const float*>(x), static_cast<const float*>(b), static_cast<float*>(y), outer, count, inner,
          reverse);
  } else {
    recur(static_cast<const double*>(x), static_cast<const double*>(b), static_cast<double*>(y), outer, count, inner,
          reverse);
  }
}

}  // namespace xgrad::kernels
