// Computes einsums as tests/numpy/einsum.py asks. Reads lines `=SPEC operands`, then of each operand its number of
// axes, its sizes and its numbers, and answers each by the result's number of axes, its sizes and its numbers.
#include <cstdio>
#include <iostream>
#include <xgrad.hpp>

using namespace xgrad;

namespace {

Tensor read() {
  std::size_t axes = 0;
  std::cin >> axes;
  std::vector<std::int64_t> sizes(axes);
  for (std::int64_t& size : sizes) std::cin >> size;
  const Shape shape(sizes);
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  for (double& v : values) std::cin >> v;
  return from_values(values, shape);
}

}  // namespace

int main() {
  std::string spec;
  int count = 0;
  while (std::cin >> spec >> count) {
    std::vector<Tensor> operands;
    for (int i = 0; i < count; ++i) operands.push_back(read());
    const Tensor y = einsum(spec.substr(1), operands);
    std::printf("%d ", y.ndim());
    for (const std::int64_t size : y.shape()) std::printf("%lld ", static_cast<long long>(size));
    for (const double v : to_vector(y)) std::printf("%.17g ", v);
    std::printf("\n");
  }
}
