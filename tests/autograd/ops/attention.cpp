#include <doctest/doctest.h>
#include <algorithm>
#include <autograd/autograd.hpp>
#include <autograd/memory.hpp>
#include <autograd/observer.hpp>
#include <autograd/ops/attention.hpp>
#include <autograd/threads.hpp>
#include <cmath>
#include <support.hpp>

// Attention in blocks agrees with attention by ops, keeps its memory small, and drops weights as asked.
using namespace xgrad;

namespace {

Tensor random(const Shape& shape, Dtype dtype = f64) { return randn(shape, {.dtype = dtype}).set_requires_grad(true); }

/// The formula, whose weights are stored.
Tensor by_ops(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& o) {
  Tensor scores = matmul(q, k, {.transpose_b = true}) / std::sqrt(static_cast<double>(q.shape()[-1]));
  if (o.mask.defined()) scores = o.mask.dtype() == boolean ? where(o.mask, scores, -INFINITY) : scores + o.mask;
  if (o.causal) {
    const Tensor rows = unsqueeze(arange(0, q.shape()[-2], 1, i64), 1), columns = arange(0, k.shape()[-2], 1, i64);
    scores = where(columns <= rows, scores, -INFINITY);
  }
  return matmul(softmax(scores), v);
}

/// y is what `want` is, and so are the gradients of both in all inputs.
void check_alike(const Tensor& y, const Tensor& want, const std::vector<Tensor>& inputs, double tolerance) {
  CHECK(close(y, want, tolerance));
  const Tensor g = randn(y.shape(), {.dtype = y.dtype()});
  const std::vector<Tensor> found = grad(y, inputs, g), wanted = grad(want, inputs, g);
  for (std::size_t i = 0; i < inputs.size(); ++i) CHECK(close(found[i], wanted[i], tolerance));
}

/// The most bytes of arrays that were alive when some op had computed.
struct Peak : Observer {
  std::int64_t bytes = 0;
  void op_computed(const OpCall&, Array&) override { bytes = std::max(bytes, memory::statistics().live_bytes); }
};

}  // namespace

TEST_CASE("many blocks of queries and keys give what the formula does, and its gradients") {
  manual_seed(1);
  for (const Dtype dtype : {f64, f32})
    for (const bool causal : {false, true})
      for (const int masked : {0, 1, 2}) {
        CAPTURE(name_of(dtype));
        CAPTURE(causal);
        CAPTURE(masked);
        const std::int64_t m = 150, n = causal ? 150 : 201;
        const Tensor q = random({2, m, 7}, dtype), k = random({2, n, 7}, dtype), v = random({2, n, 5}, dtype);
        AttentionOptions options{.causal = causal};
        // The first key is seen by all, so that the formula has no row of NaN.
        if (masked == 1) options.mask = bernoulli({2, m, n}, .6) || (arange(0, static_cast<double>(n), 1, i64) == 0);
        if (masked == 2) options.mask = 3 * randn({n}, {.dtype = dtype});
        check_alike(scaled_dot_product_attention(q, k, v, options), by_ops(q, k, v, options), {q, k, v},
                    dtype == f32 ? 2e-5 : 1e-13);
      }
}

TEST_CASE("causal attention of few and of wide rows, of more and of fewer queries than keys") {
  manual_seed(2);
  struct Sizes {
    std::int64_t queries, keys, width, value_width;
  };
  const Sizes all[] = {{1, 1, 4, 4}, {24, 24, 16, 16}, {25, 25, 70, 3}, {63, 90, 3, 70}, {100, 50, 65, 64}};
  for (const Sizes& sizes : all)
    for (const double dropout : {0., .3}) {
      CAPTURE(sizes.queries);
      CAPTURE(dropout);
      const Tensor q = random({3, sizes.queries, sizes.width}), k = random({3, sizes.keys, sizes.width});
      const Tensor v = random({3, sizes.keys, sizes.value_width});
      const auto attended = [&](const Tensor& mask) {
        manual_seed(3);
        return scaled_dot_product_attention(q, k, v, {.causal = true, .mask = mask, .dropout = dropout});
      };
      // A mask with a gradient asks for the form as ops.
      check_alike(attended({}), attended(zeros({sizes.keys}, f64).set_requires_grad(true)), {q, k, v}, 1e-13);
    }
}

TEST_CASE("large scores, masks of -inf and NaN are no surprise") {
  const Tensor q = tensor({{1e4}, {-1e4}}), k = tensor({{1.}, {2.}}), v = tensor({{3.}, {5.}});
  CHECK(to_vector(scaled_dot_product_attention(q, k, v)) == std::vector<double>{5, 3});
  const Tensor one = tensor({{1.}}), keys = tensor({{1.}, {1.}});
  CHECK(scaled_dot_product_attention(one, keys, v, {.mask = tensor({-INFINITY, 0.})}).item() == 5);
  CHECK(scaled_dot_product_attention(one, keys, v, {.mask = tensor({-INFINITY, -INFINITY})}).item() == 0);
  CHECK(std::isnan(scaled_dot_product_attention(one, tensor({{NAN}, {1.}}), v).item()));
  CHECK(std::isnan(scaled_dot_product_attention(one, tensor({{INFINITY}, {1.}}), v).item()));
}

TEST_CASE("scores that lie far from 0 have the weights and gradients of their differences") {
  manual_seed(8);
  // Whole numbers, so that 2^20 and no rounding is added to the scores; beside -1e9 in f32 all of them are alike.
  const auto whole = [](const Shape& shape, Dtype dtype) {
    return round(2 * randn(shape, {.dtype = dtype})).set_requires_grad(true);
  };
  for (const Dtype dtype : {f32, f64})
    for (const double offset : {-1048576., 1048576., -1e9}) {
      CAPTURE(name_of(dtype));
      CAPTURE(offset);
      const Tensor q = whole({2, 70, 4}, dtype), k = whole({2, 130, 4}, dtype), v = random({2, 130, 3}, dtype);
      const AttentionOptions options{.mask = full({130}, offset, {.dtype = dtype})};
      check_alike(scaled_dot_product_attention(q, k, v, options), by_ops(q, k, v, options), {q, k, v},
                  dtype == f32 ? 2e-5 : 1e-13);
    }
  const Tensor q = zeros({1, 1}), k = zeros({8, 1}), v = ones({8, 1}).set_requires_grad(true);
  CHECK(to_vector(grad(sum(scaled_dot_product_attention(q, k, v, {.mask = full({8}, -1e9)})), v)) ==
        std::vector<double>(8, .125));
}

TEST_CASE("a mask hides a key whatever its score is") {
  const Tensor one = tensor({{1.}}), v = tensor({{3.}, {5.}});
  for (const float score : {INFINITY, -INFINITY, NAN}) {
    const Tensor k = tensor({{double(score)}, {1.}});
    for (const Tensor& mask : {tensor({0, 1}, boolean), tensor({-INFINITY, 0.})}) {
      CHECK(scaled_dot_product_attention(one, k, v, {.mask = mask}).item() == 5);
      const Tensor trained = v.clone().set_requires_grad(true);
      const Tensor by_ops =
          grad(sum(scaled_dot_product_attention(one, k, trained, {.mask = mask})), trained, {.create_graph = true});
      CHECK(to_vector(by_ops) == std::vector<double>{0, 1});
    }
  }
}

TEST_CASE("a query that sees no key gives zeros, and no gradient but zeros") {
  const Tensor q = random({3, 2}), k = random({2, 2}), v = random({2, 2});
  const Tensor y = scaled_dot_product_attention(q, k, v, {.mask = zeros({3, 2}, boolean)});
  CHECK(largest(y) == 0);
  for (const Tensor& g : grad(sum(y), {q, k, v})) CHECK(largest(g) == 0);
}

TEST_CASE("dropped weights are the same on the way back, and in derivatives of second order") {
  const auto f = [](const Tensor& q, const Tensor& k, const Tensor& v) {
    manual_seed(3);
    return scaled_dot_product_attention(q, k, v, {.causal = true, .dropout = .4});
  };
  manual_seed(1);
  CHECK(gradcheck(f, {randn({2, 3, 2}, f64), randn({2, 3, 2}, f64), randn({2, 3, 2}, f64)}, {.order = 2}).ok());
  // Across blocks too, by the form as ops, which a mask with a gradient asks for.
  const Tensor q = random({1, 70, 3}), k = random({1, 130, 3}), v = random({1, 130, 2});
  const auto dropped = [&](const Tensor& mask) {
    manual_seed(3);
    return scaled_dot_product_attention(q, k, v, {.mask = mask, .dropout = .5});
  };
  const Tensor mask = randn({70, 130}, f64), fused = dropped(mask);
  const Tensor composed = dropped(mask.clone().set_requires_grad(true));
  CHECK(close(fused, composed, 1e-13));
  const std::vector<Tensor> found = grad(sum(fused), {q, k, v}), wanted = grad(sum(composed), {q, k, v});
  for (std::size_t i = 0; i < 3; ++i) CHECK(close(found[i], wanted[i], 1e-13));
}

TEST_CASE("dropout keeps the mean") {
  manual_seed(2);
  const Tensor x = zeros({1, 400, 1}), v = ones({1, 400, 1});
  const Tensor y = scaled_dot_product_attention(x, x, v, {.dropout = .25});
  // 160 000 weights of 1 / 300 or 0: a standard deviation of sqrt(.25 / .75 / 160000) = 1.4e-3.
  CHECK(std::fabs(mean(y).item() - 1) < 6e-3);
  CHECK(largest(y - 1) > 1e-2);
}

TEST_CASE("a replay draws the next weights to drop, as eager calls do") {
  const Tensor q = randn({1, 5, 3}), k = randn({1, 9, 3}), v = randn({1, 9, 2});
  const auto f = [](const Tensor& a, const Tensor& b, const Tensor& c) {
    return scaled_dot_product_attention(a, b, c, {.dropout = .5});
  };
  auto step = capture(f);
  std::vector<Tensor> eager, replayed;
  manual_seed(4);
  for (int i = 0; i < 4; ++i) eager.push_back(f(q, k, v));
  manual_seed(4);
  for (int i = 0; i < 4; ++i) replayed.push_back(step(q, k, v).clone());
  CHECK(same_bits(eager, replayed));
  CHECK_FALSE(same_bits(eager[2], eager[3]));
}

TEST_CASE("heads side by side are heads one after another") {
  manual_seed(5);
  const std::int64_t n = 2, heads = 3, m = 70, keys = 65;
  const Tensor q = random({n, m, heads * 2}), k = random({n, keys, heads * 2}), v = random({n, keys, heads * 4});
  const auto apart = [&](const Tensor& t) {
    return permute(reshape(t, Shape{n, t.shape()[1], heads, t.shape()[2] / heads}), {0, 2, 1, 3});
  };
  const AttentionOptions options{.mask = bernoulli({n, 1, 1, keys}, .8)};
  const Tensor y = detail::attention_of_heads(q, k, v, heads, options);
  const Tensor want =
      reshape(permute(scaled_dot_product_attention(apart(q), apart(k), apart(v), options), {0, 2, 1, 3}),
              Shape{n, m, heads * 4});
  CHECK(close(y, want, 1e-14));
  const std::vector<Tensor> found = grad(sum(square(y)), {q, k, v}, {.create_graph = true}),
                            wanted = grad(sum(square(want)), {q, k, v});
  for (std::size_t i = 0; i < 3; ++i) CHECK(close(found[i], wanted[i], 1e-13));
  const std::vector<Tensor> fused = grad(sum(square(y)), {q, k, v});
  for (std::size_t i = 0; i < 3; ++i) CHECK(close(fused[i], wanted[i], 1e-13));
}

TEST_CASE("one head too has its axis of a mask") {
  manual_seed(9);
  const Tensor q = random({2, 3, 4}), k = random({2, 5, 4}), v = random({2, 5, 4}), seen = bernoulli({2, 1, 5}, .7);
  const Tensor y = detail::attention_of_heads(q, k, v, 1, {.mask = unsqueeze(seen, 1)});
  const Tensor want = scaled_dot_product_attention(q, k, v, {.mask = seen});
  CHECK(same_bits({y}, {want}));
  const std::vector<Tensor> found = grad(sum(square(y)), {q, k, v}, {.create_graph = true}),
                            wanted = grad(sum(square(want)), {q, k, v}, {.create_graph = true});
  CHECK(same_bits(found, wanted));
}

TEST_CASE("memory grows with the length, not with its square") {
  const auto peak = [](std::int64_t length) {
    const Tensor q = random({1, length, 64}, f32), k = random({1, length, 64}, f32), v = random({1, length, 64}, f32);
    const std::int64_t before = memory::statistics().live_bytes;
    Peak observer;
    const Observing observing(observer);
    sum(scaled_dot_product_attention(q, k, v, {.causal = true})).backward();
    return observer.bytes - before;
  };
  const std::int64_t shorter = peak(512), longer = peak(1024);
  CHECK(longer <= 2 * shorter + 4096);
  CHECK(longer < 1024 * 1024 * 4);  // the weights
}

TEST_CASE("any number of threads gives the same bits") {
  const RestoreThreads restore;
  manual_seed(6);
  const Tensor q = random({4, 2, 130, 16}, f32), k = random({4, 2, 190, 16}, f32), v = random({4, 2, 190, 16}, f32);
  std::vector<Tensor> first;
  for (const int n : {1, 2, 3}) {
    set_num_threads(n);
    manual_seed(7);
    const Tensor y = scaled_dot_product_attention(q, k, v, {.causal = true, .dropout = .1});
    std::vector<Tensor> all = grad(sum(square(y)), {q, k, v});
    all.push_back(y.detach());
    if (first.empty()) first = all;
    CHECK(same_bits(all, first));
  }
}

TEST_CASE("a graph of attention frees what it holds, after derivatives of second order too") {
  const std::int64_t nodes = memory::statistics().live_nodes, bytes = memory::statistics().live_bytes;
  {
    const Tensor q = random({2, 3, 2}), k = random({2, 3, 2}), v = random({2, 3, 2});
    const Tensor y = scaled_dot_product_attention(q, k, v);
    const Tensor first = grad(sum(square(y)), q, {.create_graph = true, .retain_graph = true});
    (void)grad(sum(square(first)), k, {.retain_graph = true});
    (void)grad(sum(y), q, {.retain_graph = true});
  }
  CHECK(memory::statistics().live_nodes == nodes);
  CHECK(memory::statistics().live_bytes == bytes);
}

TEST_CASE("attention says what does not fit") {
  const Tensor x = zeros({2, 3, 4});
  CHECK(message_of<Error>([&] {
          (void)scaled_dot_product_attention(x, zeros({2, 5, 3}), zeros({2, 5, 4}));
        }) ==
        "scaled_dot_product_attention: q is (2, 3, 4), k is (2, 5, 3), v is (2, 5, 4); queries and keys need as many "
        "features");
  CHECK(message_of<Error>([&] {
          (void)scaled_dot_product_attention(x, x, zeros({2, 2, 4}));
        }) ==
        "scaled_dot_product_attention: q is (2, 3, 4), k is (2, 3, 4), v is (2, 2, 4); there must be a value for each "
        "key");
  CHECK(message_of<Error>([&] {
          (void)scaled_dot_product_attention(x, zeros({1, 3, 4}), zeros({1, 3, 4}));
        }) ==
        "scaled_dot_product_attention: q is (2, 3, 4), k is (1, 3, 4), v is (1, 3, 4); their leading axes must be "
        "equal, so repeat what is shared with broadcast_to");
  CHECK(message_of<Error>([&] { (void)scaled_dot_product_attention(zeros({4}), zeros({4}), zeros({4})); }) ==
        "scaled_dot_product_attention: q is (4,), k is (4,), v is (4,); expected (..., m, d), (..., k, d) and (..., k, "
        "e) with as many axes");
  CHECK(message_of<Error>([&] {
          (void)scaled_dot_product_attention(x, x, x, {.mask = zeros({4, 3}, boolean)});
        }) == "scaled_dot_product_attention: the mask is (4, 3) and does not broadcast to the weights, (2, 3, 3)");
  CHECK(message_of<Error>([&] {
          (void)scaled_dot_product_attention(x, x, x, {.mask = zeros({3, 3}, f64)});
        }) == "scaled_dot_product_attention: the mask is f64, q is f32; expected boolean or the same");
  CHECK(message_of<Error>([&] { (void)scaled_dot_product_attention(x, x, x, {.dropout = 1}); }) ==
        "scaled_dot_product_attention: the dropout is 1; it must be at least 0 and below 1");
  CHECK(message_of<Error>([&] { (void)scaled_dot_product_attention(x, x.to(f64), x); }) ==
        "scaled_dot_product_attention: q is f32, k is f64, v is f32; convert with .to(...)");
  CHECK(message_of<Error>([&] {
          (void)sequence_mask(tensor({3, 6}, i64), 5);
        }) == "sequence_mask: length 1 is 6; expected one of 0 to 5");
  CHECK(message_of<DtypeError>([&] {
          (void)sequence_mask(tensor({3., 2.}), 5);
        }) == "sequence_mask: the lengths are f32, not i64; convert them with .to(i64)");
  CHECK(message_of<ShapeError>([&] {
          (void)sequence_mask(tensor({{3}, {2}}, i64), 5);
        }) == "sequence_mask: the lengths are (2, 1); expected (n,)");
}
