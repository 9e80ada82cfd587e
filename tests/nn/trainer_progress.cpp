#include <doctest/doctest.h>
#include <nn/training/progress.hpp>

using namespace xgrad;

TEST_CASE("the line of a run is never wider than the terminal, and leaves out first what matters least") {
  nn::Scores scores;
  scores.set("loss", 0.03334);
  scores.set("binary_accuracy", 0.98991);
  const nn::detail::Standing standing{2, 5, 0.5, 123456, 3.21};
  const auto line = [&](int columns) { return nn::detail::progress_line(standing, scores, columns); };
  CHECK(line(200) ==
        "epoch 2/5  [==========..........]  loss 0.0333  binary_accuracy 0.9899  123456 samples/s  3.2 s left");
  CHECK(line(90) == "epoch 2/5  loss 0.0333  binary_accuracy 0.9899  123456 samples/s  3.2 s left");
  CHECK(line(70) == "epoch 2/5 50%  loss 0.0333  binary_accuracy 0.9899  3.2 s left");
  CHECK(line(40) == "epoch 2/5 50%  loss 0.0333  3.2 s left");
  CHECK(line(26) == "epoch 2/5 50%  3.2 s left");
  CHECK(line(20) == "epoch 2/5 50%");
  CHECK(line(5) == "epoch");
  CHECK(line(-1) == "");
  for (int columns = 0; columns < 120; ++columns) CHECK(line(columns).size() <= static_cast<std::size_t>(columns));
}

TEST_CASE("on a narrow terminal the line of an epoch that is over goes on below, between its numbers") {
  const std::string line = "epoch 2/5  [====]  loss 0.0333  accuracy 0.9899  9 samples/s";
  CHECK(nn::detail::broken(line, 200) == line);
  CHECK(nn::detail::broken(line, static_cast<int>(line.size())) == line);
  CHECK(nn::detail::broken(line, 32) == "epoch 2/5  [====]  loss 0.0333\n  accuracy 0.9899  9 samples/s");
  CHECK(nn::detail::broken(line, 20) == "epoch 2/5  [====]\n  loss 0.0333\n  accuracy 0.9899\n  9 samples/s");
  CHECK(nn::detail::broken(line, 0) == "epoch 2/5\n  [====]\n  loss 0.0333\n  accuracy 0.9899\n  9 samples/s");
  CHECK(nn::detail::broken("", 5) == "");
}

TEST_CASE("times and numbers are written as people read them") {
  nn::Scores scores;
  scores.set("loss", 1e-5);
  scores.set("huge", 1.5e30);
  const auto left = [&](double seconds) {
    const std::string line = nn::detail::progress_line({1, 1, 1, 1, seconds}, {}, 200);
    return line.substr(line.find("samples/s") + 11);
  };
  CHECK(left(0.04) == "0.0 s left");
  CHECK(left(59.94) == "59.9 s left");
  CHECK(left(61) == "1 min 01 s left");
  CHECK(left(3600 * 30 + 61) == "30 h 01 min left");
  CHECK(nn::detail::progress_line({1, 9, 0, 0, -1}, scores, 200) ==
        "epoch 1/9  [....................]  loss 1e-05  huge 1.5e+30");
}
