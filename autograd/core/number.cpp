#include <autograd/number.hpp>
#include <cmath>

namespace xgrad {

bool Number::fits(Dtype dtype) const {
  const double x = real();
  if (dtype == boolean) return x == 0 || x == 1;
  return dtype != i64 || is_integer_ || (x == std::floor(x) && x >= -0x1p63 && x < 0x1p63);
}

void Number::store(Dtype dtype, void* to) const {
  switch (dtype) {
    case Dtype::f32:
      *static_cast<float*>(to) = static_cast<float>(real());
      break;
    case Dtype::f64:
      *static_cast<double*>(to) = real();
      break;
    case Dtype::i64:
      *static_cast<std::int64_t*>(to) = integer();
      break;
    case Dtype::boolean:
      *static_cast<bool*>(to) = real() != 0;
      break;
  }
}

}  // namespace xgrad
