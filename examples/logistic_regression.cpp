// Separates two clouds of points by a line: one layer, its logits, binary cross-entropy, Adam.
#include <cstdio>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xgrad;

namespace {

/// The plane from -4 to 4: the clouds' points as o and x, and dots where the model expects an x.
void draw(const nn::Dense& model, const Tensor& points, const Tensor& labels) {
  constexpr int width = 64, height = 20;
  char picture[height][width + 1] = {};
  for (int row = 0; row < height; ++row)
    for (int column = 0; column < width; ++column) {
      const Tensor point = tensor({{8.0 * (column + 0.5) / width - 4, 4 - 8.0 * (row + 0.5) / height}});
      picture[row][column] = model(point).item<double>() > 0 ? '.' : ' ';
    }
  for (int i = 0; i < points.shape()[0]; ++i) {
    const int column = static_cast<int>((points.data<float>()[2 * i] + 4) / 8 * width);
    const int row = static_cast<int>((4 - points.data<float>()[2 * i + 1]) / 8 * height);
    if (row >= 0 && row < height && column >= 0 && column < width)
      picture[row][column] = labels.data<float>()[i] > 0 ? 'x' : 'o';
  }
  for (const char* line : picture) std::puts(line);
}

}  // namespace

int main(int argc, char**) {
  if (argc > 1) {
    std::fputs("usage: logistic_regression\n", stderr);
    return 2;
  }

  manual_seed(0);
  constexpr int half = 100;
  const Tensor points = concatenate({randn({half, 2}) - 1.2, randn({half, 2}) + 1.2});
  const Tensor labels = concatenate({zeros({half, 1}), ones({half, 1})});

  nn::Dense model{2, 1};
  optim::Adam optimizer{model.parameters(), {.lr = 0.1}};
  for (int epoch = 1; epoch <= 100; ++epoch) {
    optimizer.zero_grad();
    const Tensor loss = nn::binary_cross_entropy_with_logits(model(points), labels);
    loss.backward();
    optimizer.step();
    if (epoch % 20 == 0) std::printf("epoch %3d   loss %.4f\n", epoch, loss.item<double>());
  }

  const NoGrad guard;
  const Tensor right = (model(points) > 0) == (labels > 0.5);
  const double accuracy = mean(right.to(f32)).item<double>();
  std::printf("accuracy    %.1f %%\n\n", 100 * accuracy);
  draw(model, points, labels);
  return accuracy > 0.93 ? 0 : 1;
}
