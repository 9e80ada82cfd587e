#include <doctest/doctest.h>
#include <autograd/chart.hpp>
#include <autograd/support/table.hpp>
#include <cmath>
#include <messages.hpp>
#include <search.hpp>
#include <xml.hpp>

using namespace xgrad;

TEST_CASE("a chart has frames, ticks, curves and a key") {
  const std::string svg = to_svg(Charts{{{.title = "a < b",
                                          .subtitle = "below it",
                                          .curves = {{.x = {0, 1, 2}, .y = {0, 5, 10}, .name = "one", .dots = true},
                                                     {.x = {0, 2}, .y = {10, 0}, .name = "two", .dashes = "7 3"}},
                                          .x = {.label = "time"},
                                          .words = {"a line", "another"}},
                                         {.title = "b", .curves = {{.x = {1, 2}, .y = {3, 4}, .name = "one"}}}}});
  CHECK(xml_fault(svg) == "");
  CHECK(count(svg, "class='frame'") == 2);
  CHECK(count(svg, "<polyline") == 3);
  CHECK(count(svg, "<circle") == 3 + 2);  // points, and the key, where a name stands once
  for (const char* part : {">a &lt; b<", ">below it<", ">time<", ">one<", ">two<", ">a line<", ">another<",
                           "stroke-dasharray='7 3'", ">0.5<", ">10<"})
    CHECK_MESSAGE(has(svg, part), part);
}

TEST_CASE("a curve is cut where it leaves the frame, and has gaps where it is not finite") {
  const auto lines = [](std::vector<double> x, std::vector<double> y) {
    const std::string svg = to_svg(Charts{.charts = {{.curves = {{.x = std::move(x), .y = std::move(y)}},
                                                      .x = {.low = 0, .high = 4},
                                                      .y = {.low = 0, .high = 1}}},
                                          .width = 400,
                                          .height = 100});
    std::string points;
    for (std::size_t i = svg.find("points='"); i != std::string::npos; i = svg.find("points='", i + 1))
      points += svg.substr(i + 8, svg.find('\'', i + 8) - i - 8) + "| ";
    return points;
  };
  // The frame begins at (70, 60); a unit is 100 wide and 100 high.
  CHECK(lines({0, 1}, {0, 1}) == "70,160 170,60 | ");
  CHECK(lines({0, 1, 2}, {.5, 1.5, .5}) == "70,110 120,60 | 220,60 270,110 | ");
  CHECK(lines({0, 1, 2, 3}, {-1, 1, 3, -1}) == "120,160 170,60 | 320,60 345,160 | ");
  CHECK(lines({0, 1, 2, 3, 4}, {0, 1, NAN, 1, 0}) == "70,160 170,60 | 370,60 470,160 | ");
  CHECK(lines({0, 1, 2}, {5, 6, 7}) == "");
}

TEST_CASE("bad charts are refused") {
  CHECK(has(error_of([] { (void)to_svg(Charts{}); }), "chart.cpp:"));
  CHECK(has(error_of([] { (void)to_svg(Charts{}); }), "to_svg: there is no chart to draw"));
  CHECK(has(error_of([] { (void)to_svg(Charts{.charts = {{}}, .columns = 0}); }), "to_svg: columns is 0"));
  CHECK(has(error_of([] {
              (void)to_svg(Charts{{{.curves = {{.x = {1, 2}, .y = {1}, .name = "loss"}}}}});
            }),
            "to_svg: a curve 'loss' has 2 x and 1 y; give each point both"));
}

TEST_CASE("the columns of a table are as wide as their longest cell, and those without a word are left out") {
  using detail::aligned;
  CHECK(aligned({{"op", "calls", "", "ms"}, {"matmul", "3", "", "0.25"}, {"all"}}, "lrrr") ==
        std::vector<std::string>{"op      calls    ms", "matmul      3  0.25", "all"});
}
