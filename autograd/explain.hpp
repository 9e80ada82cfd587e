#pragma once
#include <autograd/core/program.hpp>
#include <utility>

#pragma GCC visibility push(default)

/// Explains backpropagation on the user's own network: a page that walks from the loss back to a parameter.
namespace xgrad {

struct ExplainOptions {
  /// What the parameters are called, such as `model.named_parameters()`.
  std::vector<std::pair<std::string, Tensor>> names = {};
  /// Which element of the parameter, in row-major order; -1 takes the one with the largest gradient.
  std::int64_t element = -1;
  /// How many paths to walk, largest contribution first; the page says what all the others add up to.
  int max_paths = 5;
};

/// How backpropagation works, shown on your own network: a page of HTML, complete in itself, that walks back from the
/// loss to one element of a parameter, one path at a time. At each op it shows the formula, the local derivative in
/// numbers, upstream times local equals downstream, and a finite difference beside it; where paths meet, the sum. The
/// numbers on it multiply and add to the element of `.grad()` that backward would give, d loss / d element.
///
///   const std::string page = explain([&] { return nn::mse_loss(model(x), t); }, model.parameters()[0]);
///   write_file_atomically("explained.html", page);
///
/// `loss()` is called several times, with the same random numbers, and must run the same ops each time; during some of
/// the calls the parameter's element is a little larger or smaller. Afterwards all is as it was, grad() included.
/// Throws ValueError for an undefined parameter, an element that it does not have, or a loss that is not finite;
/// GraphError unless the parameter is a leaf that requires a gradient and the loss, of one element, depends on it.
std::string explain(detail::Program loss, const Tensor& parameter, const ExplainOptions& options = {},
                    Place place = Place::here());

}  // namespace xgrad
#pragma GCC visibility pop
