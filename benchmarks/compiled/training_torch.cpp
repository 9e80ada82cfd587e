// tests/compile_time/training.cpp as one writes it with libtorch.
#include <torch/torch.h>
#include <cstdio>

int main() {
  torch::manual_seed(0);
  torch::nn::Sequential model(torch::nn::Linear(784, 64), torch::nn::ReLU(), torch::nn::Dropout(0.2),
                              torch::nn::Linear(64, 32), torch::nn::ReLU(), torch::nn::Linear(32, 1),
                              torch::nn::Sigmoid());
  torch::optim::Adam optimizer(model->parameters(), torch::optim::AdamOptions(1e-3));
  const torch::Tensor images = torch::rand({512, 784});
  const torch::Tensor labels = (images.mean(1, true) > 0.5).to(torch::kFloat32);

  for (int epoch = 0; epoch < 5; ++epoch) {
    double total = 0;
    for (int first = 0; first < 512; first += 128) {
      const torch::Tensor x = images.slice(0, first, first + 128), t = labels.slice(0, first, first + 128);
      optimizer.zero_grad();
      const torch::Tensor loss = torch::binary_cross_entropy(model->forward(x), t);
      loss.backward();
      optimizer.step();
      total += loss.item<double>();
    }
    std::printf("epoch %d: loss %.4f\n", epoch, total / 4);
  }
}
