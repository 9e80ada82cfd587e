#include <autograd/node.hpp>
#include <functional>
#include <nn/nn.hpp>

#include "nn/models.hpp"
#include "support.hpp"

using namespace xgrad;

/// Models that are lists of layers.
namespace {

/// A layer that is no module.
struct Scale {
  nn::Parameter factor{full({1}, 2)};
  Tensor operator()(const Tensor& x) { return x * factor; }
  void members(nn::Visitor& visit) { visit("factor", factor); }
};

}  // namespace

TEST_CASE("a Sequential runs its layers in order and names parameters by position") {
  nn::Sequential model = reference_network();
  CHECK(model.size() == 7);
  CHECK(model(zeros({5, 784})).shape() == Shape{5, 1});
  CHECK(names(model) == std::vector<std::string>{"0.weight", "0.bias", "3.weight", "3.bias", "5.weight", "5.bias"});
  nn::Sequential affine{nn::Dense{2, 2, {.weight_init = nn::init::ones()}}, [](const Tensor& x) { return x + 1; },
                        Scale{}, relu};
  check_close(affine(tensor({{1., 2.}, {-3., 1.}})), {8, 8, 0, 0});
  CHECK(names(affine) == std::vector<std::string>{"0.weight", "0.bias", "2.factor"});
  CHECK(affine[3].describe() == "function");
  CHECK(affine.add(std::function<Tensor(const Tensor&)>(relu))[4].describe() == "function");
  CHECK(affine[2].describe() == "Scale");
}

TEST_CASE("an empty Sequential is the identity, and one is built in a loop") {
  nn::Sequential model;
  const Tensor x = ones({2, 8});
  CHECK(model(x).same(x));
  for (int i = 0; i < 3; ++i) model.add(nn::Dense{8, 8}).add(nn::Tanh{});
  CHECK(model.size() == 6);
  CHECK(model.parameters().size() == 6);
  CHECK(model(x).shape() == x.shape());
}

TEST_CASE("a copy is deep, also of nested models and lambdas, and a move hands over") {
  const double offset = 3;
  nn::Sequential a{nn::Dense{2, 2}, [offset](const Tensor& x) { return x + offset; },
                   nn::Sequential{nn::Dense{2, 1}, Scale{}}};
  const Tensor x = randn({4, 2});
  nn::Sequential b = a, c{a};
  CHECK(equal(a(x), b(x)));
  const std::vector<double> before = to_vector(a(x));
  {
    const NoGrad guard;
    for (const Tensor& p : b.parameters()) Tensor(p).assign(zeros(p.shape()));
  }
  CHECK(to_vector(a(x)) == before);
  CHECK(to_vector(c(x)) == before);
  CHECK(to_vector(b(x)) == std::vector<double>(4, 0));
  const Tensor weight = a.parameters()[0];
  const nn::Sequential d = std::move(a);
  CHECK(d.parameters()[0].same(weight));
  CHECK(d.size() == 3);
}

TEST_CASE("Sequential{other} is a copy; add nests") {
  nn::Sequential inner{nn::Dense{2, 2}, nn::ReLU{}};
  CHECK(nn::Sequential{inner}.size() == 2);
  nn::Sequential outer;
  outer.add(inner);
  CHECK(outer.size() == 1);
  CHECK(names(outer) == std::vector<std::string>{"0.0.weight", "0.0.bias"});
  CHECK(nn::Sequential{inner, inner}.size() == 2);
}

TEST_CASE("assigning a Sequential of equal layers writes in place; another one is taken over") {
  nn::Sequential model{nn::Dense{2, 2}, [](const Tensor& x) { return x; }};
  nn::Sequential best = model;
  const Tensor handle = model.parameters()[0];
  {
    const NoGrad guard;
    Tensor(handle).assign(zeros({2, 2}));
  }
  model = best;
  CHECK(model.parameters()[0].same(handle));
  CHECK(equal(handle, best.parameters()[0]));
  nn::Sequential fresh{nn::Dense{2, 2}, [](const Tensor& x) { return 2 * x; }};
  model = std::move(fresh);  // another lambda is another layer
  CHECK(!model.parameters()[0].same(handle));
  nn::Sequential same_layers = model;
  const Tensor other = model.parameters()[0];
  model = std::move(same_layers);
  CHECK(model.parameters()[0].same(other));
  model = nn::Sequential{nn::ReLU{}};
  CHECK(model.size() == 1);
  model = best;
  CHECK(model.size() == 2);
  CHECK(!model.parameters()[0].same(best.parameters()[0]));
}

TEST_CASE("layers are reached by position and type") {
  nn::Sequential model{nn::Dense{2, 3}, nn::ReLU{}};
  CHECK(model[0].as<nn::Dense>().weight.same(model.parameters()[0]));
  CHECK(model[-1].describe() == "ReLU");
  CHECK_ERROR(model[2], "sequential.cpp", "Sequential: index 2 is out of range for a model of 2 layers");
  CHECK_ERROR(nn::Sequential{nn::ReLU{}}[-2], "sequential.cpp",
              "Sequential: index -2 is out of range for a model of 1 layer");
  CHECK_ERROR(model[1].as<nn::Dense>(), "sequential.cpp", "as: the layer is ReLU, not Dense");
}

TEST_CASE("an error inside names the user's line, the path and the layer") {
  nn::Sequential model{nn::Dense{4, 64}, nn::ReLU{}, nn::Sequential{nn::Dropout{0.2}, nn::Dense{63, 32}}};
  const std::string nested = error_of([&] { model(zeros({2, 4})); });
  CAPTURE(nested);
  CHECK(nested.starts_with(text("sequential.cpp:", __LINE__ - 2, ": in model[2][1] (Dense 63 -> 32): dense: ")));
  CHECK(nested.find("(2, 64)") != std::string::npos);
  CHECK(nested.find("(63, 32)") != std::string::npos);

  nn::Sequential with_lambda{nn::ReLU{}, [](const Tensor& x) { return reshape(x, {7}); }};
  const int line = __LINE__ - 1;
  const std::string inside = error_of([&] { with_lambda(zeros({2, 4})); });
  CAPTURE(inside);
  CHECK(inside.starts_with(text("sequential.cpp:", line, ": in model[1] (function): reshape: ")));
}

TEST_CASE("nodes made inside a Sequential carry the line of the call") {
  nn::Sequential model{nn::Dense{4, 2}};
  const Tensor y = model(zeros({2, 4}));
  CHECK(y.node()->place().line == __LINE__ - 1);
}

TEST_CASE("a network has right derivatives to order 2, and its parameters get them") {
  nn::Sequential model{nn::Dense{3, 4, {.bias_init = nn::init::normal(), .dtype = f64}}, nn::Tanh{},
                       nn::Dense{4, 1, {.dtype = f64}}, nn::Sigmoid{}};
  const Tensor x = randn({5, 3}, {.dtype = f64}), t = full({5, 1}, .3, {.dtype = f64});
  const auto by_hand = [&](const Tensor& w, const Tensor& b, const Tensor& v, const Tensor& c) {
    return nn::binary_cross_entropy(sigmoid(dense(tanh(dense(x, w, b)), v, c)), t);
  };
  const std::vector<Tensor> p = model.parameters();
  const GradcheckReport r = gradcheck(by_hand, p, {.order = 2});
  INFO(r.str());
  CHECK(r.ok());
  const std::vector<Tensor> expected = grad(by_hand(p[0], p[1], p[2], p[3]), p);
  nn::binary_cross_entropy(model(x), t).backward();
  for (std::size_t i = 0; i < p.size(); ++i) CHECK(equal(p[i].grad(), expected[i]));
}

TEST_CASE("a model that is trained by hand learns, and a saved state brings it back") {
  manual_seed(7);
  nn::Sequential model{nn::Dense{2, 8}, nn::Tanh{}, nn::Dense{8, 1}, nn::Sigmoid{}};
  const Tensor x = tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}}), t = tensor({{0}, {1}, {1}, {0}});
  const auto loss = [&] { return nn::binary_cross_entropy(model(x), t); };
  const StateDict start = model.state_dict();
  const double first = loss().item<double>();
  for (int step = 0; step < 400; ++step) {
    model.zero_grad();
    loss().backward();
    const NoGrad guard;
    for (Tensor p : model.parameters()) p.assign(p - 0.5 * p.grad());
  }
  CHECK(loss().item<double>() < 0.2 * first);
  model.load_state_dict(start);
  CHECK(loss().item<double>() == first);
}

TEST_CASE("a layer or parameter inside a callable is reported as a member that is not listed") {
  const auto report = [](nn::Sequential model) {
    std::vector<std::string> reports;
    for (void (*const use)(nn::Sequential&) : {
             +[](nn::Sequential& m) {
               (void)m.parameters(Place{"m.cpp", 1});
             },
             +[](nn::Sequential& m) {
               (void)m.state_dict(Place{"m.cpp", 1});
             },
             +[](nn::Sequential& m) {
               m.eval(Place{"m.cpp", 1});
             },
         })
      reports.push_back(error_of([&] { use(model); }));
    const std::string fine = "[nothing thrown]";
    if (reports == std::vector<std::string>(3, fine)) return fine;
    CHECK(reports[1] == "m.cpp:1: state_dict" + reports[0].substr(std::string("m.cpp:1: parameters").size()));
    CHECK(reports[2] == "m.cpp:1: train" + reports[0].substr(std::string("m.cpp:1: parameters").size()));
    return reports[0];
  };
  const auto expected = [](const char* type, const char* what) {
    return text("m.cpp:1: parameters: ", type, " has a ", what,
                " that it does not list (path 1); make it a struct with members(), and add visit(\"its_name\", "
                "its_name) there");
  };
  const nn::Dense inner{8, 8};
  const auto residual = [inner](const Tensor& x) { return x + inner(x); };
  CHECK(report({nn::Dense{2, 8}, residual}) == expected("function", "module (Dense 8 -> 8)"));
  CHECK(report({nn::Dense{2, 8}, [drop = nn::Dropout{0.5}](const Tensor& x) { return drop(x); }}) ==
        expected("function", "module (Dropout 0.5)"));
  CHECK(report({nn::ReLU{}, std::function<Tensor(const Tensor&)>(residual)}) ==
        expected("function", "module (Dense 8 -> 8)"));
  CHECK(report({nn::ReLU{}, [all = std::vector<nn::Dense>(3, inner)](const Tensor& x) { return all[0](x); }}) ==
        expected("function", "module (Dense 8 -> 8)"));
  struct Shift {
    nn::Parameter by{zeros({8})};
    Tensor operator()(const Tensor& x) const { return x + by; }
  };
  CHECK(report({nn::Dense{2, 8}, Shift{}}) == expected("Shift", "tensor of shape (8,)"));
  CHECK(report({nn::ReLU{}, [by = nn::Parameter(zeros({8}))](const Tensor& x) { return x + by; }}) ==
        expected("function", "tensor of shape (8,)"));

  // What is referred to belongs to somebody else, and a constant is no parameter.
  const Tensor constant = ones({8});
  const std::string name = "a name too long to be stored in place";
  CHECK(report({nn::Dense{2, 8}, [&inner](const Tensor& x) { return inner(x); },
                [constant, name, absent = nn::Parameter()](const Tensor& x) { return x + constant; }}) ==
        "[nothing thrown]");
}
