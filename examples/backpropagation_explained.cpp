// Shows how backpropagation works on a network so small that every number can be followed: writes a page that walks
// from the loss back to one weight, and a picture of the whole computation.
#include <autograd/autograd.hpp>
#include <cmath>
#include <cstdio>
#include <nn/nn.hpp>

using namespace xgrad;

int main(int argc, char** argv) try {
  const std::string page = argc > 1 ? argv[1] : "backpropagation_explained.html";
  const std::string picture = argc > 2 ? argv[2] : "backpropagation_explained.svg";
  if (argc > 3 || page[0] == '-' || picture[0] == '-') {
    std::fputs("usage: backpropagation_explained [PAGE.html [PICTURE.svg]]\n", stderr);
    return 2;
  }

  // Two inputs, two hidden units, one output; in f64, so that all digits can be checked.
  manual_seed(4);
  nn::Sequential model{nn::Dense{2, 2}, nn::Tanh{}, nn::Dense{2, 1}};
  model.to(f64);
  const Tensor x = tensor({{0.5, -1.}, {1., 2.}}, {.dtype = f64}), target = tensor({{1.}, {-1.}}, {.dtype = f64});
  const auto loss = [&] { return nn::mse_loss(model(x), target); };

  auto names = model.named_parameters();
  const Tensor weight = names[0].second;
  write_file_atomically(page, explain(loss, weight, {.names = names, .element = 0}));
  names.insert(names.end(), {{"x", x}, {"target", target}});
  write_file_atomically(picture, to_svg(loss, {.names = names}));

  // What the page says, once more, in a few lines: the chain rule, written out by hand.
  loss().backward();
  const double by_engine = weight.grad().data<double>()[0];
  double by_hand = 0;
  {
    const NoGrad guard;
    const Tensor hidden = tanh(model[0](x)), output = model(x), out = names[2].second;
    for (const int row : {0, 1}) {
      const double d_output = 2 * (output.data<double>()[row] - target.data<double>()[row]) / 2;  // of the mean square
      const double h = hidden.data<double>()[2 * row];
      by_hand += d_output * out.data<double>()[0] * (1 - h * h) * x.data<double>()[2 * row];
    }
  }
  std::printf("d loss / d %s[0, 0] = %.15f by backpropagation\n%*s %.15f by hand\n\n%s explains it, %s draws it\n",
              names[0].first.c_str(), by_engine, static_cast<int>(names[0].first.size()) + 19, "=", by_hand,
              page.c_str(), picture.c_str());
  return std::fabs(by_engine - by_hand) < 1e-15 ? 0 : 1;
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
