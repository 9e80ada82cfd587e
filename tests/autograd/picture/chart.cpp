#include <doctest/doctest.h>
#include <autograd/chart.hpp>
#include <autograd/support/table.hpp>
#include <cmath>
#include <support.hpp>
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

TEST_CASE("an axis through 0 says 0, without a sign") {
  const std::string svg = to_svg(Charts{{{.curves = {{.x = {-0.9, 0.9}, .y = {1, 1}}}, .y = {.ticks = {1}}}}});
  CHECK(has(svg, ">0.0<"));
  CHECK(has(svg, ">−0.2<"));
  CHECK(!has(svg, ">−0.0<"));
}

TEST_CASE("where an axis begins may be told without where it ends") {
  const auto points = [](ChartAxis y) {
    return to_svg(
        Charts{.charts = {{.curves = {{.x = {0, 1}, .y = {4, 8}}}, .x = {.low = 0, .high = 1}, .y = std::move(y)}},
               .width = 400,
               .height = 100});
  };
  CHECK(has(points({.low = 0, .high = 8}), "points='70,110 470,60 '"));
  const std::string from_0 = points({.low = 0}), to_12 = points({.high = 12});  // the other end is a bit past the data
  for (const std::string* svg : {&from_0, &to_12}) CHECK(count(*svg, "<polyline") == 1);
  CHECK(has(from_0, ">0<"));
  CHECK(has(to_12, ">12<"));
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
  CHECK(lines({-1, 1, 5}, {0, 1, 0}) == "70,110 170,60 470,135 | ");
  CHECK(lines({-2, 2}, {3, -1}) == "70,60 170,160 | ");
  CHECK(lines({0, 1, 2, 3, 4}, {0, 1, NAN, 1, 0}) == "70,160 170,60 | 370,60 470,160 | ");
  CHECK(lines({0, 1, 2}, {5, 6, 7}) == "");
}

TEST_CASE("on a logarithmic axis each power of ten takes the same room") {
  const auto picture = [](std::vector<double> x, std::vector<double> y, ChartAxis axis) {
    axis.logarithmic = true;
    return to_svg(Charts{.charts = {{.curves = {{.x = std::move(x), .y = std::move(y)}},
                                     .x = {.low = 0, .high = 4},
                                     .y = std::move(axis)}},
                         .width = 400,
                         .height = 100});
  };
  const std::string decades = picture({0, 1, 2, 3, 4}, {1, 10, 0, 1, 100}, {.low = 1, .high = 100});
  CHECK(xml_fault(decades) == "");
  CHECK(has(decades, "points='70,160 170,110 '"));
  CHECK(has(decades, "points='370,160 470,60 '"));  // 0 has no place there, and leaves a gap
  for (const char* number : {">1<", ">10<", ">100<"}) CHECK_MESSAGE(count(decades, number) >= 1, number);
  CHECK(!has(decades, ">50<"));
  CHECK(!has(decades, "class='zero'"));  // that 1 is the power 0 of ten is nothing to emphasise
  const std::string narrow = picture({0, 4}, {0.002, 0.03}, {.low = 0.002, .high = 0.03});
  for (const char* number : {">0.002<", ">0.005<", ">0.01<", ">0.02<"}) CHECK_MESSAGE(has(narrow, number), number);
  CHECK(has(picture({0, 4}, {1, 8}, {.ticks = {2, 8}, .low = 1, .high = 8}), ">8<"));
  CHECK(has(picture({0, 1, 4}, {1e-300, 1, 1e300}, {}), ">1e+200<"));
  CHECK(xml_fault(picture({0, 4}, {0, -1}, {})) == "");  // nothing to draw
}

TEST_CASE("points need not be joined") {
  const std::string svg = to_svg(Charts{{{.curves = {{.x = {0, 1, 2}, .y = {1, 2, 3}, .dots = true, .line = false}}}}});
  CHECK(count(svg, "<circle") == 3);
  CHECK(count(svg, "<polyline") == 0);
}

TEST_CASE("bad charts are refused") {
  CHECK(has(error_of([] { (void)to_svg(Charts{}); }), "chart.cpp:"));
  CHECK(has(error_of([] { (void)to_svg(Charts{}); }), "to_svg: there is no chart to draw"));
  CHECK(has(error_of([] { (void)to_svg(Charts{.charts = {{}}, .columns = 0}); }), "to_svg: columns is 0"));
  CHECK(has(error_of([] {
              (void)to_svg(Charts{{{.curves = {{.x = {1, 2}, .y = {1}, .name = "loss"}}}}});
            }),
            "to_svg: a curve 'loss' has 2 x and 1 y; give each point both"));
  CHECK(has(error_of([] { (void)to_svg(Charts{{{.y = {.low = 0, .logarithmic = true}}}}); }),
            "to_svg: the y axis is logarithmic and is to show 0; give it numbers above 0"));
  CHECK(has(error_of([] {
              (void)to_svg(Charts{{{.x = {.ticks = {1, -10}, .logarithmic = true}}}});
            }),
            "to_svg: the x axis is logarithmic and is to show -10; give it numbers above 0"));
}

TEST_CASE("the columns of a table are as wide as their longest cell, and those without a word are left out") {
  using detail::aligned;
  CHECK(aligned({{"op", "calls", "", "ms"}, {"matmul", "3", "", "0.25"}, {"all"}}, "lrrr") ==
        std::vector<std::string>{"op      calls    ms", "matmul      3  0.25", "all"});
}
