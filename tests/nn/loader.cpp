#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/data/loader.hpp>

#include <algorithm>

#include "support.hpp"

using namespace xgrad;

/// Batches of datasets, and datasets split at random.
namespace {

/// Row i holds i in its two features and its label.
nn::TensorDataset numbered(std::int64_t n) {
  const Tensor i = arange(0, n, 1, {.dtype = i64});
  return nn::TensorDataset(stack({i.to(f32), i.to(f32)}, 1), i);
}

/// The labels of one epoch, in order; checks that features and labels belong together.
std::vector<std::int64_t> epoch(nn::Loader& loader, std::vector<std::int64_t>* sizes = nullptr) {
  std::vector<std::int64_t> seen;
  for (auto& [x, y] : loader) {
    if (sizes) sizes->push_back(y.size());
    REQUIRE(x.shape() == Shape{y.size(), 2});
    for (std::int64_t i = 0; i < y.size(); ++i) {
      seen.push_back(y.data<std::int64_t>()[i]);
      CHECK(x.data<float>()[2 * i + 1] == static_cast<float>(seen.back()));
    }
  }
  return seen;
}

std::vector<std::int64_t> count_to(std::int64_t n) {
  std::vector<std::int64_t> v;
  for (std::int64_t i = 0; i < n; ++i) v.push_back(i);
  return v;
}

std::vector<std::int64_t> sorted(std::vector<std::int64_t> v) {
  std::sort(v.begin(), v.end());
  return v;
}

}  // namespace

TEST_CASE("without shuffling the rows come in order, and batches share the dataset's storage") {
  nn::Loader loader(numbered(10), {.batch_size = 4});
  std::vector<std::int64_t> sizes;
  CHECK(epoch(loader, &sizes) == count_to(10));
  CHECK(sizes == std::vector<std::int64_t>{4, 4, 2});
  CHECK(loader.size() == 3);
  const nn::Batch first = *loader.begin();
  CHECK(first.x.array().storage() == loader.dataset().features().array().storage());
}

TEST_CASE("a last batch that is not full can be dropped") {
  nn::Loader loader(numbered(10), {.batch_size = 4, .drop_last = true});
  CHECK(epoch(loader) == count_to(8));
  CHECK(loader.size() == 2);
  nn::Loader larger(numbered(3), {.batch_size = 4, .drop_last = true});
  CHECK(epoch(larger).empty());
  nn::Loader exact(numbered(8), {.batch_size = 4, .drop_last = true});
  CHECK(epoch(exact) == count_to(8));
}

TEST_CASE("shuffling gives every row once an epoch, in an order that seed and epoch decide") {
  nn::Loader a(numbered(100), {.batch_size = 7, .shuffle = true, .seed = 1});
  nn::Loader b(numbered(100), {.batch_size = 13, .shuffle = true, .seed = 1});
  nn::Loader other(numbered(100), {.batch_size = 7, .shuffle = true, .seed = 2});
  const auto first = epoch(a), second = epoch(a);
  CHECK(sorted(first) == count_to(100));
  CHECK(sorted(second) == count_to(100));
  CHECK(first != count_to(100));
  CHECK(first != second);
  CHECK(epoch(b) == first);
  CHECK(epoch(other) != first);
  b.set_epoch(1);
  CHECK(epoch(b) == second);
  CHECK(b.epoch() == 2);
}

TEST_CASE("shuffling leaves the thread's random numbers alone, and follows manual_seed unless given a seed") {
  manual_seed(5);
  nn::Loader loader(numbered(50), {.shuffle = true, .seed = 1});
  epoch(loader);
  CHECK(random_state().seed == 5);
  CHECK(random_state().stream == 0);
  const auto drawn = [](std::uint64_t seed) {
    manual_seed(seed);
    nn::Loader by_thread(numbered(50), {.shuffle = true});
    return epoch(by_thread);
  };
  CHECK(drawn(5) == drawn(5));
  CHECK(drawn(5) != drawn(6));
}

TEST_CASE("an empty dataset gives no batch, shuffled or not") {
  for (const bool shuffle : {false, true}) {
    nn::Loader loader(nn::TensorDataset(zeros({0, 2}), zeros({0})), {.shuffle = shuffle});
    CHECK(loader.size() == 0);
    for (auto& batch : loader) FAIL("a batch of ", batch.x.size());
  }
}

TEST_CASE("labels may be left out, and history is not kept") {
  const Tensor x = ones({3, 2}, {.requires_grad = true});
  nn::Loader loader(nn::TensorDataset(x * 2), {.batch_size = 2, .shuffle = true, .seed = 0});
  for (auto& batch : loader) {
    CHECK_FALSE(batch.y.defined());
    CHECK_FALSE(batch.x.requires_grad());
    CHECK(batch.x.data<float>()[0] == 2);
  }
}

TEST_CASE("a shuffled epoch holds one batch at a time") {
  nn::Loader loader(numbered(64), {.batch_size = 8, .shuffle = true, .seed = 0});
  const std::int64_t before = memory::statistics().live_bytes;
  constexpr std::int64_t order = 64 * 8, batch = 8 * (2 * 4 + 8);
  for (auto& rows : loader) {
    CHECK(rows.y.size() == 8);
    CHECK(memory::statistics().live_bytes == before + order + batch);
  }
  CHECK(memory::statistics().live_bytes == before);
}

TEST_CASE("a random split parts the rows, by the seed") {
  const auto parts = nn::random_split(numbered(10), {7, 0, 3}, 1);
  REQUIRE(parts.size() == 3);
  CHECK(parts[0].size() == 7);
  CHECK(parts[1].size() == 0);
  std::vector<std::int64_t> all;
  for (const auto& part : parts)
    all.insert(all.end(), part.labels().data<std::int64_t>(), part.labels().data<std::int64_t>() + part.size());
  CHECK(all != count_to(10));
  CHECK(sorted(all) == count_to(10));
  CHECK(nn::random_split(numbered(10), {7, 3}, 1)[1].labels().data<std::int64_t>()[0] == all[7]);
}

TEST_CASE("bad arguments are refused with their numbers") {
  const Place at{"m.cpp", 3};
  const Tensor x = zeros({3, 2});
  CHECK(thrown([&] { nn::Loader(numbered(3), {.batch_size = 0}, at); }) ==
        "m.cpp:3: Loader: batch_size is 0; expected at least 1");
  CHECK(thrown([&] { nn::TensorDataset(x, zeros({4}), at); }) ==
        "m.cpp:3: TensorDataset: the features (3, 2) and the labels (4,) differ in their number of rows");
  CHECK(thrown([&] { nn::TensorDataset(x, tensor(1.), at); }) ==
        "m.cpp:3: TensorDataset: the features (3, 2) and the labels () differ in their number of rows");
  CHECK(thrown([&] { nn::TensorDataset(tensor(1.), {}, at); }) ==
        "m.cpp:3: TensorDataset: the features are a single number; expected rows along the first axis");
  CHECK(thrown([&] { nn::TensorDataset({}, x, at); }) ==
        "m.cpp:3: TensorDataset: the features are undefined (default-built)");
  CHECK(thrown([&] {
          nn::random_split(numbered(10), {7, 2}, 0, at);
        }) == "m.cpp:3: random_split: the sizes 7, 2 add up to fewer than the 10 rows of the dataset");
  CHECK(thrown([&] {
          nn::random_split(numbered(10), {7, 4}, 0, at);
        }) == "m.cpp:3: random_split: the sizes 7, 4 add up to more than the 10 rows of the dataset");
  CHECK(thrown([&] {
          nn::random_split(numbered(10), {11, -1}, 0, at);
        }) == "m.cpp:3: random_split: the sizes 11 add up to more than the 10 rows of the dataset");
  CHECK(thrown([&] {
          nn::random_split(numbered(10), {-1, 11}, 0, at);
        }) == "m.cpp:3: random_split: a size is -1; expected at least 0");
  CHECK(thrown([&] { numbered(10).rows(8, 11, at); }) ==
        "m.cpp:3: rows: there are no rows 8 to 11; the dataset has 10");
  CHECK(thrown<DtypeError>([&] {
          numbered(10).take(tensor({0., 1.}), at);
        }) == "m.cpp:3: take: the indices are f32, not i64; convert them with .to(i64)");
  CHECK(thrown<ShapeError>([&] {
          numbered(10).take(tensor({{0, 1}}, i64), at);
        }) == "m.cpp:3: take: the indices are (1, 2); expected (n,)");
  CHECK(thrown([&] {
          numbered(10).take(tensor({0, 10}, {.dtype = i64}), at);
        }) == "m.cpp:3: take: index 1 is 10; the dataset has 10 rows");
}
