// What a user's program touches: ops and derivatives, a trained model, values from and to xtensor. Prints all digits.
#include <autograd/fused.hpp>
#include <autograd/xtensor.hpp>
#include <cstdio>
#include <xgrad.hpp>

using namespace xgrad;

int main() {
  const Tensor w = tensor({1., 2., 3.}, {.dtype = f64, .requires_grad = true});
  sum(exp(w * w)).backward();
  for (const double g : w.grad().array<double>()) std::printf("derivative %.17g\n", g);

  manual_seed(0);
  nn::Sequential model{nn::Dense{8, 16}, nn::ReLU{}, nn::Dropout{0.2}, nn::Dense{16, 1}};
  optim::Adam optimizer{model.parameters()};
  const Tensor x = randn({32, 8}), t = (sum(x, {1}, true) > 0).to(f32);
  for (int step = 0; step < 20; ++step) {
    optimizer.zero_grad();
    const Tensor loss = nn::binary_cross_entropy_with_logits(model(x), t);
    loss.backward();
    optimizer.step();
    std::printf("loss %.9g\n", loss.item<double>());
  }

  const xt::xarray<float> values = {{1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}};
  const Tensor cubes = primitive(
      "cube", {tensor(values / 8.f, {.requires_grad = true})}, [](const auto& v) { return v * v * v; },
      [](const Tensor& g) { return g; });
  for (const float v : cubes.array<float>()) std::printf("cube %.9g\n", static_cast<double>(v));

  const Tensor v = linspace(-2, 2, 5, {.requires_grad = true});
  const Tensor y = fused(
      "bend", [](auto a, auto b) { return a * b / (1 + a * a) - b; }, v, 3);
  sum(y).backward();
  for (int i = 0; i < 5; ++i)
    std::printf("bend %.9g, slope %.9g\n", double(y.data<float>()[i]), double(v.grad().data<float>()[i]));
}
