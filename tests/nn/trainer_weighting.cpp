#include <doctest/doctest.h>

#include "nn/trainer_support.hpp"
#include "support.hpp"

using namespace xgrad;

/// How much rows, batches and targets count beside one another.

TEST_CASE("the gradients of accumulated batches are those of the batch that they make up, uneven ones too") {
  const nn::TensorDataset data = blobs(26);
  const auto trained = [&](std::int64_t batch, std::int64_t accumulate) {
    manual_seed(1);
    nn::Sequential model{nn::Dense{4, 3, {}}, nn::Tanh{}, nn::Dense{3, 1}, nn::Sigmoid{}};
    optim::SGD optimizer{model.parameters(), {.lr = 0.5}};
    nn::Trainer trainer{model, optimizer, nn::binary_cross_entropy};
    trainer.fit(data, quiet({.epochs = 4, .batch_size = batch, .seed = 2, .accumulate = accumulate}));
    return model;
  };
  const nn::Sequential whole = trained(12, 1), parts = trained(4, 3);
  for (std::size_t i = 0; i < 4; ++i) check_close(whole.parameters()[i], to_vector(parts.parameters()[i]), 1e-5);
}

TEST_CASE("targets that are ignored count for nothing: in accumulated batches, in losses, and in weighted ones") {
  manual_seed(9);
  // Of batches of 4 the first has three targets that count, the second one, the third none.
  const Tensor x = randn({12, 2}), t = tensor({0, 1, 2, -100, -100, -100, 1, -100, -100, -100, -100, -100}, i64);
  const nn::TensorDataset data(x, t);
  const auto run = [&](std::int64_t batch, std::int64_t accumulate, nn::FitOptions options) {
    manual_seed(1);
    nn::Sequential model{nn::Dense{2, 3}};
    optim::SGD optimizer{model.parameters(), {.lr = 0.5}};
    nn::Trainer trainer{model, optimizer, nn::cross_entropy};
    options.batch_size = batch, options.accumulate = accumulate, options.shuffle = false, options.epochs = 2;
    const nn::History history = trainer.fit(data, quiet(options));
    std::vector<double> numbers = to_vector(model.parameters()[0]);
    numbers.push_back(history["loss"][0]);
    numbers.push_back(history["loss"][1]);
    numbers.push_back(trainer.evaluate(data, {.batch_size = batch})["loss"]);
    return from_values(numbers);
  };
  const std::vector<double> whole = to_vector(run(12, 1, {}));
  check_close(run(4, 3, {}), whole, 1e-6);
  // One row to a step: those that are ignored make none.
  CHECK(all(isfinite(run(1, 1, {}))).item<bool>());
  // Equal weights of rows change nothing, but what the loss is multiplied by.
  check_close(run(12, 1, {.sample_weight = ones({12})}), whole, 1e-6);
  check_close(run(4, 3, {.sample_weight = ones({12})}), whole, 1e-6);
  check_close(run(12, 1, {.class_weight = {1, 1, 1}}), whole, 1e-6);
}

TEST_CASE("a target that is no class has no factor") {
  const auto message = [](nn::Loss loss, const Tensor& t) {
    nn::Sequential model{nn::Dense{1, 1}};
    optim::SGD optimizer{model.parameters()};
    nn::Trainer trainer{model, optimizer, std::move(loss)};
    return message_of<ValueError>([&] {
      trainer.fit(nn::TensorDataset(ones({2, 1}), t), quiet({.class_weight = {1, 3}}));
    });
  };
  const std::string remedy = "; give a factor for each class, or weigh rows by sample_weight";
  CHECK(message(nn::hinge_loss, tensor({{1.}, {-1.}})) ==
        "fit: class_weight has 2 factors, for classes 0 to 1, and a target is -1" + remedy);
  CHECK(message(nn::binary_cross_entropy_with_logits, tensor({{1.}, {.5}})) ==
        "fit: class_weight has 2 factors, for classes 0 to 1, and a target is 0.5" + remedy);
}

TEST_CASE("rows weigh as they are told, by sample and by class; a weight of 2 is a row that comes twice") {
  const auto step = [](const nn::TensorDataset& data, nn::FitOptions options, std::int64_t rows) {
    manual_seed(4);
    nn::Sequential model{nn::Dense{2, 3}};
    optim::SGD optimizer{model.parameters(), {.lr = 1. * static_cast<double>(rows)}};  // sums instead of means
    nn::Trainer trainer{model, optimizer, nn::cross_entropy};
    options.batch_size = 16;
    options.shuffle = false;
    trainer.fit(data, quiet(options));
    return model.parameters()[0].detach().clone();
  };
  const Tensor x = randn({4, 2}), t = tensor({0., 1., 2., 1.}).to(i64);
  const Tensor twice =
      step(nn::TensorDataset(concatenate({x, slice(x, 0, 3, 4)}), concatenate({t, slice(t, 0, 3, 4)})), {}, 5);
  const Tensor weighted = step(nn::TensorDataset(x, t), {.sample_weight = tensor({1., 1., 1., 2.})}, 4);
  check_close(twice, to_vector(weighted), 1e-5);
  const Tensor both = step(nn::TensorDataset(x, t), {.sample_weight = tensor({1., 2., 1., 2.})}, 4);
  const Tensor by_class = step(nn::TensorDataset(x, t), {.class_weight = {1, 2, 1}}, 4);
  check_close(both, to_vector(by_class), 1e-5);
}
