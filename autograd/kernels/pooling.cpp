#include <algorithm>
#include <autograd/kernels/pieces.hpp>
#include <autograd/kernels/pooling.hpp>

/// The derivative of a pooling by the largest elements.
namespace xgrad::kernels {
namespace {

template <class T>
void spread(const Convolution& c, const void* g_, const Size* index, void* dx_) {
  const T* g = static_cast<const T*>(g_);
  T* dx = static_cast<T*>(dx_);
  const Size in = c.in_size(), out = c.out_size();
  split(c.images, in * Size(sizeof(T)) + out * (grain / 20000), 1, [&](Size first, Size count) {
    for (Size i = first; i < first + count; ++i) {  // one by one, so that the zeros are still in the nearest cache
      std::fill_n(dx + i * in, in, T(0));
      for (Size p = i * out; p < (i + 1) * out; ++p) dx[i * in + index[p]] += g[p];
    }
  });
}

}  // namespace

void spread_maxima(const Convolution& c, Dtype dtype, const void* g, const Size* index, void* dx) {
  (dtype == f32 ? spread<float> : spread<double>)(c, g, index, dx);
}

}  // namespace xgrad::kernels
