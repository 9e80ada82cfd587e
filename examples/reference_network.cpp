// Trains a small network to tell upper-body garments from all other clothes, on the 70 000 images of Fashion-MNIST:
// Dense(784, 64) relu, Dropout(0.2), Dense(64, 32) relu, Dense(32, 1) sigmoid, with Adam and binary cross-entropy.
#include <CLI/CLI.hpp>
#include <autograd/autograd.hpp>
#include <cstdio>
#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <optional>

using namespace xgrad;

struct Settings {
  std::string data = "/usr/share/datasets/fashion-mnist";
  std::vector<std::int64_t> positive = {0, 2, 3, 4, 6};  // T-shirt, pullover, dress, coat, shirt
  int epochs = 5;
  std::int64_t batch_size = 128;
  double lr = 1e-3;
  std::uint64_t seed = 0;
  int threads = 1;
  std::string save = "reference_network.safetensors", load, curve = "learning_curve.svg", profile;
};

nn::Sequential reference_network() {
  return {nn::Dense{784, 64}, nn::ReLU{},       nn::Dropout{0.2}, nn::Dense{64, 32},
          nn::ReLU{},         nn::Dense{32, 1}, nn::Sigmoid{}};
}

/// Images as rows of pixels, and as a column of targets 1 for the positive labels and 0 for all others.
nn::TensorDataset binary_dataset(const nn::LabelledImages& data, const std::vector<std::int64_t>& positive) {
  Tensor targets = zeros(data.labels.shape(), {.dtype = boolean});
  for (std::int64_t label : positive) targets = logical_or(targets, data.labels == label);
  return nn::TensorDataset(flatten(data.images, 1), unsqueeze(targets.to(f32), 1));
}

double accuracy(const Tensor& probabilities, const Tensor& targets) {
  return mean(((probabilities > 0.5) == (targets > 0.5)).to(f32)).item<double>();
}

struct Evaluation {
  nn::Average loss, accuracy;
  double confusion[2][2] = {};  // [truth][prediction]
};

Evaluation evaluate(nn::Sequential& model, const nn::TensorDataset& data) {
  const NoGrad guard;
  model.eval();
  Evaluation result;
  for (const auto& [x, t] : nn::Loader(data, {.batch_size = 1000})) {
    const Tensor p = model(x);
    result.loss.add(nn::binary_cross_entropy(p, t).item<double>(), x.shape()[0]);
    result.accuracy.add(accuracy(p, t), x.shape()[0]);
    for (int truth : {0, 1}) {
      for (int guess : {0, 1})
        result.confusion[truth][guess] +=
            sum(logical_and(t == truth, (p > 0.5) == (guess == 1)).to(f32)).item<double>();
    }
  }
  return result;
}

void train(nn::Sequential& model, const nn::TensorDataset& training, const nn::TensorDataset& test, const Settings& s) {
  optim::Adam optimizer{model.parameters(), {.lr = s.lr}};
  nn::Loader loader(training, {.batch_size = s.batch_size, .shuffle = true, .seed = s.seed});
  nn::Progress progress(s.epochs, training.size());
  std::vector<nn::EpochRecord> history;
  for (int epoch = 1; epoch <= s.epochs; ++epoch) {
    model.train();
    nn::Average loss_so_far, accuracy_so_far;
    std::optional<Profiler> profiler;
    if (!s.profile.empty() && epoch == s.epochs) profiler.emplace();
    for (const auto& [x, t] : loader) {
      const Tensor p = model(x), loss = nn::binary_cross_entropy(p, t);
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
      loss_so_far.add(loss.item<double>(), x.shape()[0]);
      accuracy_so_far.add(accuracy(p, t), x.shape()[0]);
      progress.update(epoch, loss_so_far, accuracy_so_far);
    }
    progress.finish(epoch, loss_so_far, accuracy_so_far);
    if (profiler) {
      std::printf("\n%s", profiler->str().c_str());
      profiler->write_chrome_trace(s.profile);
      profiler.reset();
    }
    const Evaluation held_out = evaluate(model, test);
    history.push_back({loss_so_far.value(), accuracy_so_far.value(), held_out.loss.value(), held_out.accuracy.value()});
    // After every epoch, so that an interrupted run loses at most one.
    nn::save_weights(model, s.save);
    nn::write_learning_curve(s.curve, history);
  }
  std::printf("\nweights in %s, learning curve in %s\n", s.save.c_str(), s.curve.c_str());
}

void report(const Evaluation& e) {
  std::printf("test loss %.4f, test accuracy %.4f\n\n", e.loss.value(), e.accuracy.value());
  std::printf("                  predicted no  predicted yes\n");
  for (int truth : {0, 1})
    std::printf("%-16s  %12.0f  %13.0f\n", truth ? "positive" : "negative", e.confusion[truth][0],
                e.confusion[truth][1]);
}

int main(int argc, char** argv) try {
  Settings s;
  CLI::App app("Trains the reference network on Fashion-MNIST, MNIST or any folder with the four IDX files.");
  app.option_defaults()->always_capture_default();
  app.failure_message(CLI::FailureMessage::help);
  app.add_option("--data", s.data, "folder with the four IDX files, gzipped or not");
  app.add_option("--positive", s.positive, "labels of the positive class, such as 0,2,3,4,6")->delimiter(',');
  app.add_option("--epochs", s.epochs, "passes over the training images")->check(CLI::Range(1, 1'000'000));
  app.add_option("--batch-size", s.batch_size, "images a step")->check(CLI::Range(1, 1'000'000));
  app.add_option("--lr", s.lr, "Adam's learning rate");
  app.add_option("--seed", s.seed, "of the weights, the order of the images and dropout");
  app.add_option("--threads", s.threads, "threads for large work")->check(CLI::Range(1, 1'000'000));
  app.add_option("--save", s.save, "file for the trained weights (safetensors)");
  app.add_option("--load", s.load, "evaluate these weights instead of training");
  app.add_option("--curve", s.curve, "file for the learning curve (SVG)");
  app.add_option("--profile", s.profile, "print where the time of the last epoch goes, and write a Chrome trace there");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }

  set_num_threads(s.threads);
  manual_seed(s.seed);
  const nn::Mnist images = nn::read_mnist(s.data);
  const nn::TensorDataset test = binary_dataset(images.test, s.positive);
  nn::Sequential model = reference_network();
  std::printf("%s\n", model.summary().c_str());
  if (s.load.empty()) {
    train(model, binary_dataset(images.train, s.positive), test, s);
  } else {
    nn::load_weights(model, s.load);
  }
  report(evaluate(model, test));
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
