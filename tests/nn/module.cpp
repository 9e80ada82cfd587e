#include <atomic>
#include <nn/activations.hpp>
#include <nn/io/safetensors.hpp>
#include <nn/layers.hpp>
#include <nn/sequential.hpp>

#include "nn/models.hpp"
#include "support.hpp"

using namespace xgrad;

/// Models as values: parameters, modes, state_dict, and members that are not listed.
namespace {

struct Net : nn::Module {
  nn::Dense hidden{2, 3}, output{3, 1};
  nn::Parameter scale{ones({1})};
  nn::Buffer seen{zeros({})};
  Tensor operator()(const Tensor& x) { return output(relu(hidden(x))) * scale; }
  void members(nn::Visitor& visit) override {
    visit("hidden", hidden);
    visit("output", output);
    visit("scale", scale);
    visit("seen", seen);
  }
};

const std::vector<std::string> net_names{"hidden.weight", "hidden.bias", "output.weight", "output.bias", "scale"};

}  // namespace

TEST_CASE("parameters are handles to the model's own, named by path, without buffers") {
  Net net;
  CHECK(names(net) == net_names);
  CHECK(net.parameters().size() == 5);
  CHECK(net.parameters()[0].same(net.hidden.weight));
  CHECK(net.parameters()[4].same(net.scale));
}

TEST_CASE("a parameter is a tensor in every op, on either side of an operator") {
  nn::Parameter w{tensor({{1., 2.}, {3., 4.}}, {.dtype = f64})};
  const Tensor x = ones({2, 2}, {.dtype = f64});
  check_close(matmul(x, w), {4, 6, 4, 6});
  check_close(w + x, {2, 3, 4, 5});
  check_close(x - w, {0, -1, -2, -3});
  check_close(2 * w, {2, 4, 6, 8});
  check_close(w / 2, {.5, 1, 1.5, 2});
  check_close(w * w, {1, 4, 9, 16});
  check_close(-w, {-1, -2, -3, -4});
  check_close(w > 2, {0, 0, 1, 1});
  check_close(where(w > 2, w, 0), {0, 0, 3, 4});
  check_close(concatenate({w, x}), {1, 2, 3, 4, 1, 1, 1, 1});
  sum(w * x).backward();
  check_close(w.grad(), {1, 1, 1, 1});
  const Tensor handle = w;
  CHECK(handle.same(w));
}

TEST_CASE("a parameter keeps numbers that nobody else holds and copies the others") {
  Tensor mine = ones({3});
  const nn::Parameter p{mine};
  CHECK(p.data<float>() != mine.data<float>());
  const void* const numbers = mine.data<float>();
  const nn::Parameter q{std::move(mine)};
  CHECK(q.data<float>() == numbers);
  CHECK(q.requires_grad());
  CHECK(q.is_leaf());
  CHECK_THROWS_AS(nn::Parameter{tensor({1, 2}, {.dtype = i64})}, DtypeError);
}

TEST_CASE("copying a model copies its parameters; moving it hands them over") {
  Net a;
  sum(a(ones({1, 2}))).backward();
  Net b = a;
  CHECK(!b.hidden.weight.same(a.hidden.weight));
  CHECK(equal(b.hidden.weight, a.hidden.weight));
  CHECK(!b.scale.has_grad());
  {
    const NoGrad guard;
    b.scale.assign(full({1}, 7));
  }
  check_close(a.scale, {1});
  const Tensor weight = a.hidden.weight;
  Net c = std::move(a);
  CHECK(c.hidden.weight.same(weight));
  CHECK(names(c) == net_names);
  static_assert(std::is_nothrow_move_constructible_v<Net>, "a growing std::vector would copy models otherwise");
}

TEST_CASE("assigning a model overwrites the numbers in place, so that handles to its parameters stay good") {
  Net model, best;
  const std::vector<Tensor> handles = model.parameters();
  sum(model(ones({1, 2}))).backward();
  model = best;
  CHECK(handles[0].same(model.hidden.weight));
  CHECK(equal(handles[0], best.hidden.weight));
  CHECK(!handles[0].same(best.hidden.weight));
  CHECK(!handles[0].has_grad());
}

TEST_CASE("assigning a new model or a tensor overwrites in place too") {
  Net model;
  const std::vector<Tensor> handles = model.parameters();
  Net fresh;
  const Tensor weight = fresh.hidden.weight;
  model = std::move(fresh);
  CHECK(handles[0].same(model.hidden.weight));
  CHECK(equal(handles[0], weight));
  model.hidden.weight = full({2, 3}, 7);
  CHECK(handles[0].same(model.hidden.weight));
  CHECK(to_vector(handles[0]) == std::vector<double>(6, 7));
  model.hidden.weight = zeros({4, 4});
  CHECK(!handles[0].same(model.hidden.weight));
  model.hidden.bias = {};
  CHECK(model.parameters().size() == handles.size() - 1);
}

TEST_CASE("two models swap their parameters") {
  Net a, b;
  const Tensor of_a = a.scale, of_b = b.scale;
  std::swap(a, b);
  CHECK(a.scale.same(of_b));
  CHECK(b.scale.same(of_a));
}

TEST_CASE("a frozen parameter stays frozen in copies") {
  Net a;
  a.scale.set_requires_grad(false);
  CHECK(!Net(a).scale.requires_grad());
}

TEST_CASE("train and eval reach every module, and a copy keeps the mode") {
  nn::Sequential model{nn::Dense{2, 2}, nn::Sequential{nn::Dropout{0.5}, nn::ReLU{}}};
  auto& dropout = model[1].as<nn::Sequential>()[0].as<nn::Dropout>();
  CHECK(dropout.is_training());
  model.eval();
  CHECK(!model.is_training());
  CHECK(!dropout.is_training());
  CHECK(!nn::Sequential(model)[1].as<nn::Sequential>()[0].as<nn::Dropout>().is_training());
  model.train();
  CHECK(dropout.is_training());
}

TEST_CASE("to converts every parameter and buffer for all who hold it; zero_grad drops the gradients") {
  Net net;
  const Tensor handle = net.scale;
  net.to(f64);
  CHECK(handle.dtype() == f64);
  CHECK(net.hidden.weight.dtype() == f64);
  CHECK(net.seen.dtype() == f64);
  CHECK(net.hidden.weight.requires_grad());
  CHECK(!net.seen.requires_grad());
  sum(net(ones({1, 2}, {.dtype = f64}))).backward();
  CHECK(handle.has_grad());
  net.zero_grad();
  CHECK(!handle.has_grad());
  CHECK_ERROR(net.to(i64), "module.cpp", "to: a model cannot be i64; use f32 or f64");
}

TEST_CASE("a model that another one holds, shares or nests in ranges is walked once each") {
  struct Twice : nn::Module {
    nn::Dense layer{2, 2};
    std::vector<nn::Dense> more{nn::Dense{2, 2}, nn::Dense{2, 2}};
    nn::Parameter pair[2] = {ones({1}), ones({2})};
    void members(nn::Visitor& visit) override {
      visit("encoder", layer);
      visit("decoder", layer);
      visit("more", more);
      visit("pair", pair);
    }
  } model;
  CHECK(names(model) == std::vector<std::string>{"encoder.weight", "encoder.bias", "more.0.weight", "more.0.bias",
                                                 "more.1.weight", "more.1.bias", "pair.0", "pair.1"});
}

namespace {

struct ForgottenTail : nn::Module {
  Tensor operator()(const Tensor& x) { return first(x); }
  nn::Dense first{2, 3};
  nn::Parameter scale{ones({64, 1})};
  void members(nn::Visitor& visit) override { visit("first", first); }
};
struct ForgottenModule : nn::Module {
  nn::Dropout dropout{0.5};
  nn::Dense last{2, 3};
  void members(nn::Visitor& visit) override { visit("last", last); }
};
struct ForgottenAll : nn::Module {
  nn::Dense layer{2, 3};
};
struct Extended : Net {
  nn::Parameter extra{ones({2})};
};
struct Outer : nn::Module {
  ForgottenTail inner;
  void members(nn::Visitor& visit) override { visit("inner", inner); }
};

}  // namespace

TEST_CASE("a parameter or module that a model has but does not list is reported with the model's name") {
  ForgottenTail tail;
  CHECK_ERROR(tail.parameters(), "module.cpp",
              "parameters: ForgottenTail has a tensor of shape (64, 1) that it does not list; add visit(\"its_name\", "
              "its_name) to members()");
  CHECK_ERROR(tail.summary(), "module.cpp",
              "summary: ForgottenTail has a tensor of shape (64, 1) that it does not list; add visit(\"its_name\", "
              "its_name) to members()");
  ForgottenModule module;
  CHECK_ERROR(module.train(), "module.cpp",
              "train: ForgottenModule has a module (Dropout 0.5) that it does not list; add visit(\"its_name\", "
              "its_name) to members()");
  CHECK_ERROR(ForgottenAll().state_dict(), "module.cpp",
              "state_dict: ForgottenAll has a module (Dense 2 -> 3) that it does not list; add visit(\"its_name\", "
              "its_name) to members()");
  CHECK_ERROR(Extended().parameters(), "module.cpp",
              "parameters: Extended has a tensor of shape (2,) that it does not list; add visit(\"its_name\", "
              "its_name) to members()");
  CHECK_ERROR(Outer().parameters(), "module.cpp",
              "parameters: ForgottenTail has a tensor of shape (64, 1) that it does not list (path inner); add "
              "visit(\"its_name\", its_name) to members()");
  const nn::Sequential model{nn::ReLU{}, ForgottenTail{}};
  CHECK(error_of([&] { (void)model.parameters(); }).find("ForgottenTail has a tensor of shape (64, 1)") !=
        std::string::npos);
}

TEST_CASE("parameters and models that lie beside a model in memory are not taken for its members") {
  struct Neighbours {
    nn::Parameter before{ones({1})};
    Net a;
    nn::Parameter between{ones({1})};
    Net b;
    ForgottenAll after;
  } all;
  CHECK(names(all.a) == net_names);
  CHECK(names(all.b) == net_names);
  CHECK_THROWS_AS(all.after.parameters(), ValueError);
  auto* const models = new Net[3];
  for (int i = 0; i < 3; ++i) CHECK(names(models[i]) == net_names);
  delete[] models;
}

TEST_CASE("two members of one name are reported") {
  struct Same : nn::Module {
    nn::Parameter a{ones({1})}, b{ones({1})};
    void members(nn::Visitor& visit) override {
      visit("w", a);
      visit("w", b);
    }
  } model;
  CHECK_ERROR(model.parameters(), "module.cpp", "parameters: two members are called w; give each a name of its own");
}

TEST_CASE("state_dict is an ordered snapshot that training does not change, and loads back") {
  Net net;
  const StateDict saved = net.state_dict();
  std::vector<std::string> order;
  for (const auto& [name, tensor] : saved) order.push_back(name);
  CHECK(order ==
        std::vector<std::string>{"hidden.weight", "hidden.bias", "output.weight", "output.bias", "scale", "seen"});
  {
    const NoGrad guard;
    net.scale.assign(full({1}, 5));
    net.seen.assign(full({}, 3));
  }
  check_close(saved["scale"], {1});
  CHECK(!saved.at("scale").requires_grad());
  const Tensor handle = net.scale;
  net.load_state_dict(saved);
  check_close(handle, {1});
  check_close(net.seen, {0});
  Net other;
  other.load_state_dict(net.state_dict());
  CHECK(equal(other.hidden.weight, net.hidden.weight));
  CHECK_ERROR(
      saved.at("w"), "module.cpp",
      "state_dict: there is no w; the names are: hidden.weight, hidden.bias, output.weight, output.bias, scale, "
      "seen");
}

TEST_CASE("a model of many parameters is saved and loaded, each by its name") {
  struct Many : nn::Module {
    std::vector<nn::Parameter> rows;
    explicit Many(int n) {
      for (int i = 0; i < n; ++i) rows.emplace_back(full({1}, i));
    }
    void members(nn::Visitor& visit) override { visit("rows", rows); }
  };
  const Many trained(20'000);
  const StateDict saved = trained.state_dict();
  std::vector<StateDict::Entry> backwards(saved.begin(), saved.end());
  std::reverse(backwards.begin(), backwards.end());
  Many loaded(20'000);
  for (nn::Parameter& row : loaded.rows) row.detach().assign(zeros({1}));
  loaded.load_state_dict(backwards);
  CHECK(same_bits(loaded.state_dict(), saved));
}

TEST_CASE("a state_dict goes through a safetensors file and back bit by bit") {
  const Net net;
  Net other;
  other.load_state_dict(nn::from_safetensors(nn::to_safetensors(net.state_dict()), "memory"));
  for (const auto& [name, tensor] : other.state_dict()) CHECK(equal(tensor, net.state_dict()[name]));
}

TEST_CASE("models come and go on several threads at once") {
  std::atomic<int> right = 0;
  on_threads(4, [&](int) {
    for (int k = 0; k < 50; ++k) {
      const Net a;
      const Net b = a;
      right += names(b) == net_names;
    }
  });
  CHECK(right == 200);
}

TEST_CASE("load_state_dict lists all that does not fit in one message and changes nothing") {
  Net net;
  StateDict dict = net.state_dict();
  const StateDict before = net.state_dict();
  StateDict wrong{{"hidden.weight", zeros({3, 2})}, {"hidden.bias", zeros({3}, {.dtype = f64})},
                  {"output.weight", zeros({3, 1})}, {"outptu.bias", zeros({1})},
                  {"scale", full({1}, 9)},          {"seen", zeros({})}};
  CHECK_ERROR(
      net.load_state_dict(wrong), "module.cpp",
      "load_state_dict: hidden.weight is (3, 2), the model's is (2, 3); hidden.bias is f64, the model's is f32 "
      "(pass {.convert_dtype = true} to convert); missing output.bias (1,); unexpected outptu.bias; the model is "
      "unchanged");
  for (const auto& [name, tensor] : net.state_dict()) CHECK(equal(tensor, before[name]));
  dict.set("scale", full({1}, 0.5, {.dtype = f64}));
  CHECK_THROWS_AS(net.load_state_dict(dict), ValueError);
  net.load_state_dict(dict, {.convert_dtype = true});
  check_close(net.scale, {0.5});
  CHECK(net.scale.dtype() == f32);
}

TEST_CASE(
    "convert_dtype takes every dtype whose numbers fit, as the message without it says, and names one that does not") {
  struct Counted : nn::Module {
    nn::Parameter scale{zeros({2})};
    nn::Buffer seen{zeros({2}, {.dtype = i64})}, mask{zeros({2}, {.dtype = boolean})};
    void members(nn::Visitor& visit) override {
      visit("scale", scale);
      visit("seen", seen);
      visit("mask", mask);
    }
  };
  Counted model;
  const StateDict other{{"scale", tensor({3, -4}, {.dtype = i64})},
                        {"seen", tensor({5., -6.}, {.dtype = f64})},
                        {"mask", tensor({0., 1.})}};
  CHECK_ERROR(
      model.load_state_dict(other), "module.cpp",
      "load_state_dict: scale is i64, the model's is f32 (pass {.convert_dtype = true} to convert); seen is f64, "
      "the model's is i64 (pass {.convert_dtype = true} to convert); mask is f32, the model's is boolean (pass "
      "{.convert_dtype = true} to convert); the model is unchanged");
  model.load_state_dict(other, {.convert_dtype = true});
  check_close(model.scale, {3, -4});
  CHECK(equal(model.seen, tensor({5, -6}, {.dtype = i64})));
  CHECK(equal(model.mask, tensor({false, true}, {.dtype = boolean})));
  const StateDict before = model.state_dict(), wrong{{"scale", tensor({1., 1e39}, {.dtype = f64})},
                                                     {"seen", tensor({2., 2.5})},
                                                     {"mask", tensor({2, 1}, {.dtype = i64})}};
  CHECK_ERROR(
      model.load_state_dict(wrong, {.convert_dtype = true}), "module.cpp",
      "load_state_dict: element 1 of scale is 1e+39, which does not fit f32; element 1 of seen is 2.5, which does "
      "not fit i64; element 0 of mask is 2, which does not fit boolean; the model is unchanged");
  for (const auto& [name, tensor] : model.state_dict()) CHECK(equal(tensor, before[name]));
}

TEST_CASE("summary lists layers, shapes and counts, and marks what is frozen in part") {
  nn::Sequential model{nn::Dense{784, 64}, nn::ReLU{}, nn::Dropout{0.2}, [](const Tensor& x) { return x; },
                       nn::Sequential{nn::Dense{64, 1}, nn::Sigmoid{}}};
  model[0].as<nn::Dense>().bias.set_requires_grad(false);
  CHECK(model.summary() ==
        "Layer  Kind                             Output   Parameters\n"
        "-----------------------------------------------------------\n"
        "model  Sequential                       (*, 1)            0\n"
        "0      Dense 784 -> 64 (partly frozen)  (*, 64)      50,240\n"
        "1      ReLU                             (*, 64)           0\n"
        "2      Dropout 0.2                      (*, 64)           0\n"
        "3      function                                           0\n"
        "4      Sequential                       (*, 1)            0\n"
        "4.0    Dense 64 -> 1                    (*, 1)           65\n"
        "4.1    Sigmoid                          (*, 1)            0\n"
        "-----------------------------------------------------------\n"
        "Total 50,305 parameters, 50,241 trainable\n");
  CHECK(Net().summary() ==
        "Layer   Kind          Output  Parameters\n"
        "----------------------------------------\n"
        "model   Net                            1\n"
        "hidden  Dense 2 -> 3  (*, 3)           9\n"
        "output  Dense 3 -> 1  (*, 1)           4\n"
        "----------------------------------------\n"
        "Total 14 parameters, 14 trainable, 1 numbers in buffers\n");
}
