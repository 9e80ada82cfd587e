#include <doctest/doctest.h>
#include <autograd/xtensor.hpp>
#include <cmath>

#include "nn/trainer_support.hpp"
#include "support.hpp"

using namespace xgrad;

namespace {

/// What the loop of `fit` is when it is written by hand; the losses of the epochs.
template <class Model>
std::vector<double> train_by_hand(Model& model, const nn::TensorDataset& data, int epochs, std::uint64_t seed) {
  std::vector<double> losses;
  optim::Adam optimizer{model.parameters(), {.lr = 1e-2}};
  nn::Loader loader(data, {.batch_size = 16, .shuffle = true, .seed = seed});
  for (int epoch = 0; epoch < epochs; ++epoch) {
    nn::Average average;
    for (const auto& [x, t] : loader) {
      const Tensor loss = nn::binary_cross_entropy(model(x), t);
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      average.add(loss.item<double>(), x.shape()[0]);
    }
    losses.push_back(average.value());
  }
  return losses;
}

template <class Model>
void check_equals_the_loop(Model (*make)()) {
  const nn::TensorDataset data = blobs(100);  // the last batch is smaller
  manual_seed(7);
  Model by_hand = make();
  const std::vector<double> losses = train_by_hand(by_hand, data, 7, 3);
  for (const bool captured : {true, false}) {
    CAPTURE(captured);
    manual_seed(7);
    Model model = make();
    optim::Adam optimizer{model.parameters(), {.lr = 1e-2}};
    nn::Trainer trainer{
        model, optimizer, nn::binary_cross_entropy, {.metrics = {nn::binary_accuracy}, .capture = captured}};
    const nn::History history = trainer.fit(data, quiet({.epochs = 7, .batch_size = 16, .seed = 3}));
    CHECK(history["loss"] == losses);
    CHECK(same_bits(model.state_dict(), by_hand.state_dict()));
    CHECK(trainer.capture_refusal() == "");
  }
}

}  // namespace

TEST_CASE("fit ends with the bits of the loop written by hand, captured and eager") {
  check_equals_the_loop<nn::Sequential>(small_network);
}

TEST_CASE("so does a model with buffers that it changes in training") {
  check_equals_the_loop<nn::Sequential>(+[]() -> nn::Sequential {
    return {RunningMean{}, nn::Dense{4, 1}, nn::Sigmoid{}};
  });
}

TEST_CASE("a step that cannot be captured runs eagerly, with the same bits, and the trainer says why") {
  const auto make = []() -> nn::Sequential {
    const auto outside = [](const Tensor& x) {
      return primitive(
          "outside", {x}, [](const auto& v) { return 2.f * v; }, [](const Tensor& g) { return 2 * g; });
    };
    return {nn::Dense{4, 4}, outside, nn::Dense{4, 1}, nn::Sigmoid{}};
  };
  const nn::TensorDataset data = blobs(64);
  manual_seed(7);
  nn::Sequential by_hand = make();
  const std::vector<double> losses = train_by_hand(by_hand, data, 3, 3);
  manual_seed(7);
  nn::Sequential model = make();
  optim::Adam optimizer{model.parameters(), {.lr = 1e-2}};
  nn::Trainer trainer{model, optimizer, nn::binary_cross_entropy};
  CHECK(trainer.fit(data, quiet({.epochs = 3, .batch_size = 16, .seed = 3}))["loss"] == losses);
  CHECK(same_bits(model.state_dict(), by_hand.state_dict()));
  CHECK(trainer.capture_refusal().find("outside: capture: ") != std::string::npos);
}

TEST_CASE("a model that branches on numbers runs eagerly, with the same bits") {
  struct Branching : nn::Module {
    nn::Dense a{4, 1}, b{4, 1};
    Tensor operator()(const Tensor& x) { return sigmoid(mean(x).item<double>() > 0 ? a(x) : b(x)); }
    void members(nn::Visitor& visit) override {
      visit("a", a);
      visit("b", b);
    }
  };
  const nn::TensorDataset data = blobs(64);
  manual_seed(7);
  Branching by_hand;
  const std::vector<double> losses = train_by_hand(by_hand, data, 5, 3);
  manual_seed(7);
  Branching model;
  optim::Adam optimizer{model.parameters(), {.lr = 1e-2}};
  nn::Trainer trainer{model, optimizer, nn::binary_cross_entropy};
  CHECK(trainer.fit(data, quiet({.epochs = 5, .batch_size = 16, .seed = 3}))["loss"] == losses);
  CHECK(same_bits(model.state_dict(), by_hand.state_dict()));
  CHECK(trainer.capture_refusal().find("item()") != std::string::npos);
}

TEST_CASE("a step that is refused when it has been done is taken back and done eagerly") {
  struct Counting : nn::Module {
    nn::Dense layer{4, 1};
    Tensor steps = zeros({1});
    Tensor operator()(const Tensor& x) {
      const NoGrad guard;
      steps = steps + 1;  // another tensor in each call
      const EnableGrad on;
      return sigmoid(layer(x) + 0.001 * steps);
    }
    void members(nn::Visitor& visit) override { visit("layer", layer); }
  };
  const nn::TensorDataset data = blobs(64);
  manual_seed(7);
  Counting by_hand;
  const std::vector<double> losses = train_by_hand(by_hand, data, 1, 3);
  manual_seed(7);
  Counting model;
  optim::Adam optimizer{model.parameters(), {.lr = 1e-2}};
  nn::Trainer trainer{model, optimizer, nn::binary_cross_entropy};
  const nn::History history = trainer.fit(data, quiet({.epochs = 1, .batch_size = 16, .seed = 3}));
  CHECK(trainer.capture_refusal() != "");
  CHECK(optimizer.state_dict()["parameter.0.steps"].item<std::int64_t>() == 4);
  // What the model counts by itself in C++ cannot be taken back; what the trainer knows of is.
  CHECK(history["loss"][0] == doctest::Approx(losses[0]).epsilon(1e-3));
}

TEST_CASE("evaluate weighs batches by their rows, leaves training mode as it was, and draws no random number") {
  const nn::TensorDataset data = blobs(50);
  auto l = learner();
  const RandomState before = random_state();
  const nn::Scores scores = l.trainer.evaluate(data, {.batch_size = 7});
  CHECK(random_state().stream == before.stream);
  CHECK(l.model.is_training());
  l.model.eval();
  const Tensor p = l.model(data.features());
  CHECK(scores["loss"] == doctest::Approx(nn::binary_cross_entropy(p, data.labels()).item<double>()).epsilon(1e-6));
  CHECK(scores["binary_accuracy"] == nn::binary_accuracy()(p, data.labels()));
  CHECK(equal(l.trainer.predict(data.features(), {.batch_size = 7}), p.detach()));
  CHECK(!l.trainer.predict(data.features()).requires_grad());
  CHECK(!l.model.is_training());
  CHECK(l.trainer.predict(zeros({0, 4})).shape() == Shape{0, 1});
}

TEST_CASE("a part in evaluation mode stays so in evaluate, predict and fit") {
  const nn::TensorDataset data = blobs(20);
  for (const bool whole : {false, true}) {
    CAPTURE(whole);
    manual_seed(3);
    nn::Sequential model{nn::BatchNorm1d{4}, nn::Dense{4, 1}, nn::Sigmoid{}};
    if (whole) model.eval();
    nn::Module& norm = model.submodule("0");
    norm.eval();
    optim::Adam optimizer{model.parameters(), {.lr = 1e-2}};
    nn::Trainer trainer{model, optimizer, nn::binary_cross_entropy};
    const auto keeps_modes = [&] { return model.is_training() == !whole && !norm.is_training(); };
    const StateDict before = model.state_dict();
    trainer.evaluate(data);
    CHECK(keeps_modes());
    trainer.predict(data.features());
    CHECK(keeps_modes());
    trainer.fit(data, quiet({.epochs = 2, .batch_size = 5, .validation = data}));
    CHECK(keeps_modes());
    // Of a model in evaluation mode all is trained, of one in training mode not what is in the other.
    CHECK(same_bits({model.state_dict()["0.running_mean"]}, {before["0.running_mean"]}) == !whole);
    CHECK_FALSE(same_bits({model.state_dict()["1.weight"]}, {before["1.weight"]}));
  }
}

TEST_CASE("two scores of one name are refused") {
  auto l = learner();
  const auto with = [&](nn::Metric metric) {
    return message_of<ValueError>([&] {
      const nn::Trainer trainer{
          l.model, l.optimizer, nn::binary_cross_entropy, {.metrics = {nn::binary_accuracy, std::move(metric)}}};
    });
  };
  CHECK(with(nn::binary_accuracy) ==
        "Trainer: two scores are called 'binary_accuracy'; give a metric another name by .named(...)");
  CHECK(with(nn::Metric(nn::roc_auc).named("loss")) ==
        "Trainer: two scores are called 'loss'; give a metric another name by .named(...)");
}

TEST_CASE("averaged weights are those of the loop by hand; the model is evaluated with them, and ends with them") {
  const nn::TensorDataset data = blobs(64);
  manual_seed(7);
  nn::Sequential by_hand = small_network();
  optim::Adam adam{by_hand.parameters(), {.lr = 1e-2}};
  optim::Averaged average{by_hand.parameters(), {.decay = 0.9}};
  nn::Loader loader(data, {.batch_size = 16, .shuffle = true, .seed = 3});
  for (int epoch = 0; epoch < 4; ++epoch) {
    for (const auto& [x, t] : loader) {
      const Tensor loss = nn::binary_cross_entropy(by_hand(x), t);
      adam.zero_grad();
      loss.backward();
      adam.step();
      average.update();
    }
  }
  const auto averaged = average.swap_in();
  auto l = learner();
  StateDict evaluated;
  const nn::History history =
      l.trainer.fit(data, quiet({.epochs = 4, .batch_size = 16, .validation = data, .seed = 3, .average = 0.9}));
  CHECK(same_bits(l.model.state_dict(), by_hand.state_dict()));
  CHECK(history["validation_loss"].back() == l.trainer.evaluate(data)["loss"]);
}

TEST_CASE("history holds loss, metrics, validation and learning rate by name") {
  auto l = learner();
  const nn::History history =
      l.trainer.fit(blobs(64), quiet({.epochs = 3, .batch_size = 16, .validation = blobs(32), .seed = 0}));
  CHECK(history.names() ==
        std::vector<std::string>{"loss", "binary_accuracy", "validation_loss", "validation_binary_accuracy", "lr"});
  CHECK(history.size() == 3);
  CHECK(history["validation_loss"].back() == l.trainer.evaluate(blobs(32))["loss"]);
  CHECK(history["lr"] == std::vector<double>{1e-2, 1e-2, 1e-2});
  CHECK(history.epoch(1)["loss"] == history["loss"][1]);
  CHECK(history.stopped() == "");
  const std::string csv = history.to_csv();
  CHECK(csv.starts_with("epoch,loss,binary_accuracy,validation_loss,validation_binary_accuracy,lr\n1,"));
  const std::string svg = history.to_svg();
  CHECK(svg.find(">lr<") == std::string::npos);  // it stood still
  CHECK(svg.find(">binary_accuracy<") != std::string::npos);
  std::size_t curves = 0;
  for (auto at = svg.find("<polyline"); at != std::string::npos; at = svg.find("<polyline", at + 1)) ++curves;
  CHECK(curves == 4);
}

TEST_CASE("a curve that comes later has gaps before, one that ends has gaps behind, and both are drawn") {
  nn::History history;
  nn::Scores epoch;
  epoch.set("loss", 2);
  history.add(epoch);
  epoch.set("accuracy", 0.5);
  history.add(epoch);
  CHECK(std::isnan(history["accuracy"][0]));
  nn::Scores last;
  last.set("accuracy", 0.7);
  history.add(last);
  CHECK(std::isnan(history["loss"][2]));
  CHECK(history["accuracy"][2] == 0.7);
  CHECK(history.to_svg().find("nan") == std::string::npos);
}

TEST_CASE("a share of the rows validates, drawn by the seed, and none of them is trained on") {
  const Tensor x = arange(0, 40, 1, {.dtype = f32});
  std::vector<double> trained, validated;
  struct Spy : nn::Module {
    nn::Dense layer{1, 1};
    std::vector<double>*trained, *validated;
    Tensor operator()(const Tensor& x) {
      for (std::int64_t i = 0; i < x.size(); ++i) (is_training() ? trained : validated)->push_back(x.data<float>()[i]);
      return layer(x);
    }
    void members(nn::Visitor& visit) override { visit("layer", layer); }
  } model;
  model.trained = &trained;
  model.validated = &validated;
  optim::SGD optimizer{model.parameters(), {.lr = 1e-6}};
  nn::Trainer trainer{model, optimizer, nn::mse_loss, {.capture = false}};
  const nn::TensorDataset data(reshape(x, {40, 1}), reshape(x, {40, 1}));
  trainer.fit(data, quiet({.epochs = 1, .batch_size = 8, .validation = 0.25, .seed = 5}));
  CHECK(trained.size() == 30);
  CHECK(validated.size() == 10);
  std::vector<double> all = trained;
  all.insert(all.end(), validated.begin(), validated.end());
  std::sort(all.begin(), all.end());
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i] == static_cast<double>(i));
  CHECK(!std::is_sorted(validated.begin(), validated.end()));
}

TEST_CASE("gradients are clipped before the step") {
  const nn::TensorDataset data(ones({4, 1}), full({4, 1}, 1000.));
  for (const bool by_value : {true, false}) {
    nn::Sequential model{nn::Dense{1, 1}};
    const Tensor before = model.parameters()[0].detach().clone(), bias = model.parameters()[1].detach().clone();
    optim::SGD optimizer{model.parameters(), {.lr = 1}};
    nn::Trainer trainer{model, optimizer, nn::mse_loss};
    nn::FitOptions options = quiet({.epochs = 1, .batch_size = 4});
    (by_value ? options.clip_value : options.clip_norm) = 0.5;
    trainer.fit(data, options);
    const double w = (model.parameters()[0] - before).item<double>(), b = (model.parameters()[1] - bias).item<double>();
    CHECK((by_value ? std::max(std::abs(w), std::abs(b)) : std::hypot(w, b)) == doctest::Approx(0.5).epsilon(1e-4));
  }
}

TEST_CASE("a batch function brings several inputs, and a step of one's own may do anything") {
  struct TwoInputs : nn::Module {
    nn::Dense a{2, 1}, b{3, 1};
    Tensor operator()(const Tensor& x, const Tensor& y) { return a(x) + b(y); }
    void members(nn::Visitor& visit) override {
      visit("a", a);
      visit("b", b);
    }
  } model;
  const Tensor x = randn({40, 2}), y = randn({40, 3}), t = sum(x, {1}, true) - sum(y, {1}, true);
  const nn::Examples data(40, [&](const Tensor& rows) -> std::vector<Tensor> {
    return {take(x, rows, 0), take(y, rows, 0), take(t, rows, 0)};
  });
  optim::Adam optimizer{model.parameters(), {.lr = 0.1}};
  nn::Trainer trainer{model, optimizer, nn::mse_loss};
  const nn::History history = trainer.fit(data, quiet({.epochs = 30, .batch_size = 10}));
  CHECK(history["loss"].back() < history["loss"].front() / 20);
  CHECK(trainer.predict({x, y}).shape() == Shape{40, 1});
  CHECK(trainer.capture_refusal() == "");

  struct TwoOptimizers : nn::Trainer {
    using nn::Trainer::Trainer;
    optim::SGD* other = nullptr;
    int steps = 0;
    nn::StepResult train_step(const nn::TrainingBatch& batch) override {
      ++steps;
      const Tensor prediction = forward(batch.inputs), l = loss(prediction, batch);
      optimizer().zero_grad();
      other->zero_grad();
      l.backward();
      optimizer().step();
      other->step();
      return {l.detach(), prediction.detach()};
    }
  };
  TwoInputs second;
  optim::SGD of_a{second.a.parameters(), {.lr = 0.1}}, of_b{second.b.parameters(), {.lr = 0.1}};
  TwoOptimizers custom{second, of_a, nn::mse_loss};
  custom.other = &of_b;
  const nn::History learned = custom.fit(data, quiet({.epochs = 20, .batch_size = 10}));
  CHECK(custom.steps == 80);
  CHECK(learned["loss"].back() < learned["loss"].front() / 20);
}

TEST_CASE("what is hardly meant is said, and kept in the history") {
  auto l = learner();
  const auto warned = [](const nn::History& history, const char* what) {
    for (const std::string& warning : history.warnings())
      if (warning.find(what) != std::string::npos) return true;
    return false;
  };
  const Tensor pixels = floor(rand({32, 4}) * 255.999), t = (rand({32, 1}) > 0.5).to(f32);
  CHECK(warned(l.trainer.fit(nn::TensorDataset(pixels, t), quiet({})), "x / 255"));
  CHECK(!warned(l.trainer.fit(nn::TensorDataset(pixels / 255, t), quiet({})), "x / 255"));
  CHECK(warned(l.trainer.fit(nn::TensorDataset(pixels / 255, zeros({32, 1})), quiet({})), "every target is 0"));
  struct Idle : nn::Module {
    nn::Dense used{4, 1}, idle{4, 1};
    Tensor operator()(const Tensor& x) { return sigmoid(used(x)); }
    void members(nn::Visitor& visit) override {
      visit("used", used);
      visit("idle", idle);
    }
  } model;
  optim::SGD optimizer{model.parameters(), {.lr = 0.1}};
  nn::Trainer trainer{model, optimizer, nn::binary_cross_entropy};
  const nn::History history = trainer.fit(blobs(32), quiet({}));
  CHECK(warned(history, "idle.weight took no part"));
  CHECK(warned(history, "idle.bias"));
  CHECK(!warned(history, "used"));
}

TEST_CASE("without a seed the shuffling is of manual_seed's generator, and each run has an order of its own") {
  const auto losses = [](std::uint64_t seed, int runs) {
    auto l = learner(seed);
    nn::History history;
    for (int i = 0; i < runs; ++i) history = l.trainer.fit(blobs(64), quiet({.batch_size = 16}));
    return history["loss"];
  };
  CHECK(losses(3, 1) == losses(3, 1));
  CHECK(losses(3, 1) != losses(4, 1));
}
