// Trains a little and writes a report for tests/browser/report.py, which is told on the standard output what it has to
// show: the history as CSV, then the confusion table. usage: browser.report PAGE
#include <cstdio>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xgrad;

namespace {

/// Bright and dark pictures of noise.
nn::TensorDataset pictures(std::int64_t n) {
  const Tensor t = (rand({n, 1}) > 0.5).to(f32), x = 0.8 * rand({n, 12, 12}) + 0.2 * reshape(t, {-1, 1, 1});
  return nn::TensorDataset(x, t);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s PAGE\n", argv[0]);
    return 2;
  }
  manual_seed(1);
  const nn::TensorDataset train = pictures(400), test = pictures(300);
  nn::Sequential model{nn::Flatten{}, nn::Dense{144, 16}, nn::ReLU{}, nn::Dense{16, 1}, nn::Sigmoid{}};
  optim::Adam optimizer{model.parameters(), {.lr = 2e-3}};
  nn::Trainer trainer{model, optimizer, nn::binary_cross_entropy, {.metrics = {nn::binary_accuracy}}};
  const nn::History history = trainer.fit(
      train, {.epochs = 6, .batch_size = 40, .validation = test, .seed = 1, .histograms = true, .progress = false});
  nn::write_report(argv[1], trainer, history, test, {.title = "Bright or dark", .classes = {"dark", "bright"}});
  std::printf("%s", history.to_csv().c_str());
  nn::Metric table = nn::confusion_table;
  table.update(trainer.predict(test.features()), test.labels());
  const Tensor counts = table.counts();
  for (int i = 0; i < 4; ++i)
    std::printf("%s%lld", i > 0 ? "," : "", static_cast<long long>(counts.data<std::int64_t>()[i]));
  std::printf("\n");
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
