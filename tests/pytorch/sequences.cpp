// Recurrent layers, attention and bags of embeddings as tests/pytorch/sequences.py asks. Each line names a kind, its
// sizes and options, the dtype and the order of derivatives, and then all numbers: inputs and parameters. It is
// answered by the values, the gradients of sum(value * ramp) by all of these, and the gradients of sum(gradient *
// ramp).
#include <autograd/autograd.hpp>
#include <cstdio>
#include <iostream>
#include <nn/nn.hpp>
#include <sstream>

using namespace xgrad;

namespace {

using Tensors = std::vector<Tensor>;

struct Request {
  std::istringstream words;
  Dtype dtype = f64;
  Tensors leaves = {};

  template <class T = std::int64_t>
  T next() {
    T value{};
    if (!(words >> value)) throw ValueError("the request ends too early");
    return value;
  }
  Tensor numbers(const Shape& shape) {
    std::vector<double> values(static_cast<std::size_t>(shape.size()));
    for (double& v : values) v = next<double>();
    return from_values(values, shape);
  }
  Tensor indices(const Shape& shape) { return numbers(shape).to(i64); }
  Tensor leaf(const Shape& shape) {
    leaves.push_back(numbers(shape).to(dtype).clone().set_requires_grad(true));
    return leaves.back();
  }
};

Tensor ramp(const Tensor& t) { return reshape(linspace(.5, 1.5, t.size(), {.dtype = t.dtype()}), t.shape()); }
Tensor weighted(const Tensors& tensors) {
  Tensor total;
  for (const Tensor& t : tensors)
    if (t.size() > 0) total = total.defined() ? total + sum(t * ramp(t)) : sum(t * ramp(t));
  return total;
}

/// The parameters of a model take the numbers of the request; they are leaves.
void fill(nn::Module& model, Request& in) {
  for (const Tensor& p : model.parameters()) {
    Tensor own = p;
    const NoGrad guard;
    own.assign(in.numbers(p.shape()).to(in.dtype));
    in.leaves.push_back(own);
  }
}

template <class Layer>
Tensors recurrent(Request& in) {
  const std::int64_t n = in.next(), steps = in.next(), features = in.next(), hidden = in.next();
  const int layers = in.next<int>();
  const bool both = in.next<int>() != 0, has_state = in.next<int>() != 0;
  Layer layer{features, hidden, {.layers = layers, .bidirectional = both, .dtype = in.dtype}};
  const Tensor lengths = in.indices({n}), x = in.leaf({n, steps, features});
  const Shape state{layers * (both ? 2 : 1), n, hidden};
  if constexpr (std::is_same_v<Layer, nn::LSTM>) {
    LstmState start;
    if (has_state) start = {in.leaf(state), in.leaf(state)};
    fill(layer, in);
    const auto [output, last] = layer(x, {.state = start, .lengths = lengths});
    return {output, last.hidden, last.cell};
  } else {
    const Tensor start = has_state ? in.leaf(state) : Tensor();
    fill(layer, in);
    const auto [output, last] = layer(x, {.state = start, .lengths = lengths});
    return {output, last};
  }
}

Tensors attention(Request& in) {
  const std::int64_t n = in.next(), heads = in.next(), m = in.next(), k = in.next(), d = in.next(), e = in.next();
  const bool causal = in.next<int>() != 0;
  const auto mask = in.next<std::string>();
  AttentionOptions options{.causal = causal};
  if (mask == "booleans") options.mask = in.numbers({n, 1, m, k}).to(boolean);
  const Tensor q = in.leaf({n, heads, m, d}), keys = in.leaf({n, heads, k, d}), v = in.leaf({n, heads, k, e});
  if (mask == "constants") options.mask = in.numbers({m, k}).to(in.dtype);
  if (mask == "numbers") options.mask = in.leaf({heads, 1, k});
  return {scaled_dot_product_attention(q, keys, v, options)};
}

Tensors bag(Request& in) {
  const std::int64_t rows = in.next(), features = in.next(), n = in.next(), k = in.next();
  const bool mean = in.next<int>() != 0, has_offsets = in.next<int>() != 0;
  const std::int64_t padding = in.next();
  nn::EmbeddingBag layer{
      rows, features, {.mode = mean ? nn::BagMode::mean : nn::BagMode::sum, .padding = padding, .dtype = in.dtype}};
  const Tensor indices = has_offsets ? in.indices({n * k}) : in.indices({n, k});
  const Tensor offsets = has_offsets ? in.indices({n}) : Tensor();
  fill(layer, in);
  return {has_offsets ? layer(indices, offsets) : layer(indices)};
}

Tensors run(const std::string& kind, Request& in) {
  if (kind == "RNN") return recurrent<nn::RNN>(in);
  if (kind == "GRU") return recurrent<nn::GRU>(in);
  if (kind == "LSTM") return recurrent<nn::LSTM>(in);
  if (kind == "attention") return attention(in);
  if (kind == "bag") return bag(in);
  throw ValueError("no kind " + kind);
}

void print(const Tensors& tensors) {
  for (const Tensor& t : tensors)
    for (const double v : to_vector(t)) std::printf("%.17g ", v);
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    Request in{.words = std::istringstream(line)};
    const auto kind = in.next<std::string>();
    in.dtype = in.next<std::string>() == "f32" ? f32 : f64;
    const bool second = in.next<int>() > 1;
    const Tensors values = run(kind, in);
    print(values);
    const Tensors first = grad(weighted(values), in.leaves, {.create_graph = second});
    print(first);
    if (second) print(grad(weighted(first), in.leaves, {.zeros_if_unused = true}));
    std::printf("\n");
  }
}
