// Runs ops on images as tests/pytorch/images.py asks. Each request is a line `OP DTYPE COUNT option... COUNT shape...`
// with so many options, all integers, and so many shapes of tensors, each `ndim size...`; then their numbers as f64:
// the inputs, as many directions along them, and a cotangent. It is answered by f64: the value, the gradients of its
// product with the cotangent, and those of the product of these with the directions.
#include <autograd/autograd.hpp>
#include <cstdio>
#include <iostream>
#include <map>
#include <sstream>

using namespace xgrad;

namespace {

using Tensors = std::vector<Tensor>;
using Options = std::vector<std::int64_t>;

std::int64_t integer(std::istream& in) {
  std::int64_t n = 0;
  in >> n;
  return n;
}

Shape read_shape(std::istream& in) {
  Shape shape;
  for (std::int64_t left = integer(in); left > 0; --left) shape.push_back(integer(in));
  return shape;
}

Tensor read(const Shape& shape, Dtype dtype) {
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  std::cin.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(double)));
  return from_values(values, shape).to(dtype);
}

/// Takes options for each axis, or a single one, from the front of the list.
struct Reader {
  const Options& all;
  const int axes;
  std::size_t next = 0;
  Shape each() {
    Shape shape;
    for (int d = 0; d < axes; ++d) shape.push_back(all.at(next++));
    return shape;
  }
  std::int64_t one() { return all.at(next++); }
};

Tensor third(const Tensors& x) { return x.size() > 2 ? x[2] : Tensor(); }

using Op = Tensor (*)(const Tensors& x, Reader o);
const std::map<std::string, Op> ops{
    {"conv",
     [](const Tensors& x, Reader o) {
       ConvOptions options{.stride = o.each(), .padding = o.each(), .dilation = o.each(), .groups = o.one()};
       if (o.one()) options.padding = Same{};
       return conv(x[0], x[1], third(x), options);
     }},
    {"conv_transpose",
     [](const Tensors& x, Reader o) {
       const Shape stride = o.each(), padding = o.each(), dilation = o.each(), more = o.each();
       return conv_transpose(
           x[0], x[1], third(x),
           {.stride = stride, .padding = padding, .dilation = dilation, .groups = o.one(), .output_padding = more});
     }},
    {"max_pool",
     [](const Tensors& x, Reader o) {
       const Shape kernel = o.each(), stride = o.each();
       return max_pool(x[0], kernel, {.stride = stride, .padding = o.each()});
     }},
    {"avg_pool",
     [](const Tensors& x, Reader o) {
       const Shape kernel = o.each(), stride = o.each(), padding = o.each();
       return avg_pool(x[0], kernel, {.stride = stride, .padding = padding, .count_padding = o.one() != 0});
     }},
    {"adaptive_avg_pool", [](const Tensors& x, Reader o) { return adaptive_avg_pool(x[0], o.each()); }},
    {"nearest", [](const Tensors& x, Reader o) { return interpolate(x[0], {.size = o.each()}); }},
    {"linear",
     [](const Tensors& x, Reader o) {
       const Shape size = o.each();
       return interpolate(x[0], {.size = size, .mode = Interpolation::linear, .align_corners = o.one() != 0});
     }},
    {"batch_norm", [](const Tensors& x, Reader) { return batch_norm(x[0], x[1], x[2]); }},
    {"batch_norm_given",
     [](const Tensors& x, Reader) {
       return batch_norm(x[0], {x[3], x[4]}, x[1], x[2]);
     }},
    {"group_norm", [](const Tensors& x, Reader o) { return group_norm(x[0], o.one(), x[1], x[2]); }},
    {"layer_norm", [](const Tensors& x, Reader) { return layer_norm(x[0], x[1].shape(), x[1], x[2]); }},
    {"rms_norm", [](const Tensors& x, Reader) { return rms_norm(x[0], x[1].shape(), x[1]); }},
};

void print(const Tensor& t) {
  const std::vector<double> values = to_vector<double>(t);
  std::fwrite(values.data(), sizeof(double), values.size(), stdout);
}

void answer(const Op op, const Options& options, const Tensors& all, Dtype dtype) {
  const std::size_t count = all.size() / 2;
  Tensors x(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
  for (Tensor& t : x) t.set_requires_grad(true);
  const Tensor y = op(x, {options, x[0].ndim() - 2});
  print(y);
  const Tensors first = grad(y, x, all.back(), {.create_graph = true});
  Tensor along = zeros({}, {.dtype = dtype});
  for (std::size_t i = 0; i < count; ++i) {
    print(first[i]);
    along = along + sum(first[i] * all[count + i]);
  }
  for (const Tensor& second : grad(along, x, {.zeros_if_unused = true})) print(second);
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream request(line);
    std::string op, name;
    request >> op >> name;
    Options options(static_cast<std::size_t>(integer(request)));
    for (auto& o : options) o = integer(request);
    std::vector<Shape> shapes(static_cast<std::size_t>(integer(request)));
    for (Shape& shape : shapes) shape = read_shape(request);
    const Dtype dtype = name == "f64" ? f64 : f32;
    Tensors all;
    for (const Shape& shape : shapes) all.push_back(read(shape, dtype));
    answer(ops.at(op), options, all, dtype);
  }
}
