#include <autograd/kernels/plain.hpp>
#include <cstring>
#include <type_traits>

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

template <class T>
void index_add(void* to, const Size* index, const void* from, Size outer, Size count, Size picks, Size inner) {
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
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
