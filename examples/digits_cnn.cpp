// How much better do convolutions tell ten classes of images apart? (Clothes, or digits where MNIST's files are given.)
//
// LeNet-5, with relu and the largest of each window, learns in its first layer six filters that it moves along the
// whole image. Ten epochs get 0.905 of Fashion-MNIST's clothes right, with three fifths of the weights of `digits`,
// which gets 0.880; and 0.993 of MNIST's digits, where that gets 0.977 after five. The picture shows the filters, and
// images that it takes for something else.
//
//   scripts/mnist.sh mnist && digits_cnn --data mnist --at-least 0.989
#include <iostream>
#include <xgrad.hpp>
#include "command_line.hpp"
#include "drawn.hpp"
#include "images.hpp"

using namespace xgrad;

nn::Sequential lenet() {
  return {nn::Sequential{nn::Conv2d{1, 6, 5, {.padding = nn::same}}, nn::ReLU{}, nn::MaxPool2d{2}},
          nn::Sequential{nn::Conv2d{6, 16, 5}, nn::ReLU{}, nn::MaxPool2d{2}}, nn::Flatten{},
          nn::Sequential{nn::Dense{400, 120}, nn::ReLU{}, nn::Dense{120, 84}, nn::ReLU{}, nn::Dense{84, 10}}};
}

std::string picture(const Tensor& filters, const nn::LabelledImages& test, const Tensor& predicted) {
  std::string drawings;
  for (std::int64_t k = 0; k < 6; ++k) {
    const Tensor filter = filters[k][0];
    drawings += drawn(filter, min(filter).item(), max(filter).item(), {10 + 105. * static_cast<double>(k), 10}, 80,
                      text("filter ", k));
  }
  const std::vector<std::int64_t> of = to_vector<std::int64_t>(test.labels), as = to_vector<std::int64_t>(predicted);
  int misread = 0;
  for (std::size_t i = 0; i < of.size() && misread < 12; ++i) {
    if (of[i] == as[i]) continue;
    drawings += drawn(test.images[static_cast<std::int64_t>(i)], 0, 1,
                      {10 + 105. * (misread % 6), 120 + 105. * (misread / 6)}, 80, text(of[i], " read as ", as[i]));
    ++misread;
  }
  return svg_picture(640, 330, drawings);
}

nn::TensorDataset dataset(const nn::LabelledImages& of) {
  return nn::TensorDataset(unsqueeze(of.images, 1), of.labels);  // one channel
}

int main(int argc, char** argv) try {
  CommandLine options("Learns ten classes of images by convolutions, and draws filters and mistakes.",
                      "digits_cnn.svg");
  std::string data = "/usr/share/datasets/fashion-mnist";
  int epochs = 10;
  double at_least = 0.895;
  options.add("--data", data, "folder with the four IDX files of MNIST or its kin, gzipped or not");
  options.add("--epochs", epochs, "passes over the training images", 1, 100'000);
  options.add("--at-least", at_least, "the share of test images that is to be right", 0., 1.);
  options.read(argc, argv);

  manual_seed(options.seed);
  const nn::Mnist images = read_images(data);
  const nn::TensorDataset test = dataset(images.test);
  nn::Sequential model = lenet();
  std::cout << nn::summary(model, zeros({1, 1, 28, 28})) << '\n';
  optim::Adam optimizer{model.parameters()};
  nn::Trainer trainer{model, optimizer, nn::cross_entropy, {.metrics = {nn::categorical_accuracy}}};
  trainer.fit(dataset(images.train), {.epochs = epochs,
                                      .batch_size = 64,
                                      .validation = test,
                                      .seed = options.seed,
                                      .callbacks = {nn::TimeLimit{options.limit()}},
                                      .average = 0.999});
  options.check_time();
  const Tensor predicted = argmax(trainer.predict(test.features()), 1);
  const auto& first = dynamic_cast<const nn::Conv2d&>(model.submodule("0.0"));
  write_file_atomically(options.picture, picture(first.weight, images.test, predicted));
  const double right = mean(predicted == test.labels()).item();
  std::printf("%.4f of the test images are right; the picture is in %s\n", right, options.picture.c_str());
  return right >= at_least ? 0 : 1;
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
