#include <algorithm>
#include <autograd/kernels/ordering.hpp>
#include <autograd/kernels/with_type.hpp>
#include <functional>
#include <vector>

namespace xgrad::kernels {
namespace {

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

template <class T>
struct Item {
  T value;
  Size index;
};

/// NumPy's order, NaN after all numbers; equal items in the order in which they came, also when descending.
template <class T>
bool comes_first(const Item<T>& a, const Item<T>& b, bool descending) {
  const auto less = [](T p, T q) { return !is_nan(p) && (is_nan(q) || p < q); };
  if (less(a.value, b.value)) return !descending;
  if (less(b.value, a.value)) return descending;
  return a.index < b.index;
}

}  // namespace

void argmax(Dtype d, const void* x, Size* index, Size outer, Size count, Size inner) {
  argbest(d, x, index, outer, count, inner, std::greater<>{});
}

void argmin(Dtype d, const void* x, Size* index, Size outer, Size count, Size inner) {
  argbest(d, x, index, outer, count, inner, std::less<>{});
}

void argsort(Dtype d, const void* from, Size* index, Size outer, Size count, Size picks, Size inner, bool descending) {
  with_type(d, [&](auto zero) {
    using T = decltype(zero);
    const T* x = static_cast<const T*>(from);
    std::vector<Item<T>> items(static_cast<std::size_t>(count));
    const auto before = [descending](const Item<T>& a, const Item<T>& b) { return comes_first(a, b, descending); };
    for (Size o = 0; o < outer; ++o, x += count * inner, index += picks * inner) {
      for (Size i = 0; i < inner; ++i) {
        for (Size r = 0; r < count; ++r) items[std::size_t(r)] = {x[r * inner + i], r};
        const auto end = items.begin() + picks;
        if (picks < count) std::nth_element(items.begin(), end, items.end(), before);
        std::sort(items.begin(), end, before);
        for (Size r = 0; r < picks; ++r) index[r * inner + i] = items[std::size_t(r)].index;
      }
    }
  });
}

}  // namespace xgrad::kernels
