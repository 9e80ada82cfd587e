#include <doctest/doctest.h>
#include <autograd/atomic_file.hpp>
#include <nn/training/learning_curve.hpp>
#include <nn/training/progress.hpp>

#include <cmath>

#include "nn/folder.hpp"

using namespace xgrad;

TEST_CASE("an average weighs each batch by its samples") {
  nn::Average loss;
  loss.add(1, 30);
  loss.add(4, 10);
  CHECK(loss.value() == doctest::Approx(1.75));
  CHECK(loss.samples() == 40);
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

TEST_CASE("one epoch, and a curve that does not move, can be drawn") {
  const Folder folder;
  const std::string path = folder / "curve.svg";
  nn::write_learning_curve(path, {{0, 1, 0, 1}});
  CHECK(read_file(path).find("nan") == std::string::npos);
  CHECK_THROWS_WITH_AS(nn::write_learning_curve(path, {}), doctest::Contains("no epochs"), ValueError);
  CHECK_THROWS_AS(nn::write_learning_curve("/missing/curve.svg", {{0, 1, 0, 1}}), FileError);
}
