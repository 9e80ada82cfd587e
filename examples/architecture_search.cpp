// How do I choose an architecture: how many layers, how wide, how much dropout?
//
// By trying, on images that take no part in training. Draw candidates at random: a grid tries each width again and
// again, random draws try a new one each time (Bergstra and Bengio 2012). Train all for an epoch, keep the better half,
// train it twice as long, and so on: successive halving (Jamieson and Talwalkar 2016) spends the time on what promises.
//
// What can then be said: the winner is better than what was dropped at once, unless that learns slowly. Whether it is
// better than the other finalist is open: both are trained again here from other seeds, and where that moves the scores
// as much as they differ, take the smaller one. The winner's score is too good, for it was chosen by it; an honest one
// comes from the test images, looked at once, at the end.
#include <algorithm>
#include <deque>
#include <xgrad.hpp>
#include "command_line.hpp"

using namespace xgrad;

struct Candidate {
  int layers, width;
  double dropout;
  std::uint64_t seed;
  nn::Sequential model = network();
  optim::Adam optimizer{model.parameters()};
  std::vector<double> epochs = {}, scores = {};  // the share of validation images that is right after each epoch

  nn::Sequential network() const {
    manual_seed(seed);
    nn::Sequential network;
    for (int i = 0; i < layers; ++i)
      network.add(nn::Dense{i == 0 ? 784 : width, width}).add(nn::ReLU{}).add(nn::Dropout{dropout});
    return network.add(nn::Dense{layers == 0 ? 784 : width, 10});
  }
  double train(int until, const nn::TensorDataset& data, const nn::TensorDataset& judge) {
    nn::Trainer trainer{model, optimizer, nn::cross_entropy, {.metrics = {nn::categorical_accuracy}}};
    for (int epoch = static_cast<int>(scores.size()) + 1; epoch <= until; ++epoch) {
      manual_seed(seed + static_cast<std::uint64_t>(epoch));
      trainer.fit(data, {.batch_size = 32, .progress = false});
      scores.push_back(trainer.evaluate(judge)["categorical_accuracy"]);
      epochs.push_back(epoch);
    }
    std::printf("%6d  %5d  %7.2f  %6d  %8.4f\n", layers, width, dropout, until, scores.back());
    return scores.back();
  }
};

int main(int argc, char** argv) {
  CommandLine options("Searches for an architecture by random draws and halving.", "architecture_search.svg");
  std::int64_t rows = 8000;
  int draws = 16;
  options.add("--rows", rows, "images to train on, half as many to judge by", 100, 40'000);
  options.add("--draws", draws, "candidates at first", 2, 1000);
  options.read(argc, argv);
  const nn::Mnist images = nn::read_mnist("/usr/share/datasets/fashion-mnist");
  const nn::TensorDataset known(flatten(images.train.images, 1), images.train.labels);
  const nn::TensorDataset test(flatten(images.test.images, 1), images.test.labels);
  const auto parts = nn::random_split(known, {rows, rows / 2, known.size() - rows - rows / 2}, options.seed);

  manual_seed(options.seed);
  std::deque<Candidate> candidates;
  std::vector<Candidate*> left;
  const Tensor layers = randint({draws}, 1, 4), widths = pow(2, uniform({draws}, 4, 8)), dropouts = rand({draws}) / 2;
  for (int i = 0; i < draws; ++i) {
    candidates.push_back({layers[i].item<int>(), widths[i].item<int>(), dropouts[i].item(), options.seed});
    left.push_back(&candidates.back());
  }
  int epochs = 1;
  std::puts("layers  width  dropout  epochs  accuracy");
  for (;; epochs *= 2) {
    options.check_time();
    for (Candidate* c : left) c->train(epochs, parts[0], parts[1]);
    std::sort(left.begin(), left.end(), [](auto* a, auto* b) { return a->scores.back() > b->scores.back(); });
    if (left.size() <= 2) break;
    left.resize((left.size() + 1) / 2);
  }
  Chart chart{.title = "Accuracy on validation images", .subtitle = "in blue the winner", .x = {.label = "epoch"}};
  for (const Candidate& c : candidates)
    chart.curves.push_back({c.epochs, c.scores, "", &c == left[0] ? "#1f6fb4" : "#a9b4c0", "", true});
  write_file_atomically(options.picture, to_svg(Charts{{chart}}));

  std::puts("The finalists from other seeds:");
  for (const Candidate* c : left)
    for (std::uint64_t seed = 1; seed <= 3; ++seed)
      Candidate{c->layers, c->width, c->dropout, options.seed + 100 * seed}.train(epochs, parts[0], parts[1]);
  std::puts("The winner once more, which is to repeat to the bit, and a linear model, by the test images:");
  Candidate again{left[0]->layers, left[0]->width, left[0]->dropout, options.seed}, linear{0, 0, 0, options.seed};
  const double honest = again.train(epochs, parts[0], test), least = linear.train(epochs, parts[0], test);
  const bool repeats = all(again.model.parameters()[0] == left[0]->model.parameters()[0]).item<bool>();
  return repeats && honest > least ? 0 : 1;
}
