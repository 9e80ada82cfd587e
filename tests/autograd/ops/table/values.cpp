#include <algorithm>
#include <autograd/ops/table/values.hpp>
#include <stdexcept>

namespace xgrad::op_table {
namespace {

template <class T>
void copy_numbers(const Tensor& t, std::vector<Real>& to) {
  const T* const from = t.data<T>();
  to.assign(from, from + t.size());
}

}  // namespace

Values::Values(const Tensor& t) : shape(t.shape()) {
  switch (t.dtype()) {
    case f32:
      copy_numbers<float>(t, v);
      break;
    case f64:
      copy_numbers<double>(t, v);
      break;
    case i64:
      copy_numbers<std::int64_t>(t, v);
      break;
    case boolean:
      copy_numbers<bool>(t, v);
      break;
  }
}

std::size_t Values::offset(const Index& index) const {
  std::int64_t at = 0;
  for (int d = 0; d < shape.ndim(); ++d) {
    const std::int64_t i = index.at(static_cast<std::size_t>(d));
    if (i < 0 || i >= shape[d]) throw std::out_of_range("a reference reads outside " + shape.str());
    at = at * shape[d] + i;
  }
  return static_cast<std::size_t>(at);
}

void each_index(const Shape& shape, const std::function<void(const Index&)>& visit) {
  Index index(static_cast<std::size_t>(shape.ndim()), 0);
  for (std::int64_t n = shape.size(); n > 0; --n) {
    visit(index);
    for (int d = shape.ndim() - 1; d >= 0; --d) {
      std::int64_t& i = index[static_cast<std::size_t>(d)];
      if (++i < shape[d]) break;
      i = 0;
    }
  }
}

Values build(const Shape& shape, const std::function<Real(const Index&)>& element) {
  Values result(shape);
  std::size_t n = 0;
  each_index(shape, [&](const Index& index) { result.v[n++] = element(index); });
  return result;
}

Shape broadcast_of(const std::vector<Values>& inputs) {
  int ndim = 0;
  for (const Values& x : inputs) ndim = std::max(ndim, x.shape.ndim());
  const std::vector<std::int64_t> ones(static_cast<std::size_t>(ndim), 1);
  Shape result(ones);
  for (const Values& x : inputs) {
    for (int d = 1; d <= x.shape.ndim(); ++d) {
      if (x.shape[-d] == 1) continue;
      if (result[-d] != 1 && result[-d] != x.shape[-d]) throw std::invalid_argument("shapes do not broadcast");
      result[-d] = x.shape[-d];
    }
  }
  return result;
}

Real broadcast_element(const Values& x, const Index& index) {
  Index own(static_cast<std::size_t>(x.shape.ndim()));
  for (std::size_t d = 1; d <= own.size(); ++d) {
    const bool single = x.shape[-static_cast<int>(d)] == 1;
    own[own.size() - d] = single ? 0 : index[index.size() - d];
  }
  return x[own];
}

namespace {

template <class F, std::size_t... I>
ElementReference each_of(F f, std::index_sequence<I...>) {
  return [f](const std::vector<Values>& x) {
    return build(broadcast_of(x), [&](const Index& index) { return f(broadcast_element(x.at(I), index)...); });
  };
}

}  // namespace

ElementReference each(Real (*f)(Real)) { return each_of(f, std::make_index_sequence<1>()); }
ElementReference each(Real (*f)(Real, Real)) { return each_of(f, std::make_index_sequence<2>()); }
ElementReference each(Real (*f)(Real, Real, Real)) { return each_of(f, std::make_index_sequence<3>()); }

}  // namespace xgrad::op_table
