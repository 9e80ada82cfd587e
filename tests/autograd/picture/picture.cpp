#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/picture/layout.hpp>
#include <autograd/trace.hpp>
#include <autograd/xtensor.hpp>
#include <cmath>
#include <messages.hpp>
#include <nn/nn.hpp>
#include <search.hpp>
#include <xml.hpp>

#include "small_stack.hpp"

using namespace xgrad;

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

TEST_CASE("an edge past very many ops ends at a small node that names where it comes from") {
  const Tensor x = tensor(1., {.requires_grad = true});
  const std::string svg = to_svg([&] {
    const Tensor first = exp(x);
    Tensor y = first;
    for (int i = 0; i < 100; ++i) y = sin(y);
    return y * first;
  });
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
    const std::string svg = to_svg(y);
    CHECK(has(svg, "earlier nodes"));
    CHECK(svg.size() < 200000);
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
  for (const detail::LayoutEdge& e : layout.edges)
    for (std::size_t k = 1; k < e.route.size(); ++k) CHECK(e.route[k].y > e.route[k - 1].y);
}
