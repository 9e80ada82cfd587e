#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/xtensor.hpp>
#include <cstring>
#include <nn/nn.hpp>
#include <support.hpp>
#include <xml.hpp>

#include "explained.hpp"
#include "small_stack.hpp"

using namespace xgrad;

namespace {

/// Element `element` of the gradient that backward gives.
template <class F>
double gradient_of(F& loss, const Tensor& parameter, std::int64_t element) {
  Tensor y = loss();
  const Tensor g = grad(y, {parameter})[0].to(f64);
  return g.data<double>()[element];
}

nn::Sequential small_network(Dtype dtype) {
  manual_seed(3);
  nn::Sequential model{nn::Dense{2, 3}, nn::Tanh{}, nn::Dense{3, 2}, nn::Tanh{}, nn::Dense{2, 1}, nn::Sigmoid{}};
  model.to(dtype);
  return model;
}

}  // namespace

TEST_CASE("the numbers on the page multiply and add to the gradient, for every element of every parameter") {
  nn::Sequential model = small_network(f64);
  const Tensor x = tensor({{0.5, 1.}, {1., -1.}}, {.dtype = f64}), t = tensor({{1.}, {0.}}, {.dtype = f64});
  const auto loss = [&] { return nn::binary_cross_entropy(model(x), t); };
  const auto names = model.named_parameters();
  for (const auto& named : names) {
    const std::string& name = named.first;
    const Tensor& parameter = named.second;
    for (std::int64_t e = 0; e < parameter.size(); ++e) {
      const std::string page = explain(loss, parameter, {.names = names, .element = e, .max_paths = 100});
      const double g = gradient_of(loss, parameter, e);
      CHECK_MESSAGE(xml_fault(page) == "", name);
      const Explained explained(page);
      CHECK_MESSAGE(explained.fault(g) == "", name, " ", e);
      CHECK(explained.only("measured") == doctest::Approx(g).epsilon(1e-8));
      CHECK(has(page, name + "["));
      CHECK_FALSE(has(page, " ≠"));
      // All paths are there, so what is left is rounding.
      for (const double rest : explained.all("rest")) CHECK(std::fabs(rest) <= 1e-15);
    }
    CHECK_FALSE(parameter.has_grad());
  }
  CHECK(Explained(explain(loss, names[0].second, {.max_paths = 100})).all("share").size() == 4);
}

TEST_CASE("the largest paths are shown and the others summed") {
  nn::Sequential model = small_network(f64);
  const Tensor x = tensor({{0.5, 1.}, {1., -1.}}, {.dtype = f64});
  const auto loss = [&] { return mean(square(model(x))); };
  const Tensor w = model.parameters()[0];
  const std::vector<double> every = Explained(explain(loss, w, {.element = 2, .max_paths = 100})).all("share");
  const std::string page = explain(loss, w, {.element = 2, .max_paths = 3});
  const Explained some(page);
  CHECK(some.fault(gradient_of(loss, w, 2)) == "");
  REQUIRE(every.size() == 4);
  CHECK(some.all("share") == std::vector<double>(every.begin(), every.begin() + 3));
  CHECK(has(page, "All 1 other path together"));
  CHECK(some.only("rest") == doctest::Approx(every[3]).epsilon(1e-12));
  for (std::size_t i = 1; i < every.size(); ++i) CHECK(std::fabs(every[i]) <= std::fabs(every[i - 1]));
}

TEST_CASE("without being told, the element with the largest gradient is explained") {
  const Tensor w = tensor({{1., 2.}, {-7., 3.}}, {.dtype = f64, .requires_grad = true});
  const auto loss = [&] { return sum(square(w)); };
  const std::string page = explain(loss, w);
  CHECK(has(page, "<b>parameter[1, 0]</b>"));
  CHECK(Explained(page).only("gradient") == -14);
}

TEST_CASE("a number that an op takes twice, and one that skips an op, are told apart") {
  const Tensor x = tensor(3., {.dtype = f64, .requires_grad = true});
  const auto loss = [&] {
    const Tensor s = x * x;
    return s * exp(-s) + s.detach() * x;
  };
  const std::string page = explain(loss, x, {.max_paths = 10});
  const Explained explained(page);
  CHECK(explained.fault(gradient_of(loss, x, 0)) == "");
  CHECK(explained.all("share").size() == 5);
  CHECK(has(page, "this op takes the number in 2 places"));
  CHECK(has(page, "Paths meet here."));
  // The constant s.detach() moves with x when one measures: it is no constant to a difference.
  CHECK(has(page, " ≠"));
}

TEST_CASE("what the page measures agrees with what it derives") {
  const Tensor x = tensor({0.3, -0.4}, {.dtype = f64, .requires_grad = true});
  const auto loss = [&] { return sum(softmax(x * 2) * tensor({1., 3.}, {.dtype = f64})) + logsumexp(x); };
  const std::string page = explain(loss, x, {.element = 0, .max_paths = 20});
  CHECK(Explained(page).fault(gradient_of(loss, x, 0)) == "");
  CHECK(count(page, "✓") >= 8);
  CHECK_FALSE(has(page, " ≠"));
}

TEST_CASE("an f32 network with dropout is explained, and everything is as it was") {
  manual_seed(5);
  nn::Sequential model{nn::Dense{3, 8}, nn::ReLU{}, nn::Dropout{0.5}, nn::Dense{8, 1}};
  const Tensor x = randn({4, 3});
  const auto loss = [&] { return mean(square(model(x))); };
  const Tensor w = model.parameters()[0];
  w.node()->grad = full(w.shape(), 7);
  const Tensor before = w.detach().clone();
  const RandomState random = random_state();
  const std::string page = explain(loss, w);
  CHECK(random_state().seed == random.seed);
  CHECK(random_state().stream == random.stream);
  CHECK(same_bits(w, before));
  CHECK(min(w.grad()).item<double>() == 7);
  CHECK(max(w.grad()).item<double>() == 7);
  const Explained explained(page);
  CHECK(explained.fault(explained.only("gradient")) == "");
  CHECK(has(page, "This network computes in f32"));
  CHECK(explained.only("measured") == doctest::Approx(explained.only("gradient")).epsilon(0.02));
  const double g = explained.only("gradient");
  Tensor y = loss();  // the same random numbers: the same masks
  const Tensor all = grad(y, {w})[0];
  CHECK(std::max(max(all).item<double>(), -min(all).item<double>()) == std::fabs(g));
}

TEST_CASE("an op of the user's own is named, and words are escaped") {
  const Tensor x = tensor(2., {.dtype = f64, .requires_grad = true});
  const auto loss = [&] {
    return primitive(
        "cube<&>", {x}, [&] { return (x.detach() * x.detach() * x.detach()).array().clone(); },
        [&](const Tensor& g) { return g * 3 * square(x); });
  };
  const std::string page = explain(loss, x, {.names = {{"a \"b\" <c>", x}}});
  CHECK(xml_fault(page) == "");
  CHECK(has(page, "cube&lt;&amp;&gt;"));
  CHECK(has(page, "what the op's own rule says"));
  CHECK(Explained(page).only("gradient") == 12);
}

TEST_CASE("a gradient of zero is explained") {
  const Tensor x = tensor(-2., {.dtype = f64, .requires_grad = true});
  const std::string page = explain([&] { return relu(x) + 1; }, x);
  CHECK(has(page, "it does not move at all"));
  CHECK(Explained(page).only("sum") == 0);
}

TEST_CASE("a chain of 10^5 ops is explained on a small stack") {
  const Tensor x = tensor(1., {.dtype = f64, .requires_grad = true});
  on_stack_of(256 * 1024, [&] {
    const std::string page = explain(
        [&] {
          Tensor y = x;
          for (int i = 0; i < 100000; ++i) y = -y;
          return y;
        },
        x);
    CHECK(has(page, "99960 steps more"));
    CHECK(Explained(page).fault(1) == "");
  });
}

TEST_CASE("what cannot be explained is refused with the reason") {
  const Tensor x = tensor({1., 2.}, {.dtype = f64, .requires_grad = true}),
               other = tensor(1., {.dtype = f64, .requires_grad = true});
  const auto loss = [&] { return sum(x * x); };
  CHECK(has(error_of([&] { (void)explain(loss, Tensor()); }), "explain: the parameter is undefined"));
  CHECK(has(error_of([&] { (void)explain(loss, ones({2})); }),
            "explain: the parameter of shape (2,) does not require a gradient"));
  CHECK(has(error_of([&] { (void)explain(loss, x * 2); }), "is an op's result"));
  CHECK(has(error_of([&] { (void)explain(loss, other); }),
            "explain: the loss does not depend on the parameter of shape ()"));
  CHECK(has(error_of([&] { (void)explain(loss, x, {.element = 2}); }),
            "explain: element 2 of a parameter of shape (2,); it has 2 elements"));
  CHECK(has(error_of([&] { (void)explain(loss, x, {.max_paths = 0}); }), "max_paths is 0"));
  CHECK(has(error_of([&] { (void)explain([&] { return x * 2; }, x); }), "the loss is (2,), not one number"));
  CHECK(has(error_of([&] { (void)explain([] { return Tensor(); }, x); }), "the loss is undefined"));
  CHECK(has(error_of([&] { (void)explain([&] { return sum(x.detach()); }, x); }),
            "the loss does not require a gradient"));
  CHECK(has(error_of([&] { (void)explain([&] { return sum(x) / 0; }, x); }), "the loss is inf"));
  int calls = 0;
  CHECK(has(
      error_of([&] { (void)explain([&] { return ++calls == 1 ? sum(x) : sum(exp(x)); }, x); }),
      "explain: the loss ran exp where it had run sum; a function to explain must do the same each time it is called"));
  calls = 0;
  CHECK(has(error_of([&] { (void)explain([&] { return ++calls == 1 ? sum(x * 2) : sum(x * x); }, x); }),
            "explain: the loss ran multiply with other arguments than before; a function to explain must do the same"));
}
