#include <doctest/doctest.h>
#include <autograd/atomic_file.hpp>
#include <filesystem>

#include "folder.hpp"
#include "nn/trainer_support.hpp"
#include "support.hpp"

using namespace xgrad;

namespace {

nn::Sequential with_running_mean() {
  return {RunningMean{}, nn::Dense{4, 8}, nn::ReLU{}, nn::Dropout{0.2}, nn::Dense{8, 1}, nn::Sigmoid{}};
}

/// All that a run leaves behind.
struct End {
  StateDict model, optimizer;
  std::string history;
  RandomState random;
  friend bool operator==(const End& a, const End& b) {
    return same_bits(a.model, b.model) && same_bits(a.optimizer, b.optimizer) && a.history == b.history &&
           a.random.seed == b.random.seed && a.random.stream == b.random.stream;
  }
};

template <class Model>
End end_of(const Learner<Model>& l) {
  return {l.model.state_dict(), l.optimizer.state_dict(), l.trainer.history().to_csv(), random_state()};
}

/// With averaged weights, as in a run that uses most of what there is.
nn::FitOptions six_epochs(std::vector<nn::CallbackHandle> callbacks = {}) {
  return quiet({.epochs = 6,
                .batch_size = 16,
                .validation = blobs(20),
                .seed = 3,
                .callbacks = std::move(callbacks),
                .average = 0.9});
}

}  // namespace

TEST_CASE(
    "a run that is stopped after any batch, saved and loaded elsewhere goes on with the bits of the undisturbed one") {
  const nn::TensorDataset data = blobs(100);
  const Folder folder;
  const std::filesystem::path file = folder.path / "run.ckpt";
  manual_seed(7);
  Learner whole(with_running_mean());
  whole.trainer.fit(data, six_epochs());
  const End expected = end_of(whole);
  for (const int stop_after : {0, 1, 6, 7, 8, 20, 41, 42}) {
    CAPTURE(stop_after);
    {
      manual_seed(7);
      Learner first(with_running_mean());
      int batches = 0;
      const nn::AfterBatch stop{[&](nn::Run& run) {
        if (++batches == stop_after) run.pause("for the test");
      }};
      if (stop_after > 0) first.trainer.fit(data, six_epochs({nn::CallbackHandle(stop)}));
      if (stop_after == 0)
        first.trainer.fit(data, quiet({.epochs = 0, .batch_size = 16, .validation = blobs(20), .seed = 3}));
      rand({5});  // what the program draws after the run is not part of it
      nn::save_checkpoint(file, first.trainer);
    }
    manual_seed(1234);  // another process would start anywhere
    Learner second(with_running_mean());
    nn::load_checkpoint(file, second.trainer);
    // A run that does not come to its first batch has changed nothing, and can be tried again.
    CHECK_THROWS_AS(second.trainer.fit(data, six_epochs({nn::Checkpoints{folder.path / "missing" / "run.ckpt"}})),
                    FileError);
    rand({3});
    second.trainer.fit(data, six_epochs());
    CHECK(end_of(second) == expected);
  }
}

TEST_CASE("each part of a checkpoint is needed: without it the run ends differently") {
  const nn::TensorDataset data = blobs(100);
  const Folder folder;
  const std::filesystem::path file = folder.path / "run.ckpt";
  const auto resumed = [&](auto change) {
    auto l = learner(1);
    nn::load_checkpoint(file, l.trainer);
    change(l);
    l.trainer.fit(data, six_epochs());
    return end_of(l);
  };
  auto first = learner();
  int batches = 0;
  first.trainer.fit(data, six_epochs({nn::AfterBatch{[&](nn::Run& run) {
                      if (++batches == 10) run.pause("for the test");
                    }}}));
  nn::save_checkpoint(file, first.trainer);
  const End expected = resumed([](auto&) {});
  CHECK(resumed([](auto&) {}) == expected);
  CHECK(!(resumed([](auto& l) { l.model = small_network(); }) == expected));
  CHECK(!(resumed([](auto& l) {
            auto fresh = learner(1);
            l.optimizer.load_state_dict(fresh.optimizer.state_dict());
          }) == expected));
}

TEST_CASE("a checkpoint holds the program's own entries, and is a safetensors file that other tools can read") {
  const Folder folder;
  const std::filesystem::path file = folder.path / "run.ckpt";
  auto l = learner();
  l.trainer.entries().set("epochs of the teacher", tensor(12, {.dtype = i64}));
  l.trainer.fit(blobs(32), quiet({.epochs = 2}));
  nn::save_checkpoint(file, l.trainer);
  auto other = learner(1);
  nn::load_checkpoint(file, other.trainer);
  CHECK(other.trainer.entries()["epochs of the teacher"].item<std::int64_t>() == 12);
  CHECK(other.trainer.history().size() == 2);
  const StateDict all = nn::load_tensors(file);
  CHECK(same_bits(all["model.0.weight"], l.model.parameters()[0]));
  CHECK(all.contains("optimizer.parameter.0.mean"));
  const nn::Metadata metadata = nn::safetensors_metadata(read_file(file), "run.ckpt");
  CHECK(metadata[1] == std::pair<std::string, std::string>{"format", "xgrad checkpoint"});
  CHECK(metadata[2] == std::pair<std::string, std::string>{"version", "1"});
}

TEST_CASE("a damaged, foreign or later file, and one of another model, are refused, and nothing has changed") {
  const Folder folder;
  const std::filesystem::path file = folder.path / "run.ckpt", bad = folder.path / "bad.ckpt";
  auto l = learner();
  l.trainer.fit(blobs(32), quiet({.epochs = 1}));
  nn::save_checkpoint(file, l.trainer);
  const std::string bytes = read_file(file);
  auto other = learner(1);
  const StateDict before = other.model.state_dict(), moments = other.optimizer.state_dict();
  const auto said = [&](const std::string& contents) {
    write_file_atomically(bad, contents);
    const std::string words = error_of([&] { nn::load_checkpoint(bad, other.trainer); });
    CHECK(same_bits(other.model.state_dict(), before));
    CHECK(same_bits(other.optimizer.state_dict(), moments));
    CHECK(other.trainer.history().size() == 0);
    return words;
  };
  for (std::size_t i = 0; i < bytes.size(); i += bytes.size() / 37) {
    CAPTURE(i);
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    const std::string words = said(damaged);
    CHECK((words.find("damaged") != std::string::npos || words.find("no checkpoint") != std::string::npos));
    CHECK(said(bytes.substr(0, i)).find("' is ") != std::string::npos);
  }
  CHECK(said(nn::to_safetensors({{"a", ones({2})}})).find("is no checkpoint; save_checkpoint writes them") !=
        std::string::npos);

  nn::Sequential wider{nn::Dense{4, 9}, nn::Dense{9, 1}, nn::Sigmoid{}};
  optim::Adam optimizer{wider.parameters()};
  nn::Trainer trainer{wider, optimizer, nn::binary_cross_entropy};
  const StateDict weights = wider.state_dict();
  CHECK_THROWS_WITH_AS(nn::load_checkpoint(file, trainer), doctest::Contains("run.ckpt"), FileError);
  CHECK(same_bits(wider.state_dict(), weights));

  nn::Sequential same = small_network();
  optim::SGD sgd{same.parameters(), {.lr = 0.1}};
  nn::Trainer by_sgd{same, sgd, nn::binary_cross_entropy};
  const StateDict kept = same.state_dict();
  CHECK_THROWS_WITH_AS(nn::load_checkpoint(file, by_sgd), doctest::Contains("does not fit this SGD"), FileError);
  CHECK(same_bits(same.state_dict(), kept));
}

TEST_CASE("a run goes on with the data, the batches and the seed that it had, or says so") {
  const Folder folder;
  const std::filesystem::path file = folder.path / "run.ckpt";
  auto l = learner();
  l.trainer.fit(blobs(32), quiet({.epochs = 1, .batch_size = 8, .seed = 3}));
  nn::save_checkpoint(file, l.trainer);
  const auto fails = [&](const nn::TensorDataset& data, nn::FitOptions options) {
    auto other = learner(1);
    nn::load_checkpoint(file, other.trainer);
    return error_of([&] { other.trainer.fit(data, quiet(options)); });
  };
  CHECK(fails(blobs(33), {.epochs = 2, .batch_size = 8}).find("32 rows in batches of 8, and this is one on 33") !=
        std::string::npos);
  CHECK(fails(blobs(32), {.epochs = 2, .batch_size = 4}).find("in batches of 4") != std::string::npos);
  CHECK(fails(blobs(32), {.epochs = 2, .batch_size = 8, .seed = 4}).find("seed 3, and this one has seed 4") !=
        std::string::npos);
  CHECK(fails(blobs(32), {.epochs = 2, .batch_size = 8}) == "[nothing thrown]");
}

TEST_CASE("where a checkpoint cannot be written, the run ends before its first batch") {
  const Folder folder;
  auto l = learner();
  const StateDict before = l.model.state_dict();
  CHECK_THROWS_WITH_AS(
      l.trainer.fit(blobs(32), quiet({.callbacks = {nn::Checkpoints{folder.path / "missing" / "run.ckpt"}}})),
      doctest::Contains("missing"), FileError);
  CHECK_THROWS_AS(l.trainer.fit(blobs(32), quiet({.callbacks = {nn::Checkpoints{folder.path}}})), FileError);
  CHECK_THROWS_AS(l.trainer.fit(blobs(32), quiet({.callbacks = {nn::CsvLog{folder.path / "missing" / "run.csv"}}})),
                  FileError);
  CHECK(same_bits(l.model.state_dict(), before));
  CHECK(folder.files() == 0);
  check_writable(folder.path / "new");
  CHECK(folder.files() == 0);
}
