#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/xtensor.hpp>
#include <support.hpp>

// Compiled three times: plainly, with XTENSOR_USE_XSIMD (xtensor_xsimd.cpp) and with -march=native
// (xtensor_native.cpp).
using namespace xgrad;

namespace {

Tensor cube(const Tensor& x) {
  return primitive(
      "cube", {x}, [](const auto& v) { return v * v * v; }, [x](const Tensor& g) { return g * 3 * square(x); });
}

/// x / (1 + y^2): two inputs that broadcast in xtensor, so the rules sum back.
Tensor ratio(const Tensor& x, const Tensor& y) {
  return primitive(
      "ratio", {x, y}, [](const auto& a, const auto& b) { return a / (1 + b * b); },
      [x, y](const Tensor& g) { return sum_to(g / (1 + square(y)), x.shape()); },
      [x, y](const Tensor& g) { return sum_to(-(g * 2 * x * y) / square(1 + square(y)), y.shape()); });
}

Tensor sample(const Shape& shape, Dtype dtype = f64) {
  Tensor t = linspace(-1.25, 1.5, shape.size(), {.dtype = dtype});
  return reshape(t, {shape.begin(), shape.end()});
}

}  // namespace

TEST_CASE("a tensor takes the values, shape and value type of any expression") {
  const xt::xarray<double> a{{1, 2, 3}, {4, 5, 6}};
  CHECK(tensor(a).str() == "[[1. 2. 3.]\n [4. 5. 6.]]");
  CHECK(tensor(a).dtype() == f64);
  CHECK(tensor(a + 0.5).str() == "[[1.5 2.5 3.5]\n [4.5 5.5 6.5]]");
  CHECK(tensor(xt::xarray<float>{1, 2}).dtype() == f32);
  CHECK(tensor(xt::xarray<int>{1, -2}).dtype() == i64);
  CHECK(tensor(xt::xarray<int>{1, -2}).str() == "[ 1 -2]");
  CHECK(tensor(xt::xarray<unsigned char>{255}).item<int>() == 255);
  CHECK(message_of<ValueError>([] {
          tensor(xt::xarray<std::uint64_t>{1, ~std::uint64_t{0}});
        }) == "tensor: the integer 18446744073709551615 at position 1 is no i64; convert it to double first");
  CHECK(tensor(a > 2.).str() == "[[False False  True]\n [ True  True  True]]");
  CHECK(tensor(xt::sum(a)).shape() == Shape{});
  CHECK(tensor(xt::sum(a, {1})).str() == "[ 6. 15.]");
  CHECK(tensor(xt::view(a, xt::all(), xt::range(0, 3, 2))).str() == "[[1. 3.]\n [4. 6.]]");
  CHECK(tensor(xt::zeros<double>({2, 0})).shape() == Shape{2, 0});
  CHECK(tensor(xt::xtensor<double, 1>{1, 2}).str() == "[1. 2.]");
  CHECK(tensor(xt::arange<std::int64_t>(3)).str() == "[0 1 2]");
}

TEST_CASE("column-major and transposed expressions give row-major values") {
  const xt::xarray<double, xt::layout_type::column_major> a{{1, 2, 3}, {4, 5, 6}};
  CHECK(tensor(a).str() == "[[1. 2. 3.]\n [4. 5. 6.]]");
  CHECK(tensor(a * 2.).str() == "[[ 2.  4.  6.]\n [ 8. 10. 12.]]");
  CHECK(tensor(xt::transpose(a)).str() == "[[1. 4.]\n [2. 5.]\n [3. 6.]]");
  const xt::xarray<double> row_major{{1, 2, 3}, {4, 5, 6}};
  CHECK(tensor(a + row_major).str() == "[[ 2.  4.  6.]\n [ 8. 10. 12.]]");
}

TEST_CASE("options say the dtype only if they name one") {
  const xt::xarray<double> a{0.1, 0.2};
  CHECK(tensor(a, {.requires_grad = true}).dtype() == f64);
  CHECK(tensor(a, {.requires_grad = true}).is_leaf());
  CHECK(tensor(a, {.requires_grad = true}).requires_grad());
  CHECK(tensor(a, {.dtype = f32}).dtype() == f32);
  CHECK(tensor(xt::xarray<float>{1}, {.dtype = f64, .requires_grad = true}).requires_grad());
  const TensorOptions options{.requires_grad = true}, narrow{.dtype = i64};
  CHECK(tensor(a, options).dtype() == f64);
  CHECK(tensor(a, narrow).dtype() == i64);
  CHECK(message_of<DtypeError>([] { tensor(xt::xarray<int>{1}, {.requires_grad = true}); }) ==
        "tensor: a tensor of type i64 cannot require a gradient; use f32 or f64");
}

TEST_CASE("expressions that do not broadcast are a ShapeError") {
  const xt::xarray<double> a{1, 2, 3}, b{1, 2};
  CHECK(message_of<ShapeError>([&] { tensor(a + b); }) ==
        "tensor: the parts of the xtensor expression do not broadcast; sizes must agree or be 1, counted from the last "
        "axis");
}

TEST_CASE("a view shows the tensor's own numbers") {
  const Tensor t = sample({2, 3});
  const auto v = t.array<double>();
  CHECK(v.data() == t.data<double>());
  CHECK(v.dimension() == 2);
  CHECK(v(1, 2) == 1.5);
  CHECK(xt::sum(v)() == doctest::Approx(sum(t).item<double>()));
  CHECK(tensor(xt::view(v, 1, xt::all())).str() == take(t, tensor(1, {.dtype = i64})).str());
  const xt::xarray<double> copy = v;
  CHECK(copy == v);
  CHECK(tensor(0.5).array<float>()() == 0.5f);
  CHECK(zeros({2, 0}).array<float>().size() == 0);
  CHECK(tensor({1, 2}, {.dtype = i64}).array<std::int64_t>()(1) == 2);
  CHECK(tensor({true, false}, {.dtype = boolean}).array<bool>()(0));
  CHECK_THROWS_AS(t.array<float>(), DtypeError);
  CHECK_THROWS_AS(Tensor().array<float>(), ValueError);
}

TEST_CASE("a view and expressions of it outlive the tensor and the view") {
  Tensor t = sample({1000});
  const double expected = 2 * t.data<double>()[999];
  const auto doubled = [&t] {
    const auto v = t.array<double>();
    return 2. * v;
  }();
  t = Tensor();
  const Tensor other = full({1000}, 7, {.dtype = f64});
  CHECK(doubled(999) == expected);
  const auto evaluated = xt::eval(sample({3}).array<double>() + 1.);
  CHECK(evaluated.dimension() == 1);
  CHECK(evaluated(2) == 2.5);
}

TEST_CASE("a user's op has the values of its expression and derivatives of any order") {
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{0}, Shape{2, 3}, Shape{2, 1, 2}}) {
    const Tensor x = sample(shape);
    CHECK(cube(x).shape() == shape);
    CHECK(cube(x).str() == (x * x * x).str());
    if (shape.size() == 0) continue;
    const GradcheckReport report = gradcheck(cube, {x}, {.order = 2});
    CHECK_MESSAGE(report.ok(), report.str());
  }
  const GradcheckReport report = gradcheck(ratio, {sample({2, 3}), sample({3})}, {.order = 2});
  CHECK_MESSAGE(report.ok(), report.str());
}

TEST_CASE("a user's op computes in the inputs' dtype, also where the expression has double constants") {
  const Tensor x = sample({3}, f32);
  CHECK(cube(x).dtype() == f32);
  const Tensor half = primitive(
      "half", {x}, [](const auto& v) { return v * 0.5; }, [](const Tensor& g) { return g * 0.5; });
  CHECK(half.dtype() == f32);
  CHECK(half.str() == (x * 0.5).str());
}

TEST_CASE("a forward may return a number, an evaluated array, integers or booleans, and take views by value") {
  Tensor x = sample({2, 2}).set_requires_grad(true);
  const Tensor total = primitive(
      "total", {x}, [](const auto& v) { return xt::sum(v)(); },
      [x](const Tensor& g) { return broadcast_to(g, x.shape()); });
  CHECK(total.shape() == Shape{});
  CHECK(total.item<double>() == doctest::Approx(sum(x).item<double>()));
  const Tensor evaluated = primitive(
      "evaluated", {x}, [](auto v) { return xt::eval(v * 2.); }, [](const Tensor& g) { return g * 2; });
  CHECK(evaluated.str() == (x * 2).str());
  CHECK(primitive(
            "by_value", {x}, [](auto v) { return v * v; }, [x](const Tensor& g) { return g * 2 * x; })
            .str() == square(x).str());
  const Tensor positive = primitive(
      "positive", {x}, [](const auto& v) { return v > 0.; }, not_differentiable);
  CHECK(positive.dtype() == boolean);
  CHECK(!positive.requires_grad());
}

TEST_CASE("a rule of the wrong shape is named with the op and the input") {
  const Tensor x = sample({3}).set_requires_grad(true), w = sample({1}).set_requires_grad(true);
  const Tensor y = primitive(
      "scaled", {x, w}, [](const auto& a, const auto& b) { return a * b; }, [w](const Tensor& g) { return g * w; },
      [x](const Tensor& g) { return g * x; });
  const std::string said = message_of<GraphError>([&] { sum(y).backward(); });
  CHECK(said.substr(0, 60) ==
        std::string("scaled: its vjp returned an invalid gradient for input 1: got").substr(0, 60));
  CHECK(!x.has_grad());
  sum(cube(x)).backward();
  CHECK(x.grad().str() == (3 * square(x)).str());
}

TEST_CASE("an exception in a rule or in a forward reaches the caller unchanged, and the engine goes on") {
  struct Mine {};
  const Tensor x = sample({3}).set_requires_grad(true);
  const Tensor y = primitive(
      "broken", {x}, [](const auto& v) { return v + 1.; }, [](const Tensor&) -> Tensor { throw Mine(); });
  CHECK_THROWS_AS(sum(y).backward(), Mine);
  const auto forward = [](const auto& v) {
    if (v.size() > 0) throw Mine();
    return v + 1.;
  };
  CHECK_THROWS_AS(primitive("broken", {x}, forward, [](const Tensor& g) { return g; }), Mine);
  sum(cube(x)).backward();
  CHECK(x.grad().str() == (3 * square(x)).str());
}

TEST_CASE("a user's op names inputs that it cannot take") {
  const Tensor x = sample({3}), narrow = sample({3}, f32), whole = ones({3}, {.dtype = i64});
  const auto add = [](const Tensor& a, const Tensor& b, Place place) {
    return primitive(
        "my_add", {{a, place.file, place.line}, {b, place.file, place.line}},
        [](const auto& p, const auto& q) { return p + q; }, [](const Tensor& g) { return g; },
        [](const Tensor& g) { return g; });
  };
  CHECK(message_of<DtypeError>([&] { add(x, narrow, Place::here()); }) ==
        "my_add: argument 0 is f64, argument 1 is f32; convert one with .to(...)");
  CHECK(message_of<DtypeError>([&] { add(x, whole, Place::here()); }) ==
        "my_add: argument 1 is i64, not f32 or f64; convert it with .to(f32)");
  CHECK(message_of<ValueError>([&] { add(x, Tensor(), Place::here()); }) ==
        "my_add: argument 1 is an undefined (default-built) tensor; give it a value first");
  CHECK(message_of<ShapeError>([&] { add(x, sample({2}), Place::here()); }) ==
        "my_add: parts of the forward's expression do not broadcast; the inputs are (3,), (2,)");
}
