#include <limits>
#include <nn/nn.hpp>

#include "nn/support.hpp"

using namespace xgrad;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

template <class F>
void check_gradients(F f, const std::vector<Tensor>& inputs) {
  const GradcheckReport r = gradcheck(f, inputs, {.order = 2});
  INFO(r.str());
  CHECK(r.ok());
}

}  // namespace

TEST_CASE("Dense is x W + b with W (in, out), for any leading axes") {
  nn::Dense layer{3, 2, {.dtype = f64}};
  CHECK(layer.weight.shape() == Shape{3, 2});
  CHECK(layer.bias.shape() == Shape{2});
  check_close(layer.bias, {0, 0});
  {
    const NoGrad guard;
    layer.weight.assign(tensor({{1, 2}, {3, 4}, {5, 6}}, {.dtype = f64}));
    layer.bias.assign(tensor({10, 20}, {.dtype = f64}));
  }
  check_close(layer(tensor({{1, 0, -1}, {1, 1, 1}}, {.dtype = f64})), {6, 16, 19, 32});
  check_close(layer(tensor({1, 0, -1}, {.dtype = f64})), {6, 16});
  CHECK(layer(zeros({2, 4, 3}, {.dtype = f64})).shape() == Shape{2, 4, 2});
  CHECK(layer(zeros({0, 3}, {.dtype = f64})).shape() == Shape{0, 2});
}

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

TEST_CASE("Dense has right derivatives to order 2 in input, weight and bias") {
  const nn::Dense layer{3, 2, {.bias_init = nn::init::normal(), .dtype = f64}};
  const Tensor x = randn({4, 3}, {.dtype = f64});
  check_gradients([](const Tensor& a, const Tensor& w, const Tensor& b) { return tanh(dense(a, w, b)); },
                  {x, layer.weight, layer.bias});
  check_gradients([&](const Tensor& a) { return tanh(layer(a)); }, {x});
  sum(layer(x)).backward();
  check_close(layer.weight.grad(), numbers(matmul(transpose(x), ones({4, 2}, {.dtype = f64}))));
  check_close(layer.bias.grad(), {4, 4});
}

TEST_CASE("sizes of Dense are checked: negative ones throw, zero is allowed") {
  CHECK_ERROR((nn::Dense{-1, 4}), "layers.cpp",
              "Dense: negative size: -1 inputs and 4 outputs; both must be at least 0");
  const nn::Dense none{0, 4};
  check_close(none(zeros({2, 0})), std::vector<double>(8, 0));
  CHECK(nn::Dense(3, 0)(zeros({2, 3})).shape() == Shape{2, 0});
}

TEST_CASE("wrong input features name both shapes, with the user's line and the layer") {
  const nn::Dense layer{3, 4};
  const std::string message = error_of([&] { layer(zeros({2, 5})); });
  CAPTURE(message);
  CHECK(message.starts_with(text("layers.cpp:", __LINE__ - 2, ": in Dense 3 -> 4: dense: ")));
  CHECK(message.find("(2, 5)") != std::string::npos);
  CHECK(message.find("(3, 4)") != std::string::npos);
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

TEST_CASE("dropout repeats with the seed, and its derivatives are right for a given mask") {
  const nn::Dropout layer{0.4};
  check_gradients(
      [&](const Tensor& x) {
        manual_seed(9);
        return layer(square(x));
      },
      {randn({4, 5}, {.dtype = f64})});
}

TEST_CASE("a dropout probability outside [0, 1] is refused") {
  CHECK_ERROR(nn::Dropout{1.5}, "layers.cpp", "Dropout: the probability is 1.5; it must be between 0 and 1");
  CHECK_ERROR(nn::Dropout{-.1}, "layers.cpp", "Dropout: the probability is -0.1; it must be between 0 and 1");
  CHECK_ERROR(nn::Dropout{not_a_number}, "layers.cpp", "Dropout: the probability is nan; it must be between 0 and 1");
}

TEST_CASE("Flatten joins all axes but the first") {
  CHECK(nn::Flatten{}(zeros({2, 3, 4})).shape() == Shape{2, 12});
  CHECK(nn::Flatten{}(zeros({0, 3, 4})).shape() == Shape{0, 12});
  CHECK_ERROR(nn::Flatten{}(zeros({3})), "layers.cpp",
              "in Flatten: flatten: needs a batch axis and at least one more, and the input is (3,)");
}

TEST_CASE("an activation layer is its function") {
  const Tensor x = tensor({{-2., -.5, 0., 3.}}, {.dtype = f64});
  CHECK(equal(nn::ReLU{}(x), nn::relu(x)));
  CHECK(equal(nn::LeakyReLU{.3}(x), nn::leaky_relu(x, .3)));
  CHECK(equal(nn::ELU{2}(x), nn::elu(x, 2)));
  CHECK(equal(nn::SELU{}(x), nn::selu(x)));
  CHECK(equal(nn::GELU{}(x), nn::gelu(x)));
  CHECK(equal(nn::SiLU{}(x), nn::silu(x)));
  CHECK(equal(nn::Sigmoid{}(x), nn::sigmoid(x)));
  CHECK(equal(nn::LogSigmoid{}(x), nn::log_sigmoid(x)));
  CHECK(equal(nn::Tanh{}(x), nn::tanh(x)));
  CHECK(equal(nn::Softplus{}(x), nn::softplus(x)));
  CHECK(equal(nn::Softmax{}(x), nn::softmax(x)));
  CHECK(equal(nn::Softmax{0}(x), nn::softmax(x, 0)));
  CHECK(equal(nn::LogSoftmax{}(x), nn::log_softmax(x)));
}
