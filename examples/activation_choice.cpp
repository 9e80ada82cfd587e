// Which activation function should I choose, and why do deep networks of sigmoids not learn?
//
// On the way back each layer multiplies the gradient by its weights and by the slope of its activation. A sigmoid's
// slope is at most 1/4, so that after ten layers next to nothing is left for the first ones: they stay as they were
// drawn, and what they pass on is noise. Shallow networks learn with any activation; deep ones with one whose slope is
// 1 over a range, and with weights drawn to match it (Glorot and Bengio 2010, He et al. 2015). Between relu, gelu and
// selu the difference here is luck of the draw: start with relu, and look at the norms before you look for another. In
// networks with normalisation or shortcuts between layers, the choice matters less still.
#include <xgrad.hpp>
#include "command_line.hpp"

using namespace xgrad;
namespace init = nn::init;

struct Choice {
  const char* name;
  Tensor (*function)(const Operand&);
  init::Initializer weights;
  const char* colour;
};
const Choice choices[] = {{"sigmoid", sigmoid, init::glorot_uniform(), "#d62728"},
                          {"tanh", tanh, init::glorot_uniform(), "#ff7f0e"},
                          {"relu", relu, init::he_uniform(), "#1f6fb4"},
                          {"gelu", gelu, init::he_uniform(), "#2f8f4e"},
                          {"selu", selu, init::lecun_normal(), "#8457b0"}};

/// Two arms that wind around each other, and which arm each point is on.
nn::TensorDataset spirals(std::int64_t n) {
  const Tensor arm = bernoulli({n}, 0.5).to(f32), turn = 1 + 4 * rand({n}), angle = turn + 3.14159 * arm;
  return nn::TensorDataset(stack({turn * cos(angle), turn * sin(angle)}, 1) / 3, unsqueeze(arm, 1));
}

nn::Sequential network(const Choice& choice, int depth) {
  nn::Sequential model;
  for (int layer = 0; layer < depth; ++layer)
    model.add(nn::Dense{layer == 0 ? 2 : 24, 24, {.weight_init = choice.weights}}).add(choice.function);
  return model.add(nn::Dense{24, 1});
}

/// The norm of the loss' gradient by each layer's weights.
std::vector<double> gradient_norms(nn::Sequential& model, const nn::TensorDataset& data) {
  nn::binary_cross_entropy_with_logits(model(data.features()), data.labels()).backward();
  std::vector<double> norms;
  for (const Tensor& p : model.parameters())
    if (p.ndim() == 2) norms.push_back(norm(p.grad()).item());
  return norms;
}

int main(int argc, char** argv) {
  CommandLine options("Trains shallow and deep networks with several activations.", "activation_choice.svg");
  int epochs = 80;
  options.add("--epochs", epochs, "passes over the data", 1, 100'000);
  options.read(argc, argv);
  manual_seed(options.seed);
  const nn::TensorDataset data = spirals(400);
  const std::vector<double> layers = to_vector(arange(1, 12));

  bool as_said = true;
  Chart norms{.title = "Gradients at the start",
              .subtitle = "their norms by layer, 10 hidden layers",
              .x = {.label = "layer"},
              .y = {.logarithmic = true}};
  Charts charts{.charts = {}, .columns = 3, .width = 300};
  for (const int depth : {2, 10}) {
    Chart& losses = charts.charts.emplace_back(
        Chart{.title = text("Loss, ", depth, " hidden layers"), .x = {.label = "epoch"}, .y = {.low = 0, .high = 0.9}});
    for (const Choice& choice : choices) {
      options.check_time();
      nn::Sequential model = network(choice, depth);
      const std::vector<double> by_layer = gradient_norms(model, data);
      optim::SGD optimizer{model.parameters(), {.lr = 0.03, .momentum = 0.9}};
      nn::Trainer trainer{model, optimizer, nn::binary_cross_entropy_with_logits};
      const nn::History history =
          trainer.fit(data, {.epochs = epochs, .batch_size = 40, .seed = options.seed, .progress = false});
      losses.curves.push_back({to_vector(arange(1, epochs + 1)), history["loss"], choice.name, choice.colour});
      if (depth == 10) norms.curves.push_back({.x = layers, .y = by_layer, .colour = choice.colour, .dots = true});
      const double loss = trainer.evaluate(data)["loss"];
      std::printf("%2d layers of %-8s gradient of the first %.1e, of the last %.1e, final loss %.4f\n", depth,
                  choice.name, by_layer.front(), by_layer.back(), loss);
      const bool vanishes = depth == 10 && &choice == &choices[0];
      as_said &= vanishes == (by_layer.front() < 1e-4 * by_layer.back()) && vanishes == (loss > 0.5);
    }
  }
  charts.charts.push_back(norms);
  write_file_atomically(options.picture, to_svg(charts));
  return as_said ? 0 : 1;
}
