#pragma once
#include <autograd/autograd.hpp>
#include <cmath>
#include <functional>
#include <memory>
#include <optim/optim.hpp>

/// The table of optimisers. Each one that optim/*.hpp declares has a Row, which says what it computes, in a plain
/// formula for one element, and with which options to run it; table.cpp and steps.cpp say what is checked.
namespace optimizer_table {

using namespace xgrad;
using Parameters = std::vector<Tensor>;
using Made = std::unique_ptr<optim::Optimizer>;

/// An element of a parameter, its gradient, and what the formula keeps for it.
struct Element {
  double p = 0, g = 0, m = 0, v = 0, w = 0;
};

/// The optimiser with some options.
struct Variant {
  std::function<Made(const Parameters&, Place)> make;
  std::function<Made(const Parameters&, const Parameters&)> make_groups;  // the second has the first variant's options
  std::function<void(Element&, double t)> step;                           // t counts from 1
};

/// Options that are refused, and the message behind `file:line: `.
struct Fault {
  std::function<Made(const Parameters&, Place)> make;
  std::string message;
};

struct Row {
  std::string name;
  std::vector<Variant> variants = {};  // each option on and off among them; the last keeps all that can be kept
  std::vector<Fault> faults = {};
};

template <class Options>
Row row(const char* name, void (*step)(Element&, const Options&, double t), std::vector<Options> variants,
        std::vector<std::pair<Options, std::string>> faults) {
  using Optimizer = optim::OptimizerOf<Options>;
  const auto maker = [](const Options& options) {
    return
        [options](const Parameters& p, Place place) -> Made { return std::make_unique<Optimizer>(p, options, place); };
  };
  Row row{.name = name};
  const Options first = variants.front();
  Options uphill = first;
  uphill.maximize = true;
  variants.insert(variants.begin() + 1, uphill);
  for (const Options& options : variants)
    row.variants.push_back(
        {.make = maker(options),
         .make_groups = [=](const Parameters& a, const Parameters& b) -> Made {
           return std::make_unique<Optimizer>(std::vector<optim::Group<Options>>{{a, options}, {b, first}});
         },
         .step =
             [=](Element& e, double t) {
               if (options.maximize) e.g = -e.g;
               step(e, options, t);
             }});
  for (const auto& [options, message] : faults) row.faults.push_back({maker(options), message});
  return row;
}

inline void sgd(Element& e, const optim::SGDOptions& o, double t) {
  double d = e.g + o.weight_decay * e.p;
  if (o.momentum != 0) {
    e.m = t == 1 ? d : o.momentum * e.m + (1 - o.dampening) * d;
    d = o.nesterov ? d + o.momentum * e.m : e.m;
  }
  e.p -= o.lr * d;
}

/// The moments of Adam, of a gradient whose decay has been seen to.
template <class Options>
void adam_moments(Element& e, const Options& o) {
  e.m = o.betas.first * e.m + (1 - o.betas.first) * e.g;
  e.v = o.betas.second * e.v + (1 - o.betas.second) * e.g * e.g;
}

template <class Options>
void adam_step(Element& e, const Options& o, double t) {
  adam_moments(e, o);
  e.w = std::max(e.w, e.v);
  const double mean = e.m / (1 - std::pow(o.betas.first, t));
  const double square = (o.amsgrad ? e.w : e.v) / (1 - std::pow(o.betas.second, t));
  e.p -= o.lr * mean / (std::sqrt(square) + o.eps);
}

inline void adam(Element& e, const optim::AdamOptions& o, double t) {
  e.g += o.weight_decay * e.p;
  adam_step(e, o, t);
}

inline void adamw(Element& e, const optim::AdamWOptions& o, double t) {
  e.p -= o.lr * o.weight_decay * e.p;
  adam_step(e, o, t);
}

inline void nadam(Element& e, const optim::NAdamOptions& o, double t) {
  const auto mu = [&](double at) { return o.betas.first * (1 - 0.5 * std::pow(0.96, at * o.momentum_decay)); };
  e.g += o.weight_decay * e.p;
  adam_moments(e, o);
  e.w = (t == 1 ? 1 : e.w) * mu(t);
  const double scale = std::sqrt(e.v / (1 - std::pow(o.betas.second, t))) + o.eps;
  e.p -= o.lr * (1 - mu(t)) / (1 - e.w) * e.g / scale;
  e.p -= o.lr * mu(t + 1) / (1 - e.w * mu(t + 1)) * e.m / scale;
}

inline void adamax(Element& e, const optim::AdamaxOptions& o, double t) {
  e.g += o.weight_decay * e.p;
  e.m = o.betas.first * e.m + (1 - o.betas.first) * e.g;
  e.v = std::max(o.betas.second * e.v, std::abs(e.g) + o.eps);
  e.p -= o.lr / (1 - std::pow(o.betas.first, t)) * e.m / e.v;
}

inline void lion(Element& e, const optim::LionOptions& o, double) {
  const double c = o.betas.first * e.m + (1 - o.betas.first) * e.g;
  e.p -= o.lr * (o.weight_decay * e.p + (c > 0 ? 1 : c < 0 ? -1 : 0));
  e.m = o.betas.second * e.m + (1 - o.betas.second) * e.g;
}

inline void rmsprop(Element& e, const optim::RMSpropOptions& o, double) {
  e.g += o.weight_decay * e.p;
  e.v = o.alpha * e.v + (1 - o.alpha) * e.g * e.g;
  e.w = o.alpha * e.w + (1 - o.alpha) * e.g;
  e.m = o.momentum * e.m + e.g / (std::sqrt(o.centered ? e.v - e.w * e.w : e.v) + o.eps);
  e.p -= o.lr * e.m;
}

inline void adagrad(Element& e, const optim::AdagradOptions& o, double t) {
  e.g += o.weight_decay * e.p;
  e.v += e.g * e.g + (t == 1 ? o.initial_accumulator_value : 0);
  e.p -= o.lr / (1 + (t - 1) * o.lr_decay) * e.g / (std::sqrt(e.v) + o.eps);
}

inline void adadelta(Element& e, const optim::AdadeltaOptions& o, double) {
  e.g += o.weight_decay * e.p;
  e.v = o.rho * e.v + (1 - o.rho) * e.g * e.g;
  const double step = std::sqrt(e.m + o.eps) / std::sqrt(e.v + o.eps) * e.g;
  e.m = o.rho * e.m + (1 - o.rho) * step * step;
  e.p -= o.lr * step;
}

/// All rows but that of LBFGS, which steps by a closure and has tests of its own (lbfgs.cpp).
inline std::vector<Row> rows() {
  return {
      row<optim::SGDOptions>(
          "SGD", sgd,
          {{.lr = .1},
           {.lr = .05, .weight_decay = .1},
           {.lr = .05, .momentum = .9},
           {.lr = .05, .momentum = .9, .dampening = .3, .weight_decay = .1},
           {.lr = .05, .momentum = .9, .weight_decay = .1, .nesterov = true}},
          {{{.momentum = -1}, "SGD: momentum is -1; expected a finite number of at least 0"},
           {{.nesterov = true}, "SGD: nesterov needs a momentum and no dampening; momentum is 0, dampening is 0"}}),
      row<optim::AdamOptions>("Adam", adam,
                              {{.lr = .01},
                               {.lr = .02, .betas = {.8, .95}, .eps = 1e-3},
                               {.lr = .01, .weight_decay = .1},
                               {.lr = .01, .weight_decay = .1, .amsgrad = true}},
                              {{{.betas = {1, .9}}, "Adam: betas.first is 1; expected a number in [0, 1)"}}),
      row<optim::AdamWOptions>("AdamW", adamw,
                               {{.lr = .01, .weight_decay = 0},
                                {.lr = .02, .betas = {.8, .95}, .eps = 1e-3},
                                {.lr = .01, .weight_decay = .1, .amsgrad = true}},
                               {{{.eps = -1}, "AdamW: eps is -1; expected a finite number of at least 0"}}),
      row<optim::NAdamOptions>(
          "NAdam", nadam,
          {{.lr = .01},
           {.lr = .02, .betas = {.8, .95}, .eps = 1e-3, .momentum_decay = 0},
           {.lr = .01, .weight_decay = .1, .momentum_decay = .05}},
          {{{.momentum_decay = -1}, "NAdam: momentum_decay is -1; expected a finite number of at least 0"}}),
      row<optim::AdamaxOptions>(
          "Adamax", adamax,
          {{.lr = .01}, {.lr = .02, .betas = {.8, .95}, .eps = 1e-3}, {.lr = .01, .weight_decay = .1}},
          {{{.betas = {.9, -.1}}, "Adamax: betas.second is -0.1; expected a number in [0, 1)"}}),
      row<optim::LionOptions>("Lion", lion, {{.lr = .01}, {.lr = .02, .betas = {.8, .95}}, {.weight_decay = .1}},
                              {{{.lr = -1}, "Lion: lr is -1; expected a finite number of at least 0"}}),
      row<optim::RMSpropOptions>("RMSprop", rmsprop,
                                 {{.lr = .01},
                                  {.lr = .02, .alpha = .9, .eps = 1e-3},
                                  {.lr = .01, .weight_decay = .1, .momentum = .5},
                                  {.lr = .01, .momentum = .5, .centered = true}},
                                 {{{.alpha = 1}, "RMSprop: alpha is 1; expected a number in [0, 1)"}}),
      row<optim::AdagradOptions>(
          "Adagrad", adagrad,
          {{.lr = .1},
           {.lr = .2, .weight_decay = .1, .eps = 1e-3},
           {.lr = .1, .lr_decay = .1, .initial_accumulator_value = .5}},
          {{{.lr_decay = -.5}, "Adagrad: lr_decay is -0.5; expected a finite number of at least 0"}}),
      row<optim::AdadeltaOptions>("Adadelta", adadelta,
                                  {{.lr = 1}, {.lr = .5, .rho = .8, .eps = 1e-3}, {.weight_decay = .1}},
                                  {{{.rho = 2}, "Adadelta: rho is 2; expected a number in [0, 1)"}}),
  };
}

/// Fresh parameters, of the same numbers each time.
inline Parameters parameters(Dtype dtype = f64) {
  manual_seed(3);
  Parameters p = {randn({3, 4}, {.dtype = f64}).to(dtype), randn({5}, {.dtype = f64}).to(dtype)};
  for (Tensor& t : p) t.set_requires_grad(true);
  return p;
}

/// Steps `from` to `to`, each with gradients p / 2 + noise of the step's number.
inline void train(optim::Optimizer& optimizer, Parameters& parameters, int from, int to) {
  for (int step = from; step < to; ++step) {
    manual_seed(static_cast<std::uint64_t>(100 + step));
    for (Tensor& p : parameters) p.set_grad(p.detach() * .5 + randn(p.shape(), {.dtype = f64}).to(p.dtype()));
    optimizer.step();
  }
}

}  // namespace optimizer_table
