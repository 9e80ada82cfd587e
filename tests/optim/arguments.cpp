#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <limits>
#include <optim/optim.hpp>

#include "support.hpp"

using namespace xgrad;

namespace {

const double not_a_number = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();

}  // namespace

#define MESSAGE_OF(E, ...) message_of<E>([&] { __VA_ARGS__; })

TEST_CASE("an option outside its range is refused at the user's line") {
  const Tensor w = leaf(ones({2, 3}));
  CHECK(MESSAGE_OF(ValueError, optim::SGD o({w}, {.lr = -1})) ==
        "SGD: lr is -1; expected a finite number of at least 0");
  CHECK(MESSAGE_OF(ValueError, optim::Adam o({w}, {.lr = not_a_number})) ==
        "Adam: lr is nan; expected a finite number of at least 0");
  CHECK(MESSAGE_OF(ValueError, optim::Adagrad o({w}, {.lr = inf})) ==
        "Adagrad: lr is inf; expected a finite number of at least 0");
  CHECK(MESSAGE_OF(ValueError, optim::SGD o({w}, {.momentum = -1})) ==
        "SGD: momentum is -1; expected a finite number of at least 0");
  CHECK(MESSAGE_OF(ValueError, optim::SGD o({w}, {.dampening = not_a_number})) ==
        "SGD: dampening is nan; expected a finite number");
  CHECK(MESSAGE_OF(ValueError, optim::SGD o({w}, {.weight_decay = -1})) ==
        "SGD: weight_decay is -1; expected a finite number of at least 0");
  CHECK(MESSAGE_OF(ValueError, optim::Adam o({w}, {.betas = {1, .999}})) ==
        "Adam: betas.first is 1; expected a number in [0, 1)");
  CHECK(MESSAGE_OF(ValueError, optim::AdamW o({w}, {.betas = {.9, not_a_number}})) ==
        "AdamW: betas.second is nan; expected a number in [0, 1)");
  CHECK(MESSAGE_OF(ValueError, optim::Adam o({w}, {.eps = -1})) ==
        "Adam: eps is -1; expected a finite number of at least 0");
  CHECK(MESSAGE_OF(ValueError, optim::RMSprop o({w}, {.alpha = -1})) ==
        "RMSprop: alpha is -1; expected a number in [0, 1)");
  CHECK(MESSAGE_OF(ValueError, optim::Adagrad o({w}, {.lr_decay = -.5})) ==
        "Adagrad: lr_decay is -0.5; expected a finite number of at least 0");
  CHECK(MESSAGE_OF(ValueError, optim::Adagrad o({w}, {.initial_accumulator_value = -1})) ==
        "Adagrad: initial_accumulator_value is -1; expected a finite number of at least 0");
}

TEST_CASE("nesterov without momentum, or with dampening, is refused") {
  const Tensor w = leaf(ones({2, 3}));
  CHECK(MESSAGE_OF(ValueError, optim::SGD o({w}, {.nesterov = true})) ==
        "SGD: nesterov needs a momentum and no dampening; momentum is 0, dampening is 0");
  CHECK(MESSAGE_OF(ValueError, optim::SGD o({w}, {.momentum = .9, .dampening = .5, .nesterov = true})) ==
        "SGD: nesterov needs a momentum and no dampening; momentum is 0.9, dampening is 0.5");
}

TEST_CASE("a fault in one of several groups names the group") {
  const Tensor a = leaf(ones({2, 3})), b = leaf(ones({2, 3}));
  CHECK(MESSAGE_OF(ValueError, optim::Adam o{{{{a}, {.lr = 1e-3}}, {{b}, {.lr = -2}}}}) ==
        "Adam: group 1: lr is -2; expected a finite number of at least 0");
  CHECK(MESSAGE_OF(ValueError, optim::Adam o{{{{a}, {.lr = 1e-3}}, {{}, {}}}}) ==
        "Adam: group 1: the list of parameters is empty");
}

TEST_CASE("parameters that cannot be optimised are refused") {
  const Tensor w = leaf(ones({2, 3})), b = leaf(ones({2, 3})), constant = ones({2});
  CHECK(MESSAGE_OF(ValueError, optim::SGD o(std::vector<Tensor>{})) ==
        "SGD: the list of parameters is empty; pass model.parameters()");
  CHECK(MESSAGE_OF(ValueError, optim::SGD o({w, Tensor()})) ==
        "SGD: parameter 1 is undefined (default-built); give it a value first");
  CHECK(MESSAGE_OF(GraphError, optim::SGD o({constant, ones({3})})) ==
        "SGD: none of the 2 parameters requires a gradient; call set_requires_grad(true) on those to be trained");
  CHECK(MESSAGE_OF(GraphError, optim::SGD o({w * 2})) ==
        "SGD: parameter 0, (2, 3), is the result of multiply; only leaves can be optimised: pass what it was computed "
        "from, or detach().set_requires_grad(true)");
  CHECK(MESSAGE_OF(ValueError, optim::SGD o({w, b, w})) ==
        "SGD: parameter 0 and parameter 2 are the same tensor; pass each parameter once");
  CHECK(MESSAGE_OF(ValueError, optim::SGD o({w, constant, constant})) ==
        "SGD: parameter 1 and parameter 2 are the same tensor; pass each parameter once");
  CHECK(MESSAGE_OF(ValueError, optim::Adam o{{{{w}, {}}, {{b, w}, {}}}}) ==
        "Adam: parameter 0 (group 0) and parameter 2 (group 1) are the same tensor; pass each parameter once");
}

TEST_CASE("a learning rate is read and set, for all groups or for one, and checked") {
  const Tensor a = leaf(ones({2, 3})), b = leaf(ones({2, 3}));
  optim::RMSprop optimizer{{{{a}, {.lr = 1}}, {{b}, {.lr = 2}}}};
  CHECK(optimizer.group_count() == 2);
  CHECK(optimizer.lr() == 1);
  CHECK(optimizer.lr(1) == 2);
  optimizer.set_lr(.5);
  CHECK(optimizer.lr(0) == .5);
  CHECK(optimizer.lr(1) == .5);
  optimizer.set_lr(.25, 1);
  CHECK(optimizer.lr(0) == .5);
  CHECK(optimizer.lr(1) == .25);
  CHECK(MESSAGE_OF(ValueError, optimizer.set_lr(-1)) == "set_lr: lr is -1; expected a finite number of at least 0");
  CHECK(MESSAGE_OF(ValueError, optimizer.set_lr(1, 2)) == "set_lr: there is no group 2; RMSprop has 2");
  CHECK(MESSAGE_OF(ValueError, (void)optimizer.lr(7)) == "lr: there is no group 7; RMSprop has 2");
}

TEST_CASE("a parameter converted after its first step is refused, and nothing is changed") {
  Tensor a = leaf(ones({2, 3})), b = leaf(ones({2, 3}));
  optim::Adam optimizer{{a, b}};
  a.set_grad(ones({2, 3}));
  b.set_grad(ones({2, 3}));
  optimizer.step();
  const float before = a.data<float>()[0];
  b.reset_array(ones({2, 3}, {.dtype = f64}).array());
  a.set_grad(ones({2, 3}));
  CHECK(MESSAGE_OF(DtypeError, optimizer.step()) ==
        "Adam: parameter 1 was f32 (2, 3) and is f64 (2, 3) now; convert a model before its optimiser is made");
  CHECK(a.data<float>()[0] == before);
}
