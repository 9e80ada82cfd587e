#include <doctest/doctest.h>
#include <algorithm>
#include <autograd/atomic_file.hpp>
#include <chrono>
#include <cmath>
#include <filesystem>

#include "folder.hpp"
#include "nn/trainer_support.hpp"
#include "support.hpp"

using namespace xgrad;

namespace {

/// A model of one number, which a metric of one's own makes anything of: epoch by epoch the scripted values.
struct Scripted {
  struct Model : nn::Module {
    nn::Dense layer{1, 1};
    Tensor operator()(const Tensor& x) { return layer(x); }
    void members(nn::Visitor& visit) override { visit("layer", layer); }
  } model;
  optim::SGD optimizer{model.parameters(), {.lr = 0.01}};
  std::vector<double> script;
  std::size_t next = 0;
  nn::Trainer trainer{
      model, optimizer, nn::mse_loss, {.metrics = {nn::Metric{"score", [this](const Tensor&, const Tensor&) {
                                                                return script[std::min(next++, script.size() - 1)];
                                                              }}}}};
  nn::TensorDataset data{ones({4, 1}), ones({4, 1})};

  explicit Scripted(std::vector<double> values) : script(std::move(values)) {}
  nn::History fit(int epochs, std::vector<nn::CallbackHandle> callbacks) {
    return trainer.fit(data, quiet({.epochs = epochs, .batch_size = 4, .callbacks = std::move(callbacks)}));
  }
};

/// How many epochs early stopping lets run.
std::size_t epochs_of(std::vector<double> script, nn::EarlyStoppingOptions options) {
  options.monitor = "score";
  if (options.better == nn::Better::by_name) options.better = nn::lower;
  return Scripted(std::move(script)).fit(10, {nn::EarlyStopping{options}}).size();
}

}  // namespace

TEST_CASE("early stopping bears so many epochs in a row that are not better") {
  CHECK(epochs_of({5, 4, 3, 3.1, 3.2, 3.3, 1}, {.patience = 3}) == 6);
  CHECK(epochs_of({5, 4, 3, 3.1, 3.2, 2, 2.1, 2.1, 2.1}, {.patience = 3}) == 9);  // begins anew at each better one
  CHECK(epochs_of({5, 6}, {.patience = 1}) == 2);
  CHECK(epochs_of({5, 6}, {.patience = 0}) == 2);
  CHECK(epochs_of({5, 5, 5, 5}, {.patience = 2}) == 3);  // a tie is no better
  CHECK(epochs_of({5, 4.95, 4.9, 4.85}, {.patience = 2, .min_delta = 0.1}) == 3);
  CHECK(epochs_of({5, 4.95, 4.85, 4.8, 4.7}, {.patience = 2, .min_delta = 0.1}) == 7);  // against the best
  CHECK(epochs_of({0, NAN, NAN, -1}, {.patience = 2}) == 3);
  CHECK(epochs_of({NAN, NAN, 3, 2, 1, 0, -1, -2, -3, -4}, {.patience = 3}) == 10);
  CHECK(epochs_of({1, 2, 3, 3, 3}, {.patience = 2, .better = nn::higher}) == 5);
}

TEST_CASE("early stopping ends with the weights of the best epoch, unless told not to, or the run is to go on") {
  std::vector<StateDict> weights;
  const auto keep = [&](nn::Run& run) { weights.push_back(run.trainer().model().state_dict()); };
  const nn::EarlyStoppingOptions options{.patience = 2, .monitor = "score", .better = nn::lower};
  {
    Scripted s({3, 1, 2, 2, 2});
    const nn::History history = s.fit(10, {nn::EarlyStopping{options}, keep});
    CHECK(history.stopped() == "no better epoch since epoch 2");
    CHECK(same_bits(s.model.state_dict(), weights[1]));
  }
  {
    weights.clear();
    Scripted s({3, 1, 2});  // all epochs were run
    s.fit(3, {nn::EarlyStopping{options}, keep});
    CHECK(same_bits(s.model.state_dict(), weights[1]));
  }
  {
    weights.clear();
    nn::EarlyStoppingOptions last = options;
    last.restore_best = false;
    Scripted s({3, 1, 2, 2, 2});
    s.fit(10, {nn::EarlyStopping{last}, keep});
    CHECK(same_bits(s.model.state_dict(), weights.back()));
  }
  {
    weights.clear();
    Scripted s({3, 1, 2, 2, 2});
    const auto pause = [](nn::Run& run) {
      if (run.epoch() == 3) run.pause("for the test");
    };
    s.fit(10, {nn::EarlyStopping{options}, keep, pause});
    CHECK(same_bits(s.model.state_dict(), weights.back()));
  }
}

TEST_CASE("early stopping goes on from a checkpoint as if never interrupted, and begins anew in another run") {
  const Folder folder;
  const std::filesystem::path file = folder.path / "run.ckpt";
  const nn::EarlyStoppingOptions options{.patience = 3, .monitor = "score", .better = nn::lower};
  const std::vector<double> script = {3, 1, 2, 2, 2, 2};
  Scripted whole(script);
  const nn::CallbackHandle stopping = nn::EarlyStopping{options};
  manual_seed(2);
  whole.fit(10, {stopping, nn::Checkpoints{file}});
  whole.next = 0;
  CHECK(whole.fit(10, {stopping}).size() == 5);

  manual_seed(2);
  Scripted first(script);
  const auto pause = [](nn::Run& run) {
    if (run.epoch() == 4) run.pause("for the test");
  };
  first.fit(10, {nn::EarlyStopping{options}, pause, nn::Checkpoints{file}});
  Scripted second(script);
  second.next = 4;
  nn::load_checkpoint(file, second.trainer);
  const nn::History history = second.fit(10, {nn::EarlyStopping{options}, nn::Checkpoints{file}});
  CHECK(history.size() == 5);
  CHECK(history.stopped() == "no better epoch since epoch 2");
  // What was saved at its end is over.
  Scripted third(script);
  nn::load_checkpoint(file, third.trainer);
  CHECK(third.fit(10, {nn::EarlyStopping{options}}).size() == 5);
  CHECK(same_bits(third.model.state_dict(), second.model.state_dict()));
}

TEST_CASE("checkpoints are saved every n epochs and batches, the last k are kept, and the best") {
  const Folder folder;
  const std::filesystem::path file = folder.path / "run.ckpt";
  const auto epochs_in = [&](const char* name) {
    Scripted s({0});
    nn::load_checkpoint(folder.path / name, s.trainer);
    return s.trainer.history().size();
  };
  Scripted s({5, 3, 4, 2, 6, 7, 8});
  s.fit(7, {nn::Checkpoints{file, {.every = 2, .keep = 2, .best = true, .monitor = "score", .better = nn::lower}}});
  CHECK(folder.files() == 4);
  CHECK(epochs_in("run.ckpt") == 7);  // the end of the run
  CHECK(epochs_in("run-best.ckpt") == 4);
  CHECK(epochs_in("run-epoch-4.ckpt") == 4);
  CHECK(epochs_in("run-epoch-6.ckpt") == 6);

  const Folder within;
  auto l = learner();
  std::vector<std::int64_t> saved;
  StateDict before;
  l.trainer.fit(blobs(80), quiet({.batch_size = 8,
                                  .callbacks = {nn::Checkpoints{within.path / "run.ckpt", {.every_batches = 3}},
                                                nn::AfterBatch{[&](nn::Run& run) {
                                                  // Before this batch's save, so of the one before.
                                                  if (!std::filesystem::exists(within.path / "run.ckpt")) return;
                                                  const StateDict now = nn::load_tensors(within.path / "run.ckpt");
                                                  if (before.empty() || !same_bits(now, before))
                                                    saved.push_back(run.batch());
                                                  before = now;
                                                }}}}));
  CHECK(saved == std::vector<std::int64_t>{4, 7, 10});
}

TEST_CASE("a schedule steps after each epoch or batch, or by a number, and its state is saved") {
  const Folder folder;
  const std::filesystem::path file = folder.path / "run.ckpt";
  const optim::StepLROptions halving{.step = 1, .gamma = 0.5};
  auto l = learner();
  optim::StepLR schedule{l.optimizer, halving};
  const nn::History history = l.trainer.fit(
      blobs(32), quiet({.epochs = 3, .batch_size = 8, .callbacks = {nn::Schedule{schedule}, nn::Checkpoints{file}}}));
  CHECK(history["lr"] == std::vector<double>{1e-2, 5e-3, 2.5e-3});
  auto other = learner(1);
  optim::StepLR loaded{other.optimizer, halving};
  nn::load_checkpoint(file, other.trainer);
  const nn::History longer =
      other.trainer.fit(blobs(32), quiet({.epochs = 4, .batch_size = 8, .callbacks = {nn::Schedule{loaded}}}));
  CHECK(loaded.steps() == 4);
  CHECK(longer["lr"].back() == 1.25e-3);

  auto each = learner();
  optim::ExponentialLR by_batch{each.optimizer, {.gamma = 0.5}};
  each.trainer.fit(blobs(32), quiet({.batch_size = 8, .callbacks = {nn::Schedule{by_batch, {.every_batch = true}}}}));
  CHECK(by_batch.steps() == 4);

  Scripted s({1, 1, 1, 2, 0, 0});
  optim::PlateauLR plateau{s.optimizer, {.factor = 0.5, .patience = 1}};
  CHECK(s.fit(6, {nn::Schedule{plateau, {.monitor = "score"}}})["lr"] ==
        std::vector<double>{0.01, 0.01, 0.01, 0.005, 0.005, 0.005});
}

TEST_CASE("logs hold the history, a line for each epoch, and what is not finite is null in JSON") {
  const Folder folder;
  Scripted s({0.5, NAN, 2});
  const nn::History history =
      s.fit(3, {nn::CsvLog{folder.path / "run.csv"}, nn::JsonLinesLog{folder.path / "run.jsonl"}});
  CHECK(read_file(folder.path / "run.csv") == history.to_csv());
  const std::string lines = read_file(folder.path / "run.jsonl");
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 3);
  CHECK(lines.starts_with("{\"epoch\":1,\"loss\":"));
  CHECK(lines.find("\"score\":0.5,") != std::string::npos);
  CHECK(lines.find("{\"epoch\":2,") != std::string::npos);
  CHECK(lines.find("\"score\":null") != std::string::npos);
}

TEST_CASE("a name with a comma or a quote is one field of CSV") {
  auto l = learner();
  nn::Trainer trainer{
      l.model,
      l.optimizer,
      nn::binary_cross_entropy,
      {.metrics = {nn::Metric(nn::binary_accuracy).named("above 1,5"), nn::Metric(nn::roc_auc).named("\"x\"")}}};
  CHECK(trainer.fit(blobs(8), quiet({})).to_csv().starts_with("epoch,loss,\"above 1,5\",\"\"\"x\"\"\",lr\n"));
}

TEST_CASE("a loss that is not finite ends the run: batch, op and line are told, and the model is that of before") {
  nn::Sequential model{nn::Dense{2, 1}, [](const Tensor& x) { return sqrt(x); }};
  const int line = __LINE__ - 1;
  model.parameters()[0].detach().assign(ones({2, 1}));
  optim::SGD optimizer{model.parameters(), {.lr = 1e-3}};
  nn::Trainer trainer{model, optimizer, nn::mse_loss};
  Tensor x = ones({24, 2});
  x.data<float>()[2 * 17] = -5;  // batch 5 of 6
  StateDict before;
  std::int64_t batches = 0;
  const nn::History history = trainer.fit(nn::TensorDataset(x, zeros({24, 1})),
                                          quiet({.epochs = 3,
                                                 .batch_size = 4,
                                                 .callbacks = {nn::StopOnNonFinite{}, nn::AfterBatch{[&](nn::Run& run) {
                                                                 batches = run.batch();
                                                                 if (!run.stopping()) before = model.state_dict();
                                                               }}},
                                                 .shuffle = false}));
  CAPTURE(history.stopped());
  CHECK(history.stopped().starts_with("not finite in batch 5 of epoch 1: "));
  CHECK(history.stopped().find(text("trainer_callbacks.cpp:", line, ": ")) != std::string::npos);
  CHECK(history.stopped().find("sqrt: gave") != std::string::npos);
  CHECK(same_bits(model.state_dict(), before));
  CHECK(batches == 4);
}

TEST_CASE("the running moments of batch norm are those of before a step that was not finite, captured or accumulated") {
  for (const bool captured : {true, false})
    for (const std::int64_t accumulate : {1, 2}) {
      CAPTURE(captured);
      CAPTURE(accumulate);
      nn::Sequential model{nn::BatchNorm1d{2}, nn::Dropout{0.1}, nn::Dense{2, 1}};
      optim::SGD optimizer{model.parameters(), {.lr = 1e-3}};
      nn::Trainer trainer{model, optimizer, nn::mse_loss, {.capture = captured}};
      Tensor x = randn({40, 2});
      x.set(38, 0, NAN);  // the last batch
      StateDict before = model.state_dict();
      RandomState random = random_state();
      const auto keep = [&](nn::Run& run) {
        if (run.stopping()) return;
        before = model.state_dict();
        random = random_state();
      };
      const nn::History history = trainer.fit(nn::TensorDataset(x, randn({40, 1})),
                                              quiet({.batch_size = 4,
                                                     .callbacks = {nn::StopOnNonFinite{}, nn::AfterBatch{keep}},
                                                     .shuffle = false,
                                                     .accumulate = accumulate}));
      CAPTURE(history.stopped());
      CHECK(history.stopped().starts_with(text("not finite in batch ", 11 - accumulate, " of epoch 1: ")));
      CHECK(same_bits(model.state_dict(), before));
      CHECK(random_state().stream == random.stream);
    }
}

TEST_CASE("a loss that is infinite while its gradients are not ends the run before they are used") {
  nn::Sequential model{nn::Dense{1, 1}};
  const StateDict before = model.state_dict();
  optim::SGD optimizer{model.parameters(), {.lr = 0.1}};
  nn::Trainer trainer{model, optimizer, nn::mse_loss};
  const nn::History history = trainer.fit(nn::TensorDataset(ones({4, 1}), full({4, 1}, 1e25)),
                                          quiet({.batch_size = 4, .callbacks = {nn::StopOnNonFinite{}}}));
  CAPTURE(history.stopped());
  CHECK(history.stopped().starts_with("not finite in batch 1 of epoch 1: "));
  CHECK(same_bits(model.state_dict(), before));
}

TEST_CASE("a time limit ends the run after the batch, to go on later") {
  auto l = learner();
  const nn::History history = l.trainer.fit(
      blobs(64), quiet({.epochs = 3, .batch_size = 16, .callbacks = {nn::TimeLimit{std::chrono::seconds(0)}}}));
  CHECK(history.stopped() == "time limit");
  CHECK(history.size() == 0);
  CHECK(l.optimizer.state_dict()["parameter.0.steps"].item<std::int64_t>() == 1);
}

TEST_CASE(
    "an exception in a callback passes through fit: model, history and files are whole, and another run can begin") {
  const Folder folder;
  const std::filesystem::path file = folder.path / "run.ckpt";
  auto l = learner();
  l.model.eval();
  const auto fail = [](nn::Run& run) {
    if (run.epoch() == 2) throw std::runtime_error("of the program");
  };
  CHECK_THROWS_WITH_AS(l.trainer.fit(blobs(64), quiet({.epochs = 3, .callbacks = {fail, nn::Checkpoints{file}}})),
                       "of the program", std::runtime_error);
  CHECK(!l.model.is_training());
  CHECK(l.trainer.history().size() == 2);
  auto other = learner(1);
  nn::load_checkpoint(file, other.trainer);
  CHECK(other.trainer.history().size() == 1);
  CHECK(l.trainer.fit(blobs(64), quiet({.epochs = 1})).size() == 1);
}

TEST_CASE("every callback of the library has a test") {
  const std::filesystem::path root = XGRAD_SOURCE_DIR;
  const std::string tests =
      read_file(root / "tests/nn/trainer_callbacks.cpp") + read_file(root / "tests/nn/trainer_tensorboard.cpp");
  const std::string header = read_file(root / "nn/training/callbacks.hpp");
  std::size_t callbacks = 0;
  for (auto at = header.find(" : public Callback"); at != std::string::npos;
       at = header.find(" : public Callback", at + 1)) {
    const std::size_t begin = header.rfind(' ', at - 1) + 1;
    const std::string name = header.substr(begin, at - begin);
    CAPTURE(name);
    CHECK(tests.find(text("nn::", name, "{")) != std::string::npos);
    ++callbacks;
  }
  CHECK(callbacks == 9);
}
