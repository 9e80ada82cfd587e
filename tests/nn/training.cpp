#include <doctest/doctest.h>
#include <autograd/atomic_file.hpp>
#include <nn/training/learning_curve.hpp>
#include <nn/training/progress.hpp>

#include <cmath>

#include "folder.hpp"

using namespace xgrad;

/// The progress line and the learning curve.

TEST_CASE("an average weighs each batch by its samples") {
  nn::Average loss;
  loss.add(1, 30);
  loss.add(4, 10);
  CHECK(loss.value() == doctest::Approx(1.75));
  CHECK(loss.samples() == 40);
}

TEST_CASE("no samples leave an average as it is, whatever their mean, and large losses do not overflow it") {
  nn::Average loss;
  loss.add(NAN, 0);
  loss.add(INFINITY, 0);
  loss.add(2, 5);
  loss.add(NAN, 0);
  CHECK(loss.value() == 2);
  nn::Average large;
  large.add(1e308, 100);
  large.add(1e308, 100);
  CHECK(large.value() == 1e308);
}

TEST_CASE("a learning curve is drawn with a point for every finite value") {
  const Folder folder;
  const std::string path = folder / "curve.svg";
  nn::write_learning_curve(path, {{.3, .9, .2, .95}, {.2, .95, NAN, .96}, {.1, .97, .1, .97}});
  const std::string svg = read_file(path);
  std::size_t circles = 0;
  for (auto at = svg.find("<circle"); at != std::string::npos; at = svg.find("<circle", at + 1)) ++circles;
  CHECK(circles == 4 * 3 - 1 + 2);  // and two in the key
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(svg.substr(svg.size() - 7) == "</svg>\n");
}

TEST_CASE("where a loss is not finite the curve has a gap, and all other epochs are drawn") {
  const Folder folder;
  const std::string path = folder / "curve.svg";
  const auto drawn = [&](const std::vector<double>& losses) {
    std::vector<nn::EpochRecord> epochs;
    for (const double loss : losses) epochs.push_back({loss, .5, NAN, NAN});
    nn::write_learning_curve(path, epochs);
    const std::string svg = read_file(path);
    return svg.substr(0, svg.find("Accuracy"));
  };
  const auto count = [](const std::string& svg, const std::string& what) {
    std::size_t n = 0;
    for (auto at = svg.find(what); at != std::string::npos; at = svg.find(what, at + 1)) ++n;
    return n;
  };
  const std::string first = drawn({NAN, .3, .2, .1});
  CHECK(count(first, "<circle") == 3);
  CHECK(first.find("nan") == std::string::npos);
  CHECK(first.find("points='196.67,") != std::string::npos);  // the second of four epochs
  const std::string middle = drawn({.4, .3, INFINITY, .2, NAN, .1, .05, NAN, .1, .1});
  CHECK(count(middle, "<circle") == 7);
  CHECK(count(middle, "<polyline") == 3);  // one point alone is no line
  for (const auto& losses : {std::vector<double>{1, 1e308, 2}, {-1.7e308, 1.7e308}, {1e308, 1e308}, {1e15}}) {
    const std::string large = drawn(losses);
    CHECK(count(large, "<circle") == losses.size());
    CHECK(count(large, "class='number'") >= 2);  // numbers at the axis
    CHECK(large.find("nan") == std::string::npos);
    CHECK(large.find("inf") == std::string::npos);
    CHECK(large.find("0000000") == std::string::npos);
  }
  const std::string none = drawn({NAN, NAN});
  CHECK(count(none, "<circle") == 0);
  CHECK(none.find("nan") == std::string::npos);
}

TEST_CASE("one epoch, and a curve that does not move, can be drawn") {
  const Folder folder;
  const std::string path = folder / "curve.svg";
  nn::write_learning_curve(path, {{0, 1, 0, 1}});
  CHECK(read_file(path).find("nan") == std::string::npos);
  CHECK_THROWS_WITH_AS(nn::write_learning_curve(path, {}), doctest::Contains("no epochs"), ValueError);
  CHECK_THROWS_AS(nn::write_learning_curve("/missing/curve.svg", {{0, 1, 0, 1}}), FileError);
}
