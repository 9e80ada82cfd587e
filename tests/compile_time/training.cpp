// What most programs look like to the compiler: the reference network and its training.
#include <cstdio>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xgrad;

int main() {
  manual_seed(0);
  nn::Sequential model{nn::Dense{784, 64}, nn::ReLU{},       nn::Dropout{0.2}, nn::Dense{64, 32},
                       nn::ReLU{},         nn::Dense{32, 1}, nn::Sigmoid{}};
  optim::Adam optimizer{model.parameters(), {.lr = 1e-3}};
  const Tensor images = rand({512, 784});
  const Tensor labels = (mean(images, {1}, true) > 0.5).to(f32);

  for (int epoch = 0; epoch < 5; ++epoch) {
    double total = 0;
    for (int first = 0; first < 512; first += 128) {
      const Tensor x = slice(images, 0, first, first + 128), t = slice(labels, 0, first, first + 128);
      optimizer.zero_grad();
      const Tensor loss = nn::binary_cross_entropy(model(x), t);
      loss.backward();
      optimizer.step();
      total += loss.item<double>();
    }
    std::printf("epoch %d: loss %.4f\n", epoch, total / 4);
  }
}
