// Trains the reference network, without dropout and in f64, on made-up images, and prints the loss of each of 100
// steps; tests/pytorch/reference_network.py does the same in PyTorch and compares.
#include <autograd/autograd.hpp>
#include <cstdio>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xgrad;

namespace {

/// Number i of a stream of uniform [0, 1) numbers that the script computes too, bit for bit.
double uniform(std::uint64_t stream, std::int64_t i) {
  std::uint64_t h = (stream << 40 | static_cast<std::uint64_t>(i)) * 0x9E3779B97F4A7C15;
  h = (h ^ h >> 32) * 0xD6E8FEB86659FD93;
  h ^= h >> 32;
  return static_cast<double>(h >> 11) * 0x1p-53;
}

Tensor uniform_tensor(const Shape& shape, std::uint64_t stream, double low, double high) {
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = low + (high - low) * uniform(stream, static_cast<std::int64_t>(i));
  return from_values(values, shape);
}

}  // namespace

int main() {
  nn::Sequential model{nn::Dense{784, 64}, nn::ReLU{},       nn::Dropout{0}, nn::Dense{64, 32},
                       nn::ReLU{},         nn::Dense{32, 1}, nn::Sigmoid{}};
  model.to(f64);
  std::uint64_t stream = 0;
  for (Tensor p : model.parameters()) {
    const NoGrad guard;
    const double bound = p.ndim() == 2 ? 1 / (4 + static_cast<double>(p.shape()[0]) / 32) : 0.125;
    p.assign(uniform_tensor(p.shape(), stream++, -bound, bound));
  }
  std::vector<Tensor> images, targets;
  for (int batch = 0; batch < 10; ++batch) {
    const Tensor x = uniform_tensor({128, 784}, stream++, 0, 1);
    images.push_back(x);
    // More light in the first half of the pixels than in the second.
    const Tensor difference = sum(slice(x, 1, 0, 392), {1}, true) - sum(slice(x, 1, 392, 784), {1}, true);
    targets.push_back((difference > 0).to(f64));
  }
  optim::Adam optimizer{model.parameters(), {.lr = 1e-3}};
  for (std::size_t step = 0; step < 100; ++step) {
    optimizer.zero_grad();
    const Tensor loss = nn::binary_cross_entropy(model(images[step % 10]), targets[step % 10]);
    loss.backward();
    optimizer.step();
    std::printf("%.17g\n", loss.item<double>());
  }
}
