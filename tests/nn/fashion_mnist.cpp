#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <filesystem>
#include <nn/data/idx.hpp>

using namespace xgrad;

// Debian's package dataset-fashion-mnist; scripts/deps.sh installs it.
static constexpr const char* folder = "/usr/share/datasets/fashion-mnist";

TEST_CASE("the 70000 images of Fashion-MNIST load, with their published mean and 7000 of each class" *
          doctest::skip(!std::filesystem::exists(folder))) {
  const nn::Mnist data = nn::read_mnist(folder);
  CHECK(data.train.images.shape() == Shape{60000, 28, 28});
  CHECK(data.test.images.shape() == Shape{10000, 28, 28});
  CHECK(mean(data.train.images).item<double>() == doctest::Approx(0.2860).epsilon(1e-4));
  CHECK(stddev(data.train.images).item<double>() == doctest::Approx(0.3530).epsilon(1e-4));
  CHECK(min(data.train.images).item<float>() == 0);
  CHECK(max(data.train.images).item<float>() == 1);
  int counts[10] = {};
  for (const auto* set : {&data.train, &data.test})
    for (std::int64_t i = 0; i < set->labels.size(); ++i) ++counts[set->labels.data<std::int64_t>()[i]];
  for (const int count : counts) CHECK(count == 7000);
}
