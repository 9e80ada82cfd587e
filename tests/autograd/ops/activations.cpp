#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/memory.hpp>
#include <autograd/node.hpp>
#include <support.hpp>

// What activations save, free and refuse.
using namespace xgrad;

TEST_CASE("sigmoid remembers its input for a loss, while it records; log_softmax, whose loss is exact, does not") {
  const Tensor x = randn({2, 3}, {.requires_grad = true});
  CHECK(sigmoid(x).node()->source().same(x));
  CHECK_FALSE(log_softmax(x).node()->source().defined());
  CHECK_FALSE(sigmoid(x.detach()).requires_grad());
}

TEST_CASE("an activation's graph is freed with its last handle, and its values by backward") {
  const Tensor x = randn({1000}, {.requires_grad = true});
  const auto before = memory::statistics();
  for (Tensor (*const f)(const Operand&) : std::initializer_list<Tensor (*)(const Operand&)>{
           sigmoid, relu, selu, gelu, silu, softplus, log_sigmoid, mish, hardswish}) {
    { const Tensor y = f(x); }
    { const Tensor g = grad(sum(f(x)), {x}, {.create_graph = true})[0]; }
  }
  {
    const Tensor y = softmax(x), z = log_softmax(x);
    const Tensor loss = sum(y * z);
    (void)grad(loss, {x});
  }
  CHECK(memory::statistics().live_nodes == before.live_nodes);
  CHECK(memory::statistics().live_bytes == before.live_bytes);
}

TEST_CASE("sigmoid keeps its input and relu its output, not a copy of it") {
  const Tensor x = randn({1000}, {.requires_grad = true});
  for (const auto f : {sigmoid, relu}) {
    const auto before = memory::statistics().live_bytes;
    const Tensor y = f(x);
    CHECK(memory::statistics().live_bytes - before < 1000 * 4 + 200);
  }
}

TEST_CASE("log_softmax keeps its output, not its input") {
  const Tensor x = randn({1000}, {.requires_grad = true});
  const auto before = memory::statistics().live_bytes;
  const Tensor y = log_softmax(x * 2);
  CHECK(memory::statistics().live_bytes - before < 1000 * 4 + 400);
}

TEST_CASE("a dropped element gets no gradient, and a kept one the scale") {
  const Tensor x = tensor({1., 2., 3.}, {.requires_grad = true});
  const Tensor keep = tensor({1., 0., 1.}) != 0;
  const Tensor g = grad(sum(masked_scale(x, keep, 4)), {x})[0];
  CHECK(all(g == tensor({4., 0., 4.})).item<bool>());
}

TEST_CASE("an activation refuses what it is not defined for") {
  const Tensor x = zeros({2, 3}), classes = zeros({2}, {.dtype = i64});
  CHECK(message_of<ShapeError>([&] { softmax(x, 2); }) ==
        "softmax: axis 2 is out of range for a tensor of shape (2, 3); expected one in [-2, 1]");
  CHECK(message_of<ShapeError>([&] { log_softmax(zeros({})); }).starts_with("log_softmax: axis -1"));
  CHECK(message_of<DtypeError>([&] { sigmoid(classes); }) == "sigmoid: not defined for i64; convert with .to(f32)");
  CHECK(message_of<DtypeError>([&] { softmax(classes); }) == "softmax: not defined for i64; convert with .to(f32)");
  CHECK(message_of<ValueError>([&] { relu(Tensor()); }).starts_with("relu: argument 0 is an undefined"));
  CHECK(message_of<ValueError>([&] { elu(Tensor()); }).starts_with("elu: "));
  CHECK(message_of<DtypeError>([&] { masked_scale(x, x, 2); }) == "masked_scale: the mask is f32, not boolean");
  CHECK(message_of<ShapeError>([&] { masked_scale(x, zeros({3}) == 0, 2); }) ==
        "masked_scale: the mask is (3,), the input is (2, 3); they must be equal");
}

TEST_CASE("gumbel_softmax draws classes with their probabilities, and its hard form has the soft one's gradient") {
  manual_seed(3);
  const Tensor logits = log(tensor({.1, .2, .7}, f64));
  const Tensor many = broadcast_to(logits, {20000, 3});
  const Tensor share = mean(gumbel_softmax(many, 1, {.hard = true}), 0);
  CHECK(max(abs(share - exp(logits))).item() < .02);
  const Tensor x = randn({4, 3}, {.dtype = f64, .requires_grad = true}), weights = randn({4, 3}, f64);
  manual_seed(5);
  const Tensor soft = gumbel_softmax(x, .5), of_soft = grad(sum(soft * weights), x);
  manual_seed(5);
  const Tensor hard = gumbel_softmax(x, .5, {.hard = true}), of_hard = grad(sum(hard * weights), x);
  CHECK(max(abs(sum(soft, 1) - 1)).item() < 1e-14);
  CHECK(all(argmax(hard, 1) == argmax(soft, 1)).item<bool>());
  CHECK(sum(hard).item() == 4);
  CHECK(max(abs(of_soft - of_hard)).item() == 0);
  CHECK(message_of<ValueError>([&] { (void)gumbel_softmax(x, 0); }) ==
        "gumbel_softmax: the temperature is 0; it must be above 0");
}

TEST_CASE("an activation refuses options that make no sense") {
  const Tensor x = ones({2, 3});
  CHECK(message_of<ValueError>([&] { hardtanh(x, 1, 1); }) == "hardtanh: low is 1, high is 1; expected low < high");
  CHECK(message_of<ValueError>([&] { polygamma(-1, x); }) == "polygamma: n is -1; it must be at least 0");
  CHECK(message_of<ShapeError>([&] {
          cdist(x, ones({2, 2}));
        }) == "cdist: needs (..., m, k) and (..., n, k), and a is (2, 3), b is (2, 2)");
  CHECK(message_of<ShapeError>([&] { cross(ones({2}), ones({2})); }) ==
        "cross: needs 3 elements along axis 0, and a is (2,), b is (2,)");
  CHECK(message_of<ShapeError>([&] {
          cross(x, ones({4, 3}));
        }) == "cross: shapes do not broadcast: a is (2, 3), b is (4, 3)");
  CHECK(message_of<ShapeError>([&] {
          cosine_similarity(x, ones({4, 3}));
        }) == "cosine_similarity: shapes do not broadcast: a is (2, 3), b is (4, 3)");
}
