#include <doctest/doctest.h>
#include <cmath>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

#include "support.hpp"

// What layers on images have beyond what holds for all layers.
using namespace xgrad;

namespace {

double variance_of(const Tensor& w) { return variance(w).item(); }

nn::Sequential lenet() {
  return nn::Sequential{nn::Conv2d{1, 6, 5, {.padding = nn::same}},
                        nn::ReLU{},
                        nn::MaxPool2d{2},
                        nn::Conv2d{6, 16, 5},
                        nn::ReLU{},
                        nn::MaxPool2d{2},
                        nn::Flatten{},
                        nn::Dense{64, 10}};
}

}  // namespace

TEST_CASE("initialisers count the fans of convolutions") {
  manual_seed(1);
  // Glorot's variance is 2 / (fan_in + fan_out), He's 2 / fan_in; both times the kernel's size, and in by group.
  CHECK(variance_of(nn::Conv2d{32, 64, 5}.weight) == doctest::Approx(2. / (25 * 96)).epsilon(.05));
  CHECK(variance_of(nn::Conv2d{32, 64, 5, {.weight_init = nn::init::he_normal()}}.weight) ==
        doctest::Approx(2. / (25 * 32)).epsilon(.05));
  CHECK(variance_of(nn::Conv1d{64, 128, 9, {.groups = 4, .weight_init = nn::init::he_uniform()}}.weight) ==
        doctest::Approx(2. / (9 * 16)).epsilon(.05));
  CHECK(variance_of(nn::ConvTranspose2d{64, 32, 5, {.weight_init = nn::init::he_uniform()}}.weight) ==
        doctest::Approx(2. / (25 * 64)).epsilon(.05));
  const nn::Conv2d c{3, 4, {5, 2}};
  CHECK(c.weight.shape() == Shape{4, 3, 5, 2});
  CHECK(all(c.bias == 0).item<bool>());
  CHECK(nn::ConvTranspose1d{6, 4, 3, {.groups = 2}}.weight.shape() == Shape{6, 2, 3});
}

TEST_CASE("an orthogonal convolution has orthonormal kernels") {
  manual_seed(2);
  const nn::Conv2d c{3, 8, 3, {.weight_init = nn::init::orthogonal()}};
  const Tensor rows = reshape(c.weight, {8, 27});
  CHECK(max(abs(matmul(rows, rows, {.transpose_b = true}) - eye(8))).item() < 1e-5);
}

TEST_CASE("batch normalisation keeps running moments as PyTorch does, and uses them in evaluation") {
  nn::BatchNorm1d layer{2, {.momentum = .25}};
  const Tensor first = tensor({{1, 10}, {3, 30}, {8, 20}}), second = tensor({{0, 0}, {2, 4}});
  layer(first);
  // means 4 and 20, unbiased variances 13 and 100
  CHECK(layer.running_mean.at(0).item() == doctest::Approx(.25 * 4));
  CHECK(layer.running_variance.at(1).item() == doctest::Approx(.75 + .25 * 100));
  layer(second);
  CHECK(layer.running_mean.at(1).item() == doctest::Approx(.75 * 5 + .25 * 2));
  CHECK(layer.running_variance.at(0).item() == doctest::Approx(.75 * (.75 + .25 * 13) + .25 * 2));
  const Tensor mean = layer.running_mean.clone();
  layer.eval();
  const Tensor y = layer(ones({1, 2}));
  CHECK(y.at(0, 0).item() ==
        doctest::Approx((1 - mean.at(0).item()) / std::sqrt(layer.running_variance.at(0).item() + 1e-5)));
  CHECK(same_bits(layer.running_mean, mean));
  layer.train();
  layer(zeros({0, 2}));
  CHECK(same_bits(layer.running_mean, mean));
}

TEST_CASE("a captured step moves the running moments as an eager one does") {
  manual_seed(3);
  nn::Sequential eager{nn::Conv2d{1, 3, 3}, nn::BatchNorm2d{3}, nn::ReLU{}, nn::Flatten{}, nn::Dense{12, 2}};
  nn::Sequential replayed = eager;
  optim::SGD one{eager.parameters(), {.lr = .1}}, other{replayed.parameters(), {.lr = .1}};
  const auto train = [](nn::Sequential& model, optim::SGD& optimizer, const Tensor& x) {
    const Tensor loss = mean(square(model(x)));
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    return loss;
  };
  auto step = capture([&](const Tensor& x) { return train(replayed, other, x); });
  for (int i = 0; i < 5; ++i) {
    const Tensor x = randn({4, 1, 4, 4});
    CHECK(same_bits(train(eager, one, x), step(x)));
  }
  const StateDict state = replayed.state_dict();
  for (const auto& [name, value] : eager.state_dict()) CHECK_MESSAGE(same_bits(value, state[name]), name);
  eager.eval();
  replayed.eval();
  const Tensor x = randn({2, 1, 4, 4});
  CHECK(same_bits(eager(x), replayed(x)));
}

TEST_CASE("a model of convolutions is summed up, saved and trained") {
  manual_seed(4);
  nn::Sequential model = lenet();
  const std::string summary = model.summary();
  CHECK(summary.find("Conv2d 1 -> 6, 5 x 5, same") != std::string::npos);
  CHECK(summary.find("MaxPool2d 2") != std::string::npos);
  std::vector<std::string> names;
  for (const auto& [name, value] : model.state_dict()) names.push_back(name);
  CHECK(names == std::vector<std::string>{"0.weight", "0.bias", "3.weight", "3.bias", "7.weight", "7.bias"});

  // Images with a bright row or a bright column.
  const std::int64_t n = 40;
  Tensor x = .1 * rand({n, 1, 16, 16});
  std::vector<std::int64_t> classes;
  for (std::int64_t i = 0; i < n; ++i) {
    classes.push_back(i % 2);
    for (std::int64_t k = 0; k < 16; ++k) x.data<float>()[i * 256 + (i % 2 ? k * 16 + i % 13 : i % 13 * 16 + k)] = 1;
  }
  const Tensor t = from_values(classes);
  optim::Adam optimizer{model.parameters(), {.lr = 5e-3}};
  double loss = 0;
  for (int epoch = 0; epoch < 60; ++epoch) {
    const Tensor l = nn::cross_entropy(model(x), t);
    optimizer.zero_grad();
    l.backward();
    optimizer.step();
    loss = l.item();
  }
  CHECK(loss < .05);
}

TEST_CASE("a summary with an example shows the shapes that come out of each layer, and leaves the model as it was") {
  nn::Sequential model{nn::Conv2d{1, 3, 3, {.stride = 2}},
                       nn::BatchNorm2d{3},
                       nn::MaxPool2d{2},
                       nn::Flatten{},
                       nn::Dropout{.5},
                       nn::Dense{27, 2}};
  model.submodule("4").eval();
  const StateDict before = model.state_dict();
  const std::string shown = nn::summary(model, ones({5, 1, 14, 15}));
  for (const char* row : {"(5, 3, 6, 7)", "(5, 3, 3, 3)", "(5, 27)", "(5, 2)"})
    CHECK_MESSAGE(shown.find(row) != std::string::npos, shown);
  CHECK(shown.find("(*,") == std::string::npos);
  for (const auto& [name, value] : before) CHECK_MESSAGE(same_bits(value, model.state_dict()[name]), name);
  CHECK(model.is_training());
  CHECK_FALSE(model.submodule("4").is_training());
  CHECK_THROWS_AS(nn::summary(model, ones({5, 2, 14, 15})), ShapeError);
  CHECK(model.is_training());
}

TEST_CASE("dropout of channels drops whole ones") {
  manual_seed(5);
  const nn::Dropout2d layer{.5};
  const Tensor y = layer(ones({20, 10, 3, 2}));
  const Tensor low = min(y, {2, 3}), high = max(y, {2, 3});
  CHECK(all(low == high).item<bool>());
  CHECK(all((low == 0) || (low == 2)).item<bool>());
  CHECK(std::fabs(mean(y).item() - 1) < .25);
}

TEST_CASE("a checkpointed convolution has the gradients of a plain one") {
  manual_seed(6);
  const nn::Conv2d c{2, 3, 3, {.stride = 2, .padding = 1}};
  const Tensor x = randn({2, 2, 5, 5}, {.requires_grad = true});
  const auto f = [&](const Tensor& in) { return relu(c(in)); };
  const std::vector<Tensor> plain = grad(sum(square(f(x))), {x, c.weight, c.bias}),
                            again = grad(sum(square(checkpoint(f, x))), {x, c.weight, c.bias});
  for (std::size_t i = 0; i < plain.size(); ++i) CHECK(same_bits(plain[i], again[i]));
}
