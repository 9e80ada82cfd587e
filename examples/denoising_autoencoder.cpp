// How do I get the noise out of an image, when all that I have are clean ones?
//
// Add noise to them, and learn the way back. Two convolutions of stride 2 make 32 channels of 7 x 7 of an image, two
// transposed ones make an image of these. It is not narrow (that is twice as many numbers as pixels): what cleans is
// the loss, for which the best guess is the mean of all clean images that the noise may hide. So weave and letters are
// lost where too little of them can be seen, and outlines stay, for which a blur, here for comparison, has no sense.
// The noise of each batch is new, so that it cannot be learnt by heart. About 0.38 of the noise's error is left after
// three epochs.
#include <iostream>
#include <xgrad.hpp>
#include "command_line.hpp"
#include "drawn.hpp"
#include "images.hpp"

using namespace xgrad;

nn::Sequential autoencoder() {
  const nn::ConvolutionOptions half{.stride = 2, .padding = 1};  // of each side
  const nn::TransposedConvolutionOptions twice{.stride = 2, .padding = 1};
  return {nn::Sequential{nn::Conv2d{1, 16, 4, half}, nn::ReLU{}, nn::Conv2d{16, 32, 4, half}, nn::ReLU{}},
          nn::Sequential{nn::ConvTranspose2d{32, 16, 4, twice}, nn::ReLU{}, nn::ConvTranspose2d{16, 1, 4, twice},
                         nn::Sigmoid{}}};
}

Tensor noisy(const Tensor& clean) { return clamp(clean + 0.4 * randn_like(clean), 0, 1); }

std::string picture(const std::vector<std::pair<const char*, Tensor>>& rows) {
  std::string drawings;
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (std::int64_t i = 0; i < 10; ++i)
      drawings += drawn(rows[row].second[i][0], 0, 1, {10. + 74. * static_cast<double>(i), 10. + 94. * double(row)}, 70,
                        i == 0 ? rows[row].first : "");
  return svg_picture(756, 10 + 94 * static_cast<int>(rows.size()), drawings);
}

int main(int argc, char** argv) try {
  CommandLine options("Learns to clean images of noise, and draws some before and after.", "denoising_autoencoder.svg");
  std::string data = "/usr/share/datasets/fashion-mnist";
  int epochs = 3;
  std::int64_t images = 60'000;
  double at_most = 0.42;
  options.add("--data", data, "folder with the four IDX files of MNIST or its kin, gzipped or not");
  options.add("--epochs", epochs, "passes over the training images", 1, 100'000);
  options.add("--images", images, "how many of them to learn from", 1, 60'000);
  options.add("--at-most", at_most, "the share of the noise's error that is to be left", 0., 1.);
  options.read(argc, argv);

  manual_seed(options.seed);
  const nn::Mnist mnist = read_images(data);
  const Tensor train = unsqueeze(slice(mnist.train.images, 0, 0, images), 1), clean = unsqueeze(mnist.test.images, 1);
  const nn::Examples pairs(images, [&](const Tensor& rows) -> std::vector<Tensor> {
    const Tensor target = take(train, rows, 0);
    return {noisy(target), target};
  });
  nn::Sequential model = autoencoder();
  std::cout << nn::summary(model, zeros({1, 1, 28, 28})) << '\n';
  optim::Adam optimizer{model.parameters(), {.lr = 5e-3}};
  nn::Trainer trainer{model, optimizer, nn::mse_loss};
  trainer.fit(pairs, {.epochs = epochs,
                      .batch_size = 32,
                      .seed = options.seed,
                      .callbacks = {nn::TimeLimit{options.limit()}},
                      .average = 0.99});
  options.check_time();

  const Tensor before = noisy(clean), after = trainer.predict(before);
  const Tensor blurred = avg_pool(before, {3, 3}, {.stride = 1, .padding = 1});
  write_file_atomically(
      options.picture,
      picture({{"clean", clean}, {"noisy", before}, {"restored", after}, {"blurred, for comparison", blurred}}));
  const auto error = [&](const Tensor& image) { return nn::rmse()(image, clean); };
  std::printf("error of a pixel: noisy %.4f, blurred %.4f, restored %.4f; the picture is in %s\n", error(before),
              error(blurred), error(after), options.picture.c_str());
  return error(after) < at_most * error(before) && error(after) < error(blurred) ? 0 : 1;
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
