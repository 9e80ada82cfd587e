#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/picture/layout.hpp>
#include <autograd/trace.hpp>
#include <autograd/xtensor.hpp>
#include <cmath>
#include <nn/nn.hpp>
#include <support.hpp>
#include <xml.hpp>

#include "drawn.hpp"
#include "small_stack.hpp"

using namespace xgrad;

namespace {

/// A recurrent network, and an own module with members of its own.
struct Recurrent : nn::Module {
  nn::Dense in{4, 6}, state{6, 6}, out{6, 2};
  int steps = 60;
  Tensor operator()(const Tensor& x) {
    Tensor h = zeros({2, 6});
    for (int t = 0; t < steps; ++t) h = tanh(in(reshape(slice(x, 0, t, t + 1), {2, 4})) + state(h));
    return out(h);
  }
  void members(nn::Visitor& visit) override { visit("in", in), visit("state", state), visit("out", out); }
};
struct Residual : nn::Module {
  nn::Dense first{4, 4}, second{4, 4};
  Tensor operator()(const Tensor& x) { return x + second(relu(first(x))); }
  void members(nn::Visitor& visit) override { visit("first", first), visit("second", second); }
};
struct Deep : nn::Module {
  Residual a, b;
  nn::Dense head{4, 1};
  Tensor operator()(const Tensor& x) { return head(b(a(x))); }
  void members(nn::Visitor& visit) override { visit("a", a), visit("b", b), visit("head", head); }
};

/// Thirty ops, each of results that were chosen at random before.
Tensor thicket(const Tensor& leaf) {
  std::vector<Tensor> made{leaf};
  unsigned state = 7;
  const auto back = [&](std::size_t most) {
    state = state * 1664525u + 1013904223u;
    return made[made.size() - 1 - (state >> 16) % std::min(made.size(), most)];
  };
  for (int i = 0; i < 30; ++i) {
    const Tensor a = back(8), b = back(20);
    made.push_back(i % 3 == 0 ? tanh(a) : a * b);
  }
  Tensor total = sum(made[1]);
  for (std::size_t i = 20; i < made.size(); ++i) total = total + sum(made[i]);
  return total;
}

}  // namespace

TEST_CASE("the checker of XML finds what is wrong") {
  CHECK(xml_fault("<a b='1'><c/>x &lt; y</a>\n") == "");
  for (const char* wrong :
       {"<a>", "<a></b>", "<a b=1/>", "<a b='1' b='2'/>", "<a>x & y</a>", "<a b='<'/>", "<a/>x", "<a>&no;</a>"})
    CHECK_MESSAGE(xml_fault(wrong) != "", wrong);
}

TEST_CASE("a picture shows ops, shapes, dtypes, values and gradients") {
  const Tensor x = tensor(3., {.dtype = f64, .requires_grad = true});
  const std::string svg = to_svg([&] { return square(x) * 5; }, {.names = {{"speed", x}}});
  CHECK(xml_fault(svg) == "");
  for (const char* part : {">square<", ">multiply(·, 5)<", ">speed<", ">() f64<", ">9<", ">45<", ">5<", ">30<",
                           ">gradient 30<", "picture.cpp:"})
    CHECK_MESSAGE(has(svg, part), part);
  const std::string dot = to_dot([&] { return square(x) * 5; }, {.names = {{"speed", x}}});
  CHECK(dot.starts_with("digraph {"));
  CHECK(has(dot, "label=\"speed\n() f64") == false);
  CHECK(has(dot, "label=\"speed\\n() f64\\n3\\ngradient 30\""));
  CHECK(has(dot, "n0 -> n1 [label=\"30\"]"));
  CHECK_FALSE(x.has_grad());
}

TEST_CASE("a graph without a trace shows what its nodes know, and can still be differentiated afterwards") {
  const Tensor x = tensor({1., 2.}, {.requires_grad = true});
  const Tensor y = sum(exp(x));
  const std::string svg = to_svg(y);
  CHECK(has(svg, ">exp<"));
  CHECK(has(svg, ">[2.72, 7.39]<"));  // exp keeps its output for its rule
  CHECK(svg == to_svg(y));
  CHECK_FALSE(x.has_grad());
  y.backward();
  CHECK(x.has_grad());
}

TEST_CASE("modules are boxes with their parameters inside") {
  nn::Sequential model{nn::Dense{2, 3}, nn::Tanh{}, nn::Dense{3, 1}};
  const Tensor x = ones({4, 2});
  const auto names = model.named_parameters();
  const auto loss = [&] { return mean(model(x)); };
  const std::string svg = to_svg(loss, {.names = names});
  CHECK(xml_fault(svg) == "");
  CHECK(count(svg, "<rect class='box'") == 3);
  CHECK(has(svg, ">model[0] (Dense 2 -&gt; 3)<"));
  for (const auto& [name, parameter] : names) CHECK(count(svg, ">" + name + "<") == 1);
  const std::string dot = to_dot(loss, {.names = names});
  CHECK(count(dot, "subgraph cluster_") == 3);
  const std::size_t box = dot.find("model[2] (Dense 3 -> 1)"), weight = dot.find("2.weight");
  CHECK(box < weight);
  CHECK(weight < dot.find("  }\n", box));
}

TEST_CASE("constants, detached tensors and ops without a derivative are drawn, without a gradient") {
  const Tensor x = tensor({1., -2.}, {.requires_grad = true}), c = tensor({4., 5.});
  const Trace trace;
  const Tensor y = sum(where(x > 0, x, x.detach()) * c);
  const std::string svg = to_svg(y, {.trace = &trace});
  CHECK(has(svg, ">greater(·, 0)<"));
  CHECK(has(svg, "class='constant_op'"));
  CHECK(has(svg, ">[4, 5]<"));
  CHECK(count(svg, "class='edge dry'") == 4);  // x to greater, the mask, the detached x, c
  const Tensor h = exp(x);
  const Tensor z = sum(h * h.detach());
  CHECK(count(to_svg(z, {.trace = &trace}), ">detached<") == 1);
  CHECK(has(to_svg(c + 1, {.trace = &trace}), ">add(·, 1)<"));
}

TEST_CASE("words are escaped") {
  const Tensor x = tensor(2., {.requires_grad = true});
  const Tensor y = primitive(
      "a<b & \"c\"", {x}, [&] { return x.array().clone(); }, [](const Tensor& g) { return g; });
  const std::string svg = to_svg(y, {.names = {{"</svg><script>'", x}}});
  CHECK(xml_fault(svg) == "");
  CHECK(has(svg, "a&lt;b &amp; &quot;c&quot;"));
  CHECK(has(to_dot(y), "a<b & \\\"c\\\""));
}

TEST_CASE("large graphs are folded by module, and cut where that does not suffice") {
  nn::Sequential model;
  for (int i = 0; i < 20; ++i) model.add(nn::Dense{2, 2});
  const Tensor x = ones({1, 2});
  const auto loss = [&] { return sum(model(x)); };
  const std::string folded = to_svg(loss, {.max_nodes = 30});
  CHECK(xml_fault(folded) == "");
  CHECK(count(folded, ">3 nodes<") == 20);
  CHECK(has(folded, "A graph of 62 nodes"));
  const std::string cut = to_svg(loss, {.max_nodes = 10});
  CHECK(count(cut, ">3 nodes<") == 9);
  CHECK(has(cut, ">34 earlier nodes<"));
  CHECK(has(cut, ">sum<"));
}

TEST_CASE("no edge runs behind a node or through a title") {
  manual_seed(1);
  const Tensor x = randn({5, 4}), series = randn({3, 2, 4}), leaf = tensor({0.5, -1.}, {.requires_grad = true});
  Deep deep;
  Recurrent recurrent;
  recurrent.steps = 3;
  nn::Sequential model{nn::Dense{4, 3}, nn::ReLU{}, nn::Dense{3, 1}, nn::Sigmoid{}};
  const auto check = [](const std::string& svg, int edges) {
    CAPTURE(svg);
    const Drawn drawn(svg);
    CHECK(drawn.edges.size() >= static_cast<std::size_t>(edges));
    CHECK(drawn.hidden_edge() == "");
  };
  check(to_svg([&] { return mean(deep(x)); }, {.names = deep.named_parameters()}), 20);
  check(to_svg([&] { return mean(recurrent(series)); }, {.names = recurrent.named_parameters()}), 30);
  check(to_svg([&] { return nn::binary_cross_entropy(model(x), ones({5, 1})); }), 9);
  check(to_svg([&] { return thicket(leaf); }), 60);
}

TEST_CASE("steps that a loop ran alike are drawn once") {
  manual_seed(1);
  Recurrent model;
  const Tensor x = randn({60, 2, 4});
  const auto loss = [&] { return mean(model(x)); };
  const auto names = model.named_parameters();
  const std::string svg = to_svg(loss, {.names = names});
  CHECK(xml_fault(svg) == "");
  CHECK(has(svg, ">60 times<"));
  for (const char* once : {">tanh<", ">add<", ">slice<", ">in (Dense 4 -&gt; 6)<", ">state (Dense 6 -&gt; 6)<",
                           ">↑ tanh<", ">of the step before<", ">state.weight<"})
    CHECK_MESSAGE(count(svg, once) == 1, once);
  const Drawn drawn(svg);
  CHECK(drawn.width < 1000);
  CHECK(drawn.height < 2000);
  CHECK(drawn.hidden_edge() == "");
  // The last step has its numbers, and the first one its state of zeros.
  CHECK(has(svg, ">all 0<"));
  CHECK(count(to_dot(loss, {.names = names}), "label=\"60 times\"") == 1);
  const std::string all = to_svg(loss, {.names = names, .max_nodes = 1000, .unfold = true});
  CHECK(count(all, ">tanh<") == 60);
  CHECK_FALSE(has(all, " times<"));
}

TEST_CASE("a loop over constants, or beside another loop, is folded too, and what differs is not") {
  manual_seed(1);
  const Tensor w = randn({3, 3}, {.requires_grad = true}), v = randn({3, 3}, {.requires_grad = true});
  std::vector<Tensor> xs;
  for (int t = 0; t < 30; ++t) xs.push_back(randn({2, 3}));
  const std::string two = to_svg([&] {
    Tensor h = zeros({2, 3}), sum_of_squares = zeros({});
    for (const Tensor& x : xs) h = tanh(matmul(h, w) + x);
    for (int t = 0; t < 25; ++t) {
      h = sin(matmul(h, v));
      sum_of_squares = sum_of_squares + sum(square(h));
    }
    return sum_of_squares;
  });
  CHECK(count(two, ">30 times<") == 1);
  CHECK(count(two, ">25 times<") == 1);
  CHECK(count(two, ">matmul<") == 2);
  CHECK(count(two, ">↑ sin<") == 1);
  CHECK(count(two, "class='constant'") == 3);  // two states of zeros, and the last x
  CHECK(Drawn(two).hidden_edge() == "");

  nn::Sequential deep;
  for (int i = 0; i < 12; ++i) deep.add(nn::Dense{2, 2}), deep.add(nn::ReLU{});
  CHECK(count(to_svg([&] { return sum(deep(ones({1, 2}))); }), ">dense<") == 12);
  const std::string scaled = to_svg([&] {
    Tensor y = w;
    for (int i = 0; i < 30; ++i) y = sin(y * (1 + i));
    return sum(y);
  });
  CHECK(count(scaled, ">sin<") == 30);
}

TEST_CASE("own modules are boxes around their members") {
  Deep model;
  const Tensor x = ones({2, 4});
  const auto loss = [&] { return mean(model(x)); };
  const std::string svg = to_svg(loss, {.names = model.named_parameters()});
  CHECK(has(svg, ">a<"));
  CHECK(has(svg, ">a.first (Dense 4 -&gt; 4)<"));
  CHECK(count(svg, "<rect class='box'") == 7);  // a and b with two members each, and the head
  const std::string dot = to_dot(loss, {.names = model.named_parameters()});
  const std::size_t outer = dot.find("label=\"a\""), inner = dot.find("label=\"a.first (Dense 4 -> 4)\"");
  CHECK(outer < inner);
  CHECK(inner < dot.find("a.first.weight"));
  CHECK(dot.find("\"relu") < dot.find("label=\"b\""));  // between its members
  const Drawn drawn(svg);
  int within = 0;
  for (const Drawn::Box& a : drawn.boxes)
    for (const Drawn::Box& b : drawn.boxes)
      within += a.left < b.left && b.right < a.right && a.top < b.top && b.bottom < a.bottom;
  CHECK(within == 4);
}

TEST_CASE("a sigmoid that met its loss is drawn, with a note") {
  nn::Sequential model{nn::Dense{2, 1}, nn::Sigmoid{}};
  const Tensor x = ones({3, 2}), t = ones({3, 1});
  const std::string svg = to_svg([&] { return nn::binary_cross_entropy(model(x), t); });
  CHECK(count(svg, ">sigmoid<") == 1);
  CHECK(has(svg, ">model[1] (Sigmoid)<"));
  CHECK(has(svg, ">as one<"));
  CHECK(has(svg, "The sigmoid and its loss are computed as one"));
  const std::string both = to_svg([&] {
    const Tensor p = model(x);
    return nn::binary_cross_entropy(p, t) + mean(p);
  });
  CHECK(count(both, ">sigmoid<") == 1);
  CHECK_FALSE(has(both, "as one"));
  const std::string logits = to_svg([&] {
    const Tensor z = model[0](x), p = sigmoid(z);
    return nn::binary_cross_entropy_with_logits(z, t);
  });
  CHECK_FALSE(has(logits, ">sigmoid<"));
}

TEST_CASE("an edge past very many ops ends at a small node that names where it comes from") {
  const Tensor x = tensor(1., {.requires_grad = true});
  const std::string svg = to_svg(
      [&] {
        const Tensor first = exp(x);
        Tensor y = first;
        for (int i = 0; i < 100; ++i) y = sin(y);
        return y * first;
      },
      {.unfold = true});
  CHECK(xml_fault(svg) == "");
  CHECK(count(svg, ">exp<") == 1);
  CHECK(count(svg, ">↑ exp<") == 1);
  CHECK(count(svg, "class='reference'") == 1);
}

TEST_CASE("a chain of 10^5 ops is drawn on a small stack") {
  const Tensor x = tensor(1., {.requires_grad = true});
  on_stack_of(256 * 1024, [&] {
    Tensor y = x;
    for (int i = 0; i < 100000; ++i) y = -y;
    const std::string svg = to_svg(y, {.unfold = true});
    CHECK(has(svg, "earlier nodes"));
    CHECK(svg.size() < 200000);
    CHECK(has(to_svg(y), ">100000 times<"));
    CHECK(has(to_dot([&] { return y; }), "negate"));
  });
}

TEST_CASE("a picture of a freed graph has no gradients if a trace knows it, and is refused if none does") {
  const Tensor x = tensor(1., {.requires_grad = true});
  const Trace trace;
  const Tensor y = exp(sin(x));
  y.backward();
  const std::string svg = to_svg(y, {.trace = &trace});
  CHECK(has(svg, ">sin<"));
  CHECK(has(svg, "No gradients: "));
  CHECK(error_of([&] { (void)to_svg(y); }).find("to_svg: the graph of exp was freed by a backward pass") !=
        std::string::npos);
}

TEST_CASE("what has no graph is refused") {
  const Tensor leaf = tensor(1., {.requires_grad = true});
  CHECK(has(error_of([] { (void)to_svg(Tensor()); }), "to_svg: the tensor to draw is undefined"));
  CHECK(has(error_of([&] { (void)to_svg(leaf); }),
            "to_svg: no op is known that made the tensor of shape (), which is a leaf"));
  CHECK(has(error_of([] { (void)to_dot(ones({2}) + 1); }),
            "to_dot: no op is known that made the tensor of shape (2,), which does not require a gradient"));
  CHECK(has(error_of([&] { (void)to_svg(leaf * 2, {.max_nodes = 0}); }), "max_nodes is 0"));
}

TEST_CASE("a layout lets nothing overlap") {
  // A ladder with long edges, of nodes of all sizes.
  detail::Layout layout;
  for (int i = 0; i < 60; ++i) layout.nodes.push_back({40. + 7 * (i % 11), 20. + 5 * (i % 7)});
  for (int i = 0; i < 60; ++i) {
    for (const int step : {1, 3, 17})
      if (i + step < 60 && (i * step) % 4 != 1) layout.edges.push_back({i, i + step, i % 3 == 0 ? 50. : 0.});
  }
  layout.run();
  struct Box {
    double x, y, width, height;
  };
  std::vector<Box> boxes;
  for (const detail::LayoutNode& n : layout.nodes) boxes.push_back({n.x, n.y, n.width, n.height});
  for (const detail::LayoutEdge& e : layout.edges)
    if (e.label_width > 0) boxes.push_back({e.label.x, e.label.y, e.label_width, 14});
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const Box& a = boxes[i];
    CHECK(a.x - a.width / 2 >= -1e-9);
    CHECK(a.x + a.width / 2 <= layout.width + 1e-9);
    CHECK(a.y + a.height / 2 <= layout.height + 1e-9);
    for (std::size_t j = 0; j < i; ++j) {
      const Box& b = boxes[j];
      const bool apart =
          std::abs(a.x - b.x) * 2 >= a.width + b.width - 1e-9 || std::abs(a.y - b.y) * 2 >= a.height + b.height - 1e-9;
      CHECK(apart);
    }
  }
  int met = 0;
  // From one point of a route to the next, an edge stays in the rectangle between them.
  for (std::size_t i = 0; i < layout.edges.size(); ++i) {
    const std::vector<detail::Point>& route = layout.edges[i].route;
    for (std::size_t k = 1; k < route.size(); ++k) {
      const detail::Point &a = route[k - 1], &b = route[k];
      REQUIRE(b.y > a.y);
      const auto meets = [&](double x, double y, double width, double height) {
        return std::max(a.x, b.x) > x - width / 2 + 1e-6 && std::min(a.x, b.x) < x + width / 2 - 1e-6 &&
               b.y > y - height / 2 + 1e-6 && a.y < y + height / 2 - 1e-6;
      };
      for (const detail::LayoutNode& n : layout.nodes) met += meets(n.x, n.y, n.width, n.height);
      for (std::size_t j = 0; j < layout.edges.size(); ++j) {
        const detail::LayoutEdge& other = layout.edges[j];
        if (j != i && other.label_width > 0) met += meets(other.label.x, other.label.y, other.label_width, 14);
      }
    }
  }
  CHECK(met == 0);
}
