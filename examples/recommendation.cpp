// What would a user think of a film that they have not seen?
//
// What users of like tastes think of it. Matrix factorisation (Koren, Bell and Volinsky 2009) learns from the ratings
// alone a vector for each user and film, whose product is how well they go together, and a number for how kind the one
// and how good the other is. Ratings are made up here, with a noise of 0.5 that nothing can foretell: what the error is
// above that is the price of learning about 20 000 users from 30 ratings each. Films lie on a ring of tastes, and so do
// the vectors learnt, but turned and stretched: ratings do not tell one pair of axes from another. A batch touches a
// few rows of the tables, whose gradients are kept as rows, and a step of Adam costs what these rows cost.
#include <xgrad.hpp>
#include "command_line.hpp"

using namespace xgrad;

constexpr std::int64_t users = 20'000, films = 1000, kinds = 8, each = 30;
constexpr int epochs = 10;
constexpr double noise = 0.5;

const nn::EmbeddingOptions small{.weight_init = nn::init::normal(0, 0.3)};

struct Factors : nn::Module {
  nn::Embedding user{users, 2}, film{films, 2, small}, kindness{users, 1, small}, quality{films, 1, small};

  /// The ratings (n) of users and films (n, 2).
  Tensor operator()(const Tensor& pairs) {
    const Tensor u = select(pairs, 1, 0), f = select(pairs, 1, 1);
    return sum(user(u) * film(f), 1) + squeeze(kindness(u) + quality(f), 1);
  }
  void members(nn::Visitor& visit) override {
    visit("user", user);
    visit("film", film);
    visit("kindness", kindness);
    visit("quality", quality);
  }
};

/// So many ratings by each user, of films drawn at random.
nn::TensorDataset ratings(Factors& truth, std::int64_t count) {
  const Tensor pairs =
      stack({repeat_interleave(arange(0, users, 1, i64), count, 0), randint({users * count}, 0, films)}, 1);
  return nn::TensorDataset(pairs, truth(pairs) + noise * randn({users * count}));
}

Chart ring(const char* title, const Tensor& tastes, const Tensor& kind) {
  const char* const colours[] = {"#d62728", "#ff7f0e", "#c9a400", "#2f8f4e",
                                 "#17a2b8", "#1f6fb4", "#8457b0", "#e377c2"};
  const ChartAxis axis{.ticks = {-1, 0, 1}, .low = -1.2, .high = 1.2};
  Chart chart{.title = title, .subtitle = "films, coloured by their kind", .x = axis, .y = axis};
  for (int k = 0; k < kinds; ++k) {
    const std::vector<Tensor> xy = unbind(take(tastes, flatten(nonzero(kind == k)), 0), 1);
    chart.curves.push_back({to_vector(xy[0]), to_vector(xy[1]), "", colours[k], "", true, false});
  }
  return chart;
}

int main(int argc, char** argv) {
  CommandLine options("Learns tastes from ratings, and draws those of the films.", "recommendation.svg");
  options.read(argc, argv);
  manual_seed(options.seed);

  const Tensor kind = randint({films}, 0, kinds), angle = (kind.to(f32) + 0.2 * randn({films})) * (6.283185 / kinds);
  Factors truth;
  truth.freeze();
  truth.film.weight.assign(stack({cos(angle), sin(angle)}, 1));
  const nn::TensorDataset train = ratings(truth, each), test = ratings(truth, 3);

  Factors model;
  optim::Adam optimizer{model.parameters(), {.lr = 0.02}};
  optim::CosineLR schedule{optimizer, {.steps = epochs}};
  nn::Trainer trainer{model, optimizer, nn::mse_loss, {.metrics = {nn::rmse}}};
  const nn::History history =
      trainer.fit(train, {.epochs = epochs,
                          .batch_size = 1000,
                          .validation = test,
                          .seed = options.seed,
                          .callbacks = {nn::Schedule{schedule}, nn::TimeLimit{options.limit()}}});
  options.check_time();

  const std::vector<double> errors = history["validation_rmse"], epoch = to_vector(arange(1, std::ssize(errors) + 1));
  Chart error{.title = "Error of ratings not learnt from", .x = {.label = "epoch"}, .y = {.low = 0}};
  error.curves = {{epoch, errors, "error"},
                  {epoch, std::vector<double>(errors.size(), noise), "noise", "#999999", "6 4"}};
  const Chart are = ring("Tastes as they are", truth.film.weight, kind),
              learnt = ring("Tastes as learnt", model.film.weight, kind);
  write_file_atomically(options.picture,
                        to_svg({.charts = {are, learnt, error}, .columns = 3, .width = 300, .height = 300}));
  std::printf("error %.4f; that of the mean rating is %.4f, that of the noise %.4f\n", errors.back(),
              stddev(test.labels()).item(), noise);
  return errors.back() < 1.08 * noise ? 0 : 1;
}
