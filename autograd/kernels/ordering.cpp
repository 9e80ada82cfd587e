#include <algorithm>
#include <autograd/kernels/plain.hpp>
#include <functional>
#include <vector>

/// The kernels that look for an order: argmax, argmin and argsort.
namespace xgrad::kernels {
namespace {

template <class T>
bool is_nan(T x) {
  if constexpr (std::is_floating_point_v<T>)
    return x != x;
  else
    return false;
}

/// Before `Better` compares, a NaN is better than any number.
template <class T, class Better>
void argbest(const void* from, Size* index, Size outer, Size count, Size inner) {
  const T* x = static_cast<const T*>(from);
  std::vector<T> best(static_cast<std::size_t>(count > 0 ? inner : 0));
  for (Size o = 0; o < outer && count > 0; ++o, x += count * inner, index += inner) {
    std::copy(x, x + inner, best.begin());
    std::fill(index, index + inner, Size(0));
    for (Size r = 1; r < count; ++r) {
      for (Size i = 0; i < inner; ++i) {
        const T value = x[r * inner + i];
        T& held = best[std::size_t(i)];
        if (!is_nan(held) && (is_nan(value) || Better{}(value, held))) {
          held = value;
          index[i] = r;
        }
      }
    }
  }
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

template <class T>
void argsort(const void* from, Size* index, Size outer, Size count, Size picks, Size inner, bool descending) {
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
}

}  // namespace

void fill_ordering(Table& t) {
  for_each_type([&](auto zero, int d) {
    using T = decltype(zero);
    t.argmax[d] = argbest<T, std::greater<>>;
    t.argmin[d] = argbest<T, std::less<>>;
    t.argsort[d] = argsort<T>;
  });
}

}  // namespace xgrad::kernels
