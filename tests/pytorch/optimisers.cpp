// Steps an optimiser as tests/pytorch/optimisers.py asks. Reads the number of steps, parameters (shape (rows, columns)
// and values) and, for each step and parameter, noise; then lines `KIND name=value ...`, each answered by a line of all
// parameters after every step. The gradient of a parameter p is p / 2 + noise.
#include <autograd/autograd.hpp>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optim/optim.hpp>
#include <sstream>

using namespace xgrad;

namespace {

Tensor read(const Shape& shape) {
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  for (double& v : values) std::cin >> v;
  return from_values(values, shape);
}

std::unique_ptr<optim::Optimizer> make(const std::string& kind, const std::vector<Tensor>& parameters) {
  if (kind == "SGD") return std::make_unique<optim::SGD>(parameters);
  if (kind == "Adam") return std::make_unique<optim::Adam>(parameters);
  if (kind == "AdamW") return std::make_unique<optim::AdamW>(parameters);
  if (kind == "RMSprop") return std::make_unique<optim::RMSprop>(parameters);
  if (kind == "Adagrad") return std::make_unique<optim::Adagrad>(parameters);
  if (kind == "NAdam") return std::make_unique<optim::NAdam>(parameters);
  if (kind == "Adamax") return std::make_unique<optim::Adamax>(parameters);
  if (kind == "Adadelta") return std::make_unique<optim::Adadelta>(parameters);
  throw ValueError("no optimiser " + kind);
}

/// Sets options by their names in the state.
void configure(optim::Optimizer& optimizer, std::istream& options) {
  StateDict state = optimizer.state_dict();
  for (std::string option; options >> option;) {
    const std::size_t equals = option.find('=');
    const std::string name = "group.0." + option.substr(0, equals);
    const Tensor* const old = state.find(name);
    if (!old) throw ValueError("no option " + name);
    state.set(name, full({}, std::stod(option.substr(equals + 1)), {.dtype = old->dtype()}));
  }
  optimizer.load_state_dict(state);
}

}  // namespace

int main() {
  int steps = 0, count = 0;
  std::cin >> steps >> count;
  std::vector<Tensor> start;
  for (int i = 0; i < count; ++i) {
    std::int64_t rows = 0, columns = 0;
    std::cin >> rows >> columns;
    start.push_back(read({rows, columns}));
  }
  std::vector<std::vector<Tensor>> noise(static_cast<std::size_t>(steps));
  for (auto& step : noise)
    for (const Tensor& p : start) step.push_back(read(p.shape()));
  std::string line;
  std::getline(std::cin, line);
  while (std::getline(std::cin, line)) {
    std::istringstream request(line);
    std::string kind;
    request >> kind;
    std::vector<Tensor> parameters;
    for (const Tensor& p : start) parameters.push_back(p.clone().set_requires_grad(true));
    const auto optimizer = make(kind, parameters);
    configure(*optimizer, request);
    for (const auto& step : noise) {
      for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i].set_grad(parameters[i].detach() * .5 + step[i]);
      optimizer->step();
      for (const Tensor& p : parameters)
        for (std::int64_t i = 0; i < p.size(); ++i) std::printf("%.17g ", p.data<double>()[i]);
    }
    std::printf("\n");
  }
}
