#include <algorithm>
#include <autograd/ops.hpp>
#include <autograd/outputs.hpp>

/// Packs several outputs of an op into one array, of which callers see slices.
namespace xgrad::detail {

Outputs::Outputs(const OpScope& scope, const Array* outputs, std::size_t count, Array& joined) {
  std::int64_t size = 0;
  const Array* first = nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    const Array& output = outputs[i];
    const bool floating = is_floating(output.dtype());
    outputs_.push_back({output.shape(), size, floating ? Tensor() : Tensor(output)});
    if (!floating) continue;
    if (!first) first = &output;
    if (output.dtype() != first->dtype())
      scope.fail<DtypeError>("output ", first - outputs, " is ", name_of(first->dtype()), ", output ", i, " is ",
                             name_of(output.dtype()), "; all floating ones must be of one dtype");
    size += output.size();
  }
  joined = Array(first ? first->dtype() : boolean, Shape{size});
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t n = outputs[i].size();
    if (outputs_[i].constant.defined() || n == 0) continue;
    const Array to = joined.viewed(outputs[i].shape(), outputs_[i].begin);
    kernels::table().copy[int(joined.dtype())](outputs[i].data(), to.data(), kernels::Loop<2>::row(n, 1, 1));
  }
}

void Outputs::cotangents(const Tensor& joined, Tensor* parts) const {
  for (const Output& output : outputs_) {
    if (!output.constant.defined())
      *parts = reshape(slice(joined, 0, output.begin, output.begin + output.shape.size()), output.shape);
    ++parts;
  }
}

void Outputs::values(const Tensor& joined, Tensor* parts) const {
  cotangents(joined, parts);
  for (const Output& output : outputs_) {
    if (output.constant.defined()) *parts = output.constant;
    ++parts;
  }
}

}  // namespace xgrad::detail
