#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/state_dict.hpp>
#include <cmath>
#include <limits>
#include <sstream>
#include "support.hpp"

using namespace xgrad;

namespace {

Tensor matrix() { return tensor({{1, 2, 3}, {4, 5, 6}}, {.dtype = f64, .requires_grad = true}); }

/// The element, read where the tensor's type is a template's parameter.
template <class T>
auto only(const T& t) {
  return t.item();
}

std::string printed(const auto& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

}  // namespace

TEST_CASE("item without a type is a double, in templates too") {
  CHECK(only(tensor(0.1, f64)) == 0.1);
  CHECK(only(tensor(7, i64)) == 7);
  static_assert(std::is_same_v<decltype(tensor(7, i64).item()), double>);
}

TEST_CASE("to_vector gives all elements in row-major order, in any arithmetic type") {
  const Tensor x = matrix();
  CHECK(to_vector(x) == std::vector<double>{1, 2, 3, 4, 5, 6});
  CHECK(to_vector<float>(transpose(x)) == std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK(to_vector<int>(x / 4) == std::vector<int>{0, 0, 0, 1, 1, 1});
  CHECK(to_vector<bool>(x[0] > 2) == std::vector<bool>{false, false, true});
  CHECK(to_vector<std::uint8_t>(tensor({0, 255}, i64)) == std::vector<std::uint8_t>{0, 255});
  CHECK(to_vector<std::int64_t>(tensor({std::numeric_limits<std::int64_t>::min()}, i64)).at(0) ==
        std::numeric_limits<std::int64_t>::min());
  CHECK(to_vector(zeros({2, 0})).empty());
}

TEST_CASE("to_vector refuses what the type cannot hold, an undefined tensor, and to be captured") {
  CHECK(message_of<ValueError>([] {
          (void)to_vector<std::uint8_t>(tensor({1, 256}, i64));
        }) ==
        "to_vector: the value 256 at position 1 is outside of 0 to 255, what the type asked for can hold; ask for a "
        "wider one, as to_vector<double>(t)");
  CHECK(message_of<ValueError>([] {
          (void)to_vector<unsigned>(tensor({-1.5}));
        }).starts_with("to_vector: the value -1 "));
  CHECK(message_of<ValueError>([] { (void)to_vector<int>(tensor({NAN})); }).starts_with("to_vector: the value nan "));
  CHECK(message_of<ValueError>([] { (void)to_vector(Tensor()); }).find("undefined") != std::string::npos);
  auto step = capture([](const Tensor& x) { return x * to_vector(x).at(0); });
  CHECK_THROWS_AS(step(ones({2})), GraphError);
}

TEST_CASE("x[i] is a row and x.at(i, j) an element, both differentiable") {
  const Tensor x = matrix();
  CHECK(x[1].str() == "[4. 5. 6.]");
  CHECK(x[-2].str() == "[1. 2. 3.]");
  CHECK(x[1][2].item() == 6);
  CHECK(x.at(0, -1).item() == 3);
  CHECK(x.at(0, -1).shape() == Shape{});
  CHECK(grad(sum(x[1] * x.at(0, 0)), x).str() == "[[15.  0.  0.]\n [ 1.  1.  1.]]");
  const Tensor square_of_one = x.at(1, 1) * x.at(1, 1), first = grad(square_of_one, x, {.create_graph = true});
  CHECK(grad(sum(first), x).at(1, 1).item() == 2);
}

TEST_CASE("a row or an element that is not there is refused with the line") {
  const Tensor x = matrix();
  CHECK(message_of<ValueError>([&] { (void)x[2]; }) == "select: index 2 is out of range for axis 0 of shape (2, 3)");
  CHECK(message_of<ValueError>([&] { (void)x.at(0, -4); }) ==
        "at: index -4 is out of range for axis 1 of shape (2, 3)");
  CHECK(message_of<ShapeError>([&] { (void)x.at(0); }) ==
        "at: 1 index for a tensor of shape (2, 3); give one for each axis, or take rows by x[i]");
  CHECK(message_of<ShapeError>([&] { (void)x.at(0, 1, 2); }).starts_with("at: 3 indices for a tensor of shape (2, 3)"));
  CHECK(message_of<ShapeError>([] { (void)tensor(1.)[0]; }) ==
        "select: axis 0 of a 0-d tensor, which has no axes; reshape(x, {1}) gives it one");
}

TEST_CASE("set overwrites an element, a row or all rows' elements, for everyone who holds the tensor") {
  Tensor x = zeros({2, 3});
  const Tensor same = x;
  x.set(0, 1, 2.5);
  x.set(-1, tensor({7, 8, 9}));
  CHECK(same.str() == "[[0.  2.5 0. ]\n [7.  8.  9. ]]");
  x.set(1, 0);
  CHECK(same.str() == "[[0.  2.5 0. ]\n [0.  0.  0. ]]");
  Tensor deep = zeros({1, 2, 1, 2}, i64);
  deep.set(0, 1, 0, 1, 5);
  deep[0].set(0, 0, 7);
  CHECK(to_vector<int>(deep) == std::vector<int>{7, 7, 0, 5});
}

TEST_CASE("set refuses what assign refuses, and values that do not fit") {
  Tensor leaf = matrix(), indices = tensor({1, 2}, i64);
  const Tensor result = leaf * 2;
  CHECK(message_of<GraphError>([&] { leaf.set(0, 0, 1); }) ==
        "set: a leaf that requires a gradient can be overwritten under NoGrad only");
  CHECK(message_of<GraphError>([&] { Tensor(result).set(0, 0, 1); }).starts_with("set: the result of multiply cannot"));
  CHECK(message_of<DtypeError>([&] { indices.set(0, 1.5); }) ==
        "set: the number 1.5 is no i64; convert the tensor with .to(f64)");
  CHECK(message_of<ValueError>([&] { indices.set(2, 1); }) == "set: index 2 is out of range for axis 0 of shape (2,)");
  CHECK(message_of<ShapeError>([&] {
          indices.set(0, tensor({1, 2}, i64));
        }) == "set: the values are (2,), the tensor is (); they must be equal");
  CHECK(message_of<ShapeError>([&] { indices.set(0, 0, 1); }) ==
        "set: 2 indices for a tensor of shape (2,); give at most one for each axis");
  CHECK(indices.str() == "[1 2]");
}

TEST_CASE("a backward pass notices an element that was set since") {
  Tensor x = matrix();
  const Tensor y = sum(x * x);
  {
    const NoGrad guard;
    x.set(0, 0, 9);
  }
  CHECK(x.at(0, 0).item() == 9);
  CHECK_THROWS_AS(y.backward(), GraphError);
}

TEST_CASE("a captured step sets elements in its replays too") {
  Tensor state = zeros({3});
  auto step = capture([&](const Tensor& x) { state.set(1, sum(x)); });
  for (int i = 1; i <= 4; ++i) {
    step(full({2}, i));
    CHECK(to_vector<int>(state) == std::vector<int>{0, 2 * i, 0});
  }
}

TEST_CASE("shapes, dtypes, lists of tensors and state dicts print") {
  CHECK(printed(Shape{2, 3}) == "(2, 3)");
  CHECK(printed(zeros({4}).shape()) == "(4,)");
  CHECK(printed(f64) == "f64");
  CHECK(printed(zeros({1}, boolean).dtype()) == "boolean");
  CHECK(printed(std::vector<Tensor>{tensor({1., 2.}), Tensor(), tensor(3, i64)}) ==
        "0 f32 (2,)\n[1. 2.]\n1 undefined\n2 i64 ()\n3");
  CHECK(printed(StateDict{{"weight", tensor({{1.}, {2.}})}, {"bias", tensor(0.5, f64)}}) ==
        "weight f32 (2, 1)\n[[1.]\n [2.]]\nbias f64 ()\n0.5");
  CHECK(printed(StateDict()) == "");
}

TEST_CASE("a state dict finds each of many names, replaces what has one, and keeps the order in which they came") {
  StateDict dict;
  std::vector<StateDict::Entry> listed;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = text("layer.", i * 619 % 1000);
    dict.set(name, tensor(double(i)));
    listed.emplace_back(name, tensor(double(i)));
  }
  dict.set("layer.7", tensor(-1.));
  CHECK(dict.size() == 1000);
  const StateDict same(listed);
  std::size_t i = 0, in_order = 0, found = 0;
  for (const auto& [name, value] : dict) {
    in_order += name == listed[i++].first;
    found += dict.at(name).item() == (name == "layer.7" ? -1 : same[name].item());
  }
  CHECK(in_order == 1000);
  CHECK(found == 1000);
  for (const char* name : {"", "layer", "layer.1000", "layer.70x", "zebra"}) CHECK_FALSE(dict.contains(name));
  listed.emplace_back("layer.7", tensor(0.));
  CHECK(message_of<ValueError>([&] { const StateDict twice(listed); }) ==
        "StateDict: the name 'layer.7' occurs twice; give each tensor a name of its own");
}
