#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/primitive.hpp>
#include <cmath>
#include <string>
#include <support.hpp>

using namespace xgrad;

namespace {

#define CHECK_SAYS(expression, words)                             \
  do {                                                            \
    const std::string said = thrown([&] { (void)(expression); }); \
    CHECK_MESSAGE(has(said, words), "said: ", said);              \
  } while (false)

}  // namespace

TEST_CASE("backward of more than one element needs a cotangent; a (1, 1) tensor counts as a scalar") {
  const Tensor x = ones({3}, {.dtype = f64, .requires_grad = true});
  CHECK_SAYS((x * 2).backward(), "implicitly created only for scalar outputs");
  CHECK(!x.has_grad());
  const Tensor one = ones({1, 1}, {.dtype = f64, .requires_grad = true});
  (one * 2).backward();
  CHECK(one.grad().shape() == Shape{1, 1});
}

TEST_CASE("a cotangent of another shape throws and names both") {
  const Tensor x = ones({3}, {.dtype = f64, .requires_grad = true}), y = x * 2;
  CHECK_SAYS(y.backward(ones({2}, {.dtype = f64})), "the cotangent is (2,), the output is (3,)");
  CHECK_SAYS(y.backward(ones({3}, {.dtype = f32})), "the cotangent is f32, the output is f64");
  y.backward(ones({3}, {.dtype = f64}));  // the graph was not touched
  CHECK(x.grad().data<double>()[2] == 2);
}

TEST_CASE("a second backward without retain throws, and names the op and the remedy") {
  const Tensor x = leaf(2), y = exp(x);
  y.backward();
  CHECK_SAYS(y.backward(), "second pass through the graph at exp");
  CHECK_SAYS(y.backward({.retain_graph = true}), "retain_graph");
  CHECK_SAYS(grad(y, {x}), "retain_graph");
  const Tensor z = x + 1;  // saves nothing, and is refused all the same
  z.backward();
  CHECK_THROWS_AS(z.backward(), GraphError);
  CHECK(x.grad().item() == doctest::Approx(std::exp(2) + 1));
}

TEST_CASE("retain_graph allows any number of passes, with the same bits each time") {
  Tensor x = rand({50}, {.dtype = f64, .requires_grad = true});
  const Tensor y = sum(exp(x) * sin(x) + x / (x + 1));
  y.backward({.retain_graph = true});
  const Tensor first = x.grad();
  for (int i = 0; i < 3; ++i) {
    x.zero_grad();
    y.backward({.retain_graph = i < 2});
    CHECK(same_bits(x.grad(), first));
  }
}

TEST_CASE("create_graph implies retain_graph, and repeated second-order calls agree") {
  const Tensor x = rand({5}, {.dtype = f64, .requires_grad = true}), y = sum(x * x * x);
  const Tensor g = grad(y, {x}, {.create_graph = true})[0];
  const Tensor again = grad(y, {x}, {.create_graph = true})[0];
  CHECK(same_bits(g, again));
  const Tensor h = grad(sum(g), {x}, {.retain_graph = true})[0], h_again = grad(sum(g), {x})[0];
  CHECK(same_bits(h, h_again));
  CHECK(h.data<double>()[3] == doctest::Approx(6 * x.data<double>()[3]));
}

TEST_CASE("a saved value that was overwritten makes backward throw, under NoGrad too") {
  Tensor x = tensor({1., 2., 3.}, {.dtype = f64, .requires_grad = true});
  const Tensor y = sum(sin(x)), z = sum(x + 1);
  {
    const NoGrad guard;
    x.assign(zeros({3}, {.dtype = f64}));
  }
  CHECK_SAYS(y.backward(), "a value of shape (3,) that the gradient of sin needs was overwritten");
  z.backward();  // needs no value
  CHECK(x.grad().data<double>()[0] == 1);
}

TEST_CASE("an overwritten output that a rule asks for makes backward throw") {
  const Tensor x = tensor({1., 2.}, {.dtype = f64, .requires_grad = true});
  Tensor y = exp(x);
  const Tensor total = sum(y);
  {
    const NoGrad guard;
    y.assign(zeros({2}, {.dtype = f64}));
  }
  CHECK_SAYS(total.backward(), "the gradient of exp needs was overwritten");
}

TEST_CASE("overwriting a view changes its base, and backward notices") {
  const Tensor x = tensor({{1., 2.}}, {.dtype = f64, .requires_grad = true});
  const Tensor y = sum(sin(x));
  Tensor view = reshape(x.detach(), {2});
  view.assign(zeros({2}, {.dtype = f64}));
  CHECK(sum(abs(x)).item<double>() == 0);
  CHECK_THROWS_AS(y.backward(), GraphError);
}

TEST_CASE("values overwritten before they are recorded are no reason to throw") {
  Tensor x = leaf(1), c = tensor(1., {.dtype = f64});
  const Tensor y = sin(x);
  c.assign(tensor(2., {.dtype = f64}));  // a cotangent newer than the graph
  y.backward(c);
  CHECK(x.grad().item() == doctest::Approx(2 * std::cos(1)));
  {
    const NoGrad guard;
    x.assign(tensor(3., {.dtype = f64}));
  }
  x.zero_grad();
  sin(x).backward();
  CHECK(x.grad().item() == doctest::Approx(std::cos(3)));
}

TEST_CASE("the gradient of a linear function's gradient is zero, not an error") {
  const Tensor x = tensor({1., 2.}, {.dtype = f64, .requires_grad = true});
  const Tensor g = grad(sum(x * 3), {x}, {.create_graph = true})[0];
  CHECK(g.requires_grad());
  const Tensor h = grad(sum(g), {x})[0];
  CHECK(h.shape() == Shape{2});
  CHECK(sum(abs(h)).item<double>() == 0);
  sum(grad(sum(x * 3), {x}, {.create_graph = true})[0]).backward();
  CHECK(sum(abs(x.grad())).item<double>() == 0);
}

TEST_CASE("broadcast inputs get gradients of their own shape, also where a size of 1 met one of 0") {
  const Tensor row = ones({3}, {.dtype = f64, .requires_grad = true});
  const Tensor column = ones({2, 1}, {.dtype = f64, .requires_grad = true}), scalar = leaf(2);
  sum(row * column * scalar).backward();
  CHECK(row.grad().shape() == Shape{3});
  CHECK(column.grad().shape() == Shape{2, 1});
  CHECK(scalar.grad().shape() == Shape{});
  CHECK(row.grad().data<double>()[0] == 4);
  CHECK(column.grad().data<double>()[0] == 6);
  CHECK(scalar.grad().item() == 6);
  const Tensor four = ones({4, 1}, {.dtype = f64, .requires_grad = true});
  sum(four + zeros({4, 0}, {.dtype = f64})).backward();
  CHECK(four.grad().shape() == Shape{4, 1});
  CHECK(sum(abs(four.grad())).item<double>() == 0);
}

TEST_CASE("orders 1 to 4 of sin, exp, x^5 and tanh match their closed forms to 1e-10") {
  for (const double at : {-1.3, 0.2, 0.9}) {
    const double s = std::sin(at), c = std::cos(at), e = std::exp(at), t = std::tanh(at), u = 1 - t * t;
    const double expected[4][4] = {
        {c, -s, -c, s},
        {e, e, e, e},
        {5 * std::pow(at, 4), 20 * std::pow(at, 3), 60 * at * at, 120 * at},
        {u, -2 * t * u, u * (6 * t * t - 2), u * t * (16 - 24 * t * t)},
    };
    for (int which = 0; which < 4; ++which) {
      const Tensor x = leaf(at);
      Tensor d = which == 0 ? sin(x) : which == 1 ? exp(x) : which == 2 ? pow(x, 5) : tanh(x);
      for (int order = 0; order < 4; ++order) {
        d = grad(d, {x}, {.create_graph = true})[0];
        CHECK(d.item<double>() == doctest::Approx(expected[which][order]).epsilon(1e-10));
      }
    }
  }
}

TEST_CASE("mixed partial derivatives commute to 1e-12") {
  const Tensor x = leaf(0.7), y = leaf(-1.2), f = exp(x * y) * sin(x) / (y * y + 1);
  const auto first = grad(f, {x, y}, {.create_graph = true});
  const double xy = grad(first[0], {y}, {.create_graph = true})[0].item<double>();
  const double yx = grad(first[1], {x}, {.create_graph = true})[0].item<double>();
  CHECK(std::fabs(xy - yx) < 1e-12);
}

TEST_CASE("an undefined cotangent of a rule acts as zero") {
  const Tensor x = leaf(2);
  const Tensor y = sign(x) + x * 3;  // sign's rule gives nothing
  y.backward();
  CHECK(x.grad().item() == 3);
  const Tensor w = leaf(2);
  exp(sign(w)).backward();
  CHECK(w.grad().item() == 0);
  CHECK(w.grad().shape() == Shape{});
}

TEST_CASE("gradients of 0-d tensors stay 0-d, and those of no elements keep their shape") {
  const Tensor x = leaf(2), empty = zeros({0, 3}, {.dtype = f64, .requires_grad = true});
  (sum(empty * x) + x).backward();
  CHECK(x.grad().shape() == Shape{});
  CHECK(x.grad().item() == 1);
  CHECK(empty.grad().shape() == Shape{0, 3});
}

TEST_CASE("a gradient does not remember the cotangent's history unless create_graph asks for it") {
  const Tensor x = leaf(2), c = leaf(3), y = x + 1;
  CHECK(!grad(y, {x}, c, {.retain_graph = true})[0].requires_grad());
  const Tensor g = grad(y * y, {x}, c, {.create_graph = true})[0];
  CHECK(grad(g, {c})[0].item<double>() == 6);
}

TEST_CASE("a failed backward leaves every grad() as it was") {
  const Tensor x = leaf(2), w = leaf(3);
  (x * w).backward();
  const Tensor y = exp(x);
  y.backward();
  CHECK_THROWS_AS((w * 2 + y).backward(), GraphError);
  CHECK(w.grad().item() == 2);
}

TEST_CASE("the gradient of several outputs is the sum of theirs, in one pass") {
  const Tensor x = tensor({1., 2.}, {.dtype = f64, .requires_grad = true}), shared = exp(x);
  const Tensor y = sum(shared), z = shared * x, v = tensor({3., 5.}, {.dtype = f64});
  const Tensor g = grad({y, z}, {x}, {Tensor(), v}, {.retain_graph = true})[0];
  const Tensor expected = grad(y, {x}, {.retain_graph = true})[0] + grad(z, {x}, v, {.retain_graph = true})[0];
  CHECK(all(abs(g - expected) < 1e-12).item<bool>());
  CHECK_THROWS_WITH_AS(grad({y, z}, {x}, {v}, {}, Place{}), "grad: 1 cotangents for 2 roots; give one each, or none",
                       ValueError);
}
