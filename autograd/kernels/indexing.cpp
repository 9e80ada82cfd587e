#include <algorithm>
#include <autograd/kernels/plain.hpp>
#include <cstring>
#include <type_traits>
#include <utility>

/// The kernels that pick and place elements at indices.
namespace xgrad::kernels {
namespace {

template <class T>
T wrapping_add(T a, T b) {
  if constexpr (std::is_same_v<T, std::int64_t>)
    return T(std::uint64_t(a) + std::uint64_t(b));
  else
    return T(a + b);
}

template <class T>
void take(const void* from, const Size* index, void* to, Size outer, Size count, Size picks, Size inner) {
  const std::size_t bytes = std::size_t(inner) * sizeof(T);
  const char* x = static_cast<const char*>(from);
  char* y = static_cast<char*>(to);
  if (bytes == 0) return;
  for (Size o = 0; o < outer; ++o, x += std::size_t(count) * bytes) {
    for (Size j = 0; j < picks; ++j, y += bytes) {
      const char* picked = x + std::size_t(index[j]) * bytes;
      if (inner == 1) {
        std::memcpy(y, picked, sizeof(T));
      } else {
        std::memcpy(y, picked, bytes);
      }
    }
  }
}

/// The picks of each target, in their order.
struct Chains {
  Room<Size> head, next;  // the first of a target, where it has some; the one behind a pick, or -1

  Chains(Size targets, Size picks) : head(targets), next(picks) {}
  template <class Target>
  void link(Size picks, Target target) const {
    for (Size j = 0; j < picks; ++j) head.numbers[target(j)] = -1;
    for (Size j = picks - 1; j >= 0; --j) next.numbers[j] = std::exchange(head.numbers[target(j)], j);
  }
};

/// y[target(j)] += x[j] for rows of `width` elements. Where several are added to one, their sum is held in f64.
template <class Target>
void add_chained(float* y, const float* x, Size picks, Size width, const Chains& chains, Target target) {
  constexpr Size tile = 256;
  const Size *const head = chains.head.numbers, *const next = chains.next.numbers;
  for (Size j = 0; j < picks; ++j) {
    if (head[target(j)] != j) continue;
    float* const row = y + target(j) * width;
    if (next[j] < 0) {
      for (Size i = 0; i < width; ++i) row[i] += x[j * width + i];
      continue;
    }
    for (Size begin = 0; begin < width; begin += tile) {
      const Size size = std::min(tile, width - begin);
      double sums[tile];
      std::copy_n(row + begin, size, sums);
      for (Size k = j; k >= 0; k = next[k])
        for (Size i = 0; i < size; ++i) sums[i] += double(x[k * width + begin + i]);
      for (Size i = 0; i < size; ++i) row[begin + i] = float(sums[i]);
    }
  }
}

template <class T>
void index_add(void* to, const Size* index, const void* from, Size outer, Size count, Size picks, Size inner) {
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
  if constexpr (std::is_same_v<T, float>) {
    const auto target = [index](Size j) { return index[j]; };
    const Chains chains(count, picks);
    chains.link(picks, target);
    for (Size o = 0; o < outer; ++o, y += count * inner, x += picks * inner)
      add_chained(y, x, picks, inner, chains, target);
    return;
  }
  for (Size o = 0; o < outer; ++o, y += count * inner) {
    for (Size j = 0; j < picks; ++j, x += inner) {
      T* row = y + index[j] * inner;
      for (Size i = 0; i < inner; ++i) row[i] = wrapping_add(row[i], x[i]);
    }
  }
}

template <class T>
void gather(const void* from, const Size* index, void* to, Size outer, Size count, Size picks, Size inner) {
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
  for (Size o = 0; o < outer; ++o, x += count * inner)
    for (Size j = 0; j < picks; ++j, y += inner, index += inner)
      for (Size i = 0; i < inner; ++i) y[i] = x[index[i] * inner + i];
}

template <class T>
void scatter_add(void* to, const Size* index, const void* from, Size outer, Size count, Size picks, Size inner) {
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
  const Size size = picks * inner;
  if constexpr (std::is_same_v<T, float>) {
    if (picks > 1) {
      const Chains chains(count * inner, size);
      for (Size o = 0; o < outer; ++o, y += count * inner, x += size, index += size) {
        const auto target = [=](Size k) { return index[k] * inner + k % inner; };
        chains.link(size, target);
        add_chained(y, x, size, 1, chains, target);
      }
      return;
    }
  }
  for (Size o = 0; o < outer; ++o, y += count * inner) {
    for (Size j = 0; j < picks; ++j, x += inner, index += inner) {
      for (Size i = 0; i < inner; ++i) {
        T& sum = y[index[i] * inner + i];
        sum = wrapping_add(sum, x[i]);
      }
    }
  }
}

}  // namespace

void fill_indexing(Table& t) {
  for_each_type([&](auto zero, int d) {
    using T = decltype(zero);
    t.take[d] = take<T>;
    t.index_add[d] = index_add<T>;
    t.gather[d] = gather<T>;
    t.scatter_add[d] = scatter_add<T>;
  });
}

}  // namespace xgrad::kernels
