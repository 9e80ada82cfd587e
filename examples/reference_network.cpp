// Trains a small network to tell upper-body garments from all other clothes, on the 70 000 images of Fashion-MNIST:
// Dense(784, 64) relu, Dropout(0.2), Dense(64, 32) relu, Dense(32, 1) sigmoid, with Adam and binary cross-entropy.
#include <autograd/autograd.hpp>
#include <cstdio>
#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <string>
#include <vector>
#include "command_line.hpp"

using namespace xgrad;

struct Settings {
  std::string data = "/usr/share/datasets/fashion-mnist";
  std::vector<std::int64_t> positive = {0, 2, 3, 4, 6};  // T-shirt, pullover, dress, coat, shirt
  int epochs = 5;
  std::int64_t batch_size = 128;
  double lr = 1e-3;
  std::uint64_t seed = 0;
  int threads = 1;
  std::string save = "reference_network.safetensors", load, curve = "learning_curve.svg", profile, report;
};

nn::Sequential reference_network() {
  return {nn::Dense{784, 64}, nn::ReLU{},       nn::Dropout{0.2}, nn::Dense{64, 32},
          nn::ReLU{},         nn::Dense{32, 1}, nn::Sigmoid{}};
}

/// Images as rows of pixels, and as a column of targets 1 for the positive labels and 0 for all others.
nn::TensorDataset binary_dataset(const nn::LabelledImages& data, const std::vector<std::int64_t>& positive) {
  Tensor targets = zeros(data.labels.shape(), {.dtype = boolean});
  for (std::int64_t label : positive) {
    const Tensor of_label = data.labels == label;
    if (!any(of_label).item<bool>())
      throw ValueError(text("--positive ", label, ": there is no image with this label"));
    targets = logical_or(targets, of_label);
  }
  return nn::TensorDataset(flatten(data.images, 1), unsqueeze(targets.to(f32), 1));
}

/// Prints where the time of the last epoch goes, and writes a Chrome trace.
struct ProfileLastEpoch : nn::Callback {
  explicit ProfileLastEpoch(std::string file) : path(std::move(file)) {}
  void before_run(nn::Run&) override { check_writable(path); }
  void before_epoch(nn::Run& run) override {
    if (run.epoch() == run.epochs()) profiler = std::make_shared<Profiler>();
  }
  void after_batch(nn::Run& run) override {
    if (!profiler || run.batch() < run.batches()) return;
    words = profiler->str();
    profiler->write_chrome_trace(path);
    profiler.reset();
  }
  void after_run(nn::Run&) override { std::printf("\n%s", words.c_str()); }
  std::string path, words;
  std::shared_ptr<Profiler> profiler;
};

void train(nn::Trainer& trainer, const nn::TensorDataset& training, const nn::TensorDataset& test, const Settings& s) {
  check_writable(s.save);
  check_writable(s.curve);
  nn::FitOptions options{.epochs = s.epochs,
                         .batch_size = s.batch_size,
                         .validation = test,
                         .seed = s.seed,
                         .histograms = !s.report.empty()};
  // After every epoch, so that an interrupted run loses at most one.
  options.callbacks.push_back([&](nn::Run& run) {
    nn::save_weights(trainer.model(), s.save);
    write_file_atomically(s.curve, run.history().to_svg());
  });
  if (!s.profile.empty()) options.callbacks.push_back(ProfileLastEpoch(s.profile));
  const nn::History history = trainer.fit(training, std::move(options));
  if (history.size() == 0) return;
  double seconds = 0;
  for (const nn::Pace& pace : history.paces()) seconds += pace.seconds;
  std::printf("\n%zu epochs in %.2f s of steps, weights in %s, learning curve in %s\n", history.size(), seconds,
              s.save.c_str(), s.curve.c_str());
}

void report(nn::Trainer& trainer, const nn::TensorDataset& test) {
  const nn::Scores scores = trainer.evaluate(test);
  std::printf("test loss %.4f, test accuracy %.4f\n\n", scores["loss"], scores["binary_accuracy"]);
  nn::Metric table = nn::confusion_table;
  table.update(trainer.predict(test.features()), test.labels());
  const Tensor counts = table.counts();
  std::printf("                  predicted no  predicted yes\n");
  for (int truth : {0, 1})
    std::printf("%-16s  %12lld  %13lld\n", truth ? "positive" : "negative",
                static_cast<long long>(counts.data<std::int64_t>()[2 * truth]),
                static_cast<long long>(counts.data<std::int64_t>()[2 * truth + 1]));
}

int main(int argc, char** argv) try {
  Settings s;
  Options options("Trains the reference network on Fashion-MNIST, MNIST or any folder with the four IDX files.");
  options.add("--data", s.data, "folder with the four IDX files, gzipped or not");
  options.add("--positive", s.positive, "labels of the positive class, such as 0,2,3,4,6");
  options.add("--epochs", s.epochs, "passes over the training images", 1, 1'000'000);
  options.add("--batch-size", s.batch_size, "images a step", 1, 1'000'000);
  options.add("--lr", s.lr, "Adam's learning rate");
  options.add("--seed", s.seed, "of the weights, the order of the images and dropout");
  options.add("--threads", s.threads, "threads for large work", 1, 1'000'000);
  options.add("--save", s.save, "file for the trained weights (safetensors)");
  options.add("--load", s.load, "evaluate these weights instead of training");
  options.add("--curve", s.curve, "file for the learning curve (SVG)");
  options.add("--report", s.report, "write a page about the run there (HTML)");
  options.add("--profile", s.profile, "print where the time of the last epoch goes, and write a Chrome trace there");
  options.read(argc, argv);

  if (!s.report.empty()) check_writable(s.report);
  set_num_threads(s.threads);
  manual_seed(s.seed);
  const nn::Mnist images = nn::read_mnist(s.data);
  const nn::TensorDataset test = binary_dataset(images.test, s.positive);
  nn::Sequential model = reference_network();
  std::printf("%s\n", model.summary().c_str());
  optim::Adam optimizer{model.parameters(), {.lr = s.lr}};
  nn::Trainer trainer{model, optimizer, nn::binary_cross_entropy, {.metrics = {nn::binary_accuracy}}};
  if (s.load.empty()) {
    train(trainer, binary_dataset(images.train, s.positive), test, s);
  } else {
    nn::load_weights(model, s.load);
  }
  report(trainer, test);
  if (!s.report.empty())
    nn::write_report(s.report, trainer, trainer.history(), test,
                     {.title = "The reference network", .classes = {"negative", "positive"}, .image = {28, 28}});
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
