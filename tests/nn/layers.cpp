#include <nn/nn.hpp>

#include "support.hpp"

using namespace xgrad;

/// What layers do beyond what the table of layers (layer_table.cpp) checks of all.

TEST_CASE("Dense begins with Glorot-uniform weights and zero biases unless told otherwise") {
  manual_seed(1);
  const nn::Dense layer{100, 200};
  const double limit = std::sqrt(6. / 300);
  CHECK(max(abs(layer.weight)).item<double>() <= limit);
  CHECK(max(abs(layer.weight)).item<double>() > 0.99 * limit);
  const nn::Dense other{2, 2, {.weight_init = nn::init::ones(), .bias_init = nn::init::constant(3)}};
  check_close(other.weight, {1, 1, 1, 1});
  check_close(other.bias, {3, 3});
  const nn::Dense plain{2, 2, {.bias = false}};
  CHECK(!plain.bias.defined());
  CHECK(plain.parameters().size() == 1);
  CHECK(plain(ones({1, 2})).shape() == Shape{1, 2});
}

TEST_CASE("dropout keeps the mean, draws a new mask each time, and uses it in backward too") {
  manual_seed(2);
  const nn::Dropout layer{0.2};
  const Tensor x = ones({100000}, {.requires_grad = true});
  const Tensor a = layer(x), b = layer(x);
  CHECK(!equal(a, b));
  // One element's variance is p / (1 - p).
  CHECK(std::abs(mean(a).item<double>() - 1) < 4 * std::sqrt(0.25 / 100000));
  const double dropped = mean((a == 0).to(f64)).item<double>();
  CHECK(std::abs(dropped - 0.2) < 4 * std::sqrt(0.16 / 100000));
  check_close(max(a), {1.25}, 1e-7);
  sum(a).backward();
  CHECK(equal(x.grad(), a));
}

TEST_CASE("dropout is the identity for p = 0 and in evaluation mode, and zero for p = 1") {
  const Tensor x = tensor({1., -2., 3.}, {.requires_grad = true});
  nn::Dropout half{0.5};
  half.eval();
  CHECK(half(x).same(x));
  CHECK(nn::Dropout{0}(x).same(x));
  const Tensor gone = nn::Dropout{1}(x);
  check_close(gone, {0, 0, 0});
  sum(gone).backward();
  check_close(x.grad(), {0, 0, 0});
}

TEST_CASE("LayerNorm begins as the identity of what is normalised, and has PyTorch's values and gradients") {
  nn::LayerNorm layer{3, {.dtype = f64}};
  check_close(layer.weight, {1, 1, 1});
  check_close(layer.bias, {0, 0, 0});
  CHECK(nn::LayerNorm(3, {.affine = false}).parameters().empty());
  CHECK(nn::LayerNorm(3, {.bias = false}).parameters().size() == 1);
  CHECK(nn::LayerNorm({4, 8}).describe() == "LayerNorm 4 x 8");
  layer.weight = tensor({.5, 2, -1}, {.dtype = f64});
  layer.bias = tensor({1, 0, .25}, {.dtype = f64});
  const Tensor x = tensor({{1, 2, 4}, {.5, -3, 7}}, {.dtype = f64, .requires_grad = true});
  const Tensor y = layer(x);
  check_close(y, {0.46547923427485105, -0.5345207657251492, -1.0863019143128718, 0.8793223371424592, -2.172197931435733,
                  -1.077454291432948});
  sum(square(y)).backward();
  check_close(x.grad(), {1.0901662212729835, -1.6352589009787728, 0.5450926797057893, 0.9018125488348429,
                         -0.5861788607345421, -0.31563368810030046});
}

TEST_CASE("the padding of a bag takes no part under its negative number either") {
  nn::EmbeddingBag bag{4, 2, {.padding = 3}};
  const Tensor indices = tensor({{0, -1}, {3, -1}}, i64), first = bag.weight[0];
  CHECK(equal(bag(indices), stack({first, zeros({2})})));
  CHECK(equal(bag(reshape(indices, {-1}), tensor({0, 2}, i64)), stack({first, zeros({2})})));
}
