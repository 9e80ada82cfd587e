// Trains LeNet-5, with relu and the largest of each window, on Fashion-MNIST or any folder with MNIST's four files, and
// draws the filters of its first layer and images that it takes for something else.
#include <cstdio>
#include <cstdlib>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xgrad;

nn::Sequential lenet() {
  return {nn::Conv2d{1, 6, 5, {.padding = nn::same}},
          nn::ReLU{},
          nn::MaxPool2d{2},
          nn::Conv2d{6, 16, 5},
          nn::ReLU{},
          nn::MaxPool2d{2},
          nn::Flatten{},
          nn::Dense{400, 120},
          nn::ReLU{},
          nn::Dense{120, 84},
          nn::ReLU{},
          nn::Dense{84, 10}};
}

/// An image (height, width) as squares from white, its lowest number, to black, with words below.
std::string drawn(const Tensor& image, double x, double y, double width, const std::string& words) {
  const double low = min(image).item(), range = std::max(max(image).item() - low, 1e-9);
  const std::int64_t rows = image.shape()[0], columns = image.shape()[1];
  const double side = width / static_cast<double>(columns);
  std::string svg = text("<text x='", x, "' y='", y + side * static_cast<double>(rows) + 14, "'>", words, "</text>\n");
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) {
      const int grey = static_cast<int>(255 - 255 * (image.at(i, j).item() - low) / range);
      if (grey < 255)
        svg += text("<rect x='", x + side * static_cast<double>(j), "' y='", y + side * static_cast<double>(i),
                    "' width='", side, "' height='", side, "' fill='rgb(", grey, ",", grey, ",", grey, ")'/>\n");
    }
  return svg;
}

std::string picture(const Tensor& filters, const nn::LabelledImages& test, const Tensor& predicted) {
  std::string svg =
      "<svg xmlns='http://www.w3.org/2000/svg' width='640' height='330' font-family='sans-serif' "
      "font-size='11'>\n<rect width='640' height='330' fill='#f4f4f4'/>\n";
  for (std::int64_t k = 0; k < 6; ++k)
    svg += drawn(filters[k][0], 10 + 105 * static_cast<double>(k), 10, 80, text("filter ", k));
  const std::vector<std::int64_t> of = to_vector<std::int64_t>(test.labels), as = to_vector<std::int64_t>(predicted);
  int misread = 0;
  for (std::size_t i = 0; i < of.size() && misread < 12; ++i) {
    if (of[i] == as[i]) continue;
    const double x = 10 + 105 * (misread % 6), y = 120 + 105 * (misread / 6);
    svg += drawn(test.images[static_cast<std::int64_t>(i)], x, y, 80, text(of[i], " read as ", as[i]));
    ++misread;
  }
  return svg + "</svg>\n";
}

int main(int argc, char** argv) try {
  if (argc > 4 || (argc > 1 && argv[1][0] == '-')) {
    std::fprintf(stderr, "usage: digits_cnn [EPOCHS [PICTURE.svg [FOLDER]]]\n");
    return 2;
  }
  const int epochs = argc > 1 ? std::atoi(argv[1]) : 10;
  const std::string file = argc > 2 ? argv[2] : "digits_cnn.svg";
  const std::string data = argc > 3 ? argv[3] : "/usr/share/datasets/fashion-mnist";
  check_writable(file);
  manual_seed(0);
  const nn::Mnist images = nn::read_mnist(data);
  const auto dataset = [](const nn::LabelledImages& of) {
    return nn::TensorDataset(unsqueeze(of.images, 1), of.labels);
  };
  const nn::TensorDataset training = dataset(images.train), test = dataset(images.test);
  nn::Sequential model = lenet();
  std::printf("%s\n", nn::summary(model, zeros({1, 1, 28, 28})).c_str());
  optim::Adam optimizer{model.parameters(), {.lr = 1e-3}};
  nn::Trainer trainer{model, optimizer, nn::cross_entropy, {.metrics = {nn::categorical_accuracy}}};
  trainer.fit(training, {.epochs = epochs, .batch_size = 128, .validation = test, .seed = 0});
  const double accuracy = trainer.evaluate(test)["categorical_accuracy"];
  const Tensor predicted = argmax(trainer.predict(test.features()), 1);
  const auto& first = dynamic_cast<const nn::Conv2d&>(model.submodule("0"));
  write_file_atomically(file, picture(first.weight, images.test, predicted));
  std::printf("\ntest accuracy %.4f, picture in %s\n", accuracy, file.c_str());
  return accuracy > .7 ? 0 : 1;
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
