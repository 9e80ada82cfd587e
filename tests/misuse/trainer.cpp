#include <filesystem>
#include <nn/nn.hpp>
#include <optim/optim.hpp>
#include <support.hpp>

using namespace xgrad;

namespace {

nn::TensorDataset rows(std::int64_t n) { return nn::TensorDataset(rand({n, 4}), ones({n, 1})); }

nn::FitOptions silent(nn::FitOptions options = {}) {
  options.progress = false;
  return options;
}

}  // namespace

TEST_CASE("runs with impossible options") {
  nn::Sequential model{nn::Dense{4, 1}, nn::Sigmoid{}};
  optim::SGD optimizer{model.parameters(), {.lr = 0.1}};
  nn::Trainer trainer{model, optimizer, nn::binary_cross_entropy};
  const nn::TensorDataset data = rows(8);
  SAYS("no rows", ValueError, trainer.fit(rows(0), silent()), "fit: there are no rows to train on");
  SAYS("negative epochs", ValueError, trainer.fit(data, silent({.epochs = -1})),
       "fit: epochs is -1; expected at least 0");
  SAYS("no batch", ValueError, trainer.fit(data, silent({.batch_size = 0})),
       "fit: batch_size is 0; expected at least 1");
  SAYS("a share of more than all", ValueError, trainer.fit(data, silent({.validation = 1.5})),
       "fit: validation is 1.5; expected a data set, or a share of the rows in [0, 1)");
  SAYS("a share of no row", ValueError, trainer.fit(data, silent({.validation = 0.01})),
       "fit: a share of 0.01 of 8 rows leaves 8 to train on and 0 to validate on");
  SAYS("no accumulation", ValueError, trainer.fit(data, silent({.accumulate = 0})),
       "fit: accumulate is 0; expected at least 1");
  SAYS("a negative norm", ValueError, trainer.fit(data, silent({.clip_norm = -1})),
       "fit: clip_norm is -1; expected at least 0");
  SAYS("too few weights", ShapeError, trainer.fit(data, silent({.sample_weight = ones({7})})),
       "fit: sample_weight is (7,); expected (8,), one for each row");
  SAYS("a weight below 0", ValueError, trainer.fit(data, silent({.class_weight = {1, -2}})),
       "fit: class_weight holds -2; expected finite numbers of at least 0");
  SAYS("batches of no row", ValueError, trainer.evaluate(data, {.batch_size = 0}),
       "evaluate: batch_size is 0; expected at least 1");
  SAYS("a single number", ShapeError, trainer.predict(tensor(1.)),
       "predict: the inputs must have equally many rows; one is (), the first is ()");
  const nn::Loss own = [](const Tensor& p, const Tensor& t) { return nn::mse_loss(p, t); };
  nn::Trainer with_own{model, optimizer, own};
  SAYS("weights for a loss that takes none", ValueError, with_own.fit(data, silent({.class_weight = {1, 2}})),
       "fit: this loss cannot weigh rows; take one of nn/losses.hpp, or a function of prediction, target and weight");
  SAYS("a run within a run", ValueError,
       trainer.fit(data, silent({.callbacks = {[&](nn::Run&) { trainer.fit(data, silent()); }}})),
       "fit: this trainer is in a run; a callback cannot begin another one");
}

TEST_CASE("a first batch that goes wrong names the line where model and loss were given to the trainer") {
  nn::Sequential model{nn::Dense{4, 3}};
  optim::SGD optimizer{model.parameters(), {.lr = 0.1}};
  const Tensor x = rand({8, 4});
  const auto fit = [&](nn::Trainer& trainer, const Tensor& t) { trainer.fit(nn::TensorDataset(x, t), silent()); };
  SAYS("a label that is no class", ValueError, nn::Trainer trainer(model, optimizer, nn::cross_entropy);
       fit(trainer, full({8}, 3, {.dtype = i64})),
       "cross_entropy: target 3 at position 0 is out of bounds for 3 classes");
  SAYS("targets of another shape", ShapeError, nn::Trainer trainer(model, optimizer, nn::mse_loss);
       fit(trainer, ones({8, 1})),
       "mse_loss: the prediction is (8, 3), the target is (8, 1), and a loss never broadcasts; both must have one "
       "shape");
  SAYS("logits where probabilities are wanted", ValueError, model.parameters()[0].detach().assign(full({4, 3}, 9));
       nn::Trainer trainer(model, optimizer, nn::binary_cross_entropy);
       trainer.fit(nn::TensorDataset(ones({8, 4}), ones({8, 3})), silent()),
       "binary_cross_entropy: the prediction holds 36 at position 0 of shape (8, 3); all must be between 0 and 1");
  nn::Sequential softmax{nn::Dense{4, 3}, nn::Softmax{}}, sigmoid{nn::Dense{4, 1}, nn::Sigmoid{}};
  optim::SGD of_softmax{softmax.parameters(), {.lr = 0.1}}, of_sigmoid{sigmoid.parameters(), {.lr = 0.1}};
  SAYS("softmax before a softmax", ValueError, nn::Trainer trainer(softmax, of_softmax, nn::cross_entropy);
       fit(trainer, zeros({8}, {.dtype = i64})),
       "fit: the loss takes logits and applies a softmax itself, but the model ends with a softmax; leave that out of "
       "the "
       "model, or take nn::nll_loss of log_softmax");
  SAYS("sigmoid before a sigmoid", ValueError,
       nn::Trainer trainer(sigmoid, of_sigmoid, nn::binary_cross_entropy_with_logits);
       fit(trainer, zeros({8, 1})),
       "fit: the loss takes logits and applies a sigmoid itself, but the model ends with a sigmoid; leave that out of "
       "the "
       "model, or take nn::binary_cross_entropy");
  SAYS("features of another number", ShapeError, nn::Trainer trainer(model, optimizer, nn::mse_loss);
       trainer.fit(nn::TensorDataset(rand({8, 5}), ones({8, 3})), silent()),
       "in model[0] (Dense 4 -> 3): dense: inner dimensions differ: x is (8, 5), w is (4, 3), b is (3,); x needs 4 "
       "features");
  nn::Sequential copy = sigmoid;
  optim::SGD of_copy{copy.parameters(), {.lr = 0.1}};
  SAYS("an optimiser of another model's parameters", GraphError,
       nn::Trainer trainer(sigmoid, of_copy, nn::binary_cross_entropy);
       fit(trainer, zeros({8, 1})),
       "SGD: none of the 2 parameters has a gradient; call backward after zero_grad and before step, on a loss that "
       "depends on them, and make the optimizer from the parameters of the very model that is trained: a copy has "
       "others, also the one that a growing std::vector makes");
}

TEST_CASE("callbacks with impossible options, or that look for what there is not") {
  nn::Sequential model{nn::Dense{4, 1}, nn::Sigmoid{}};
  optim::SGD optimizer{model.parameters(), {.lr = 0.1}};
  nn::Trainer trainer{model, optimizer, nn::binary_cross_entropy};
  const nn::TensorDataset data = rows(8);
  const auto fit = [&](nn::CallbackHandle callback) { trainer.fit(data, silent({.callbacks = {callback}})); };
  SAYS("negative patience", ValueError, nn::EarlyStopping({.patience = -1}),
       "EarlyStopping: patience is -1; expected at least 0");
  SAYS("a min_delta that is no number", ValueError, nn::EarlyStopping({.min_delta = NAN}),
       "EarlyStopping: min_delta is nan; expected at least 0");
  SAYS("a metric of no known direction", ValueError, fit(nn::EarlyStopping({.monitor = "f1"})),
       "EarlyStopping: is a lower or a higher 'f1' better? Say so by {.better = nn::higher} or nn::lower");
  SAYS("a name that there is not", ValueError, fit(nn::EarlyStopping({.monitor = "validation_loss"})),
       "EarlyStopping: there is no 'validation_loss' to look at; there is loss, lr");
  SAYS("never to save", ValueError, nn::Checkpoints("run.ckpt", {.every = 0}),
       "Checkpoints: every is 0; expected at least 1");
  SAYS("to keep a negative number", ValueError, nn::Checkpoints("run.ckpt", {.keep = -1}),
       "Checkpoints: keep is -1; expected at least 0");
  SAYS("a folder that there is not", FileError, fit(nn::Checkpoints("missing/run.ckpt")),
       "Checkpoints: cannot write 'missing/run.ckpt': creating a temporary file beside it: " + no_such_folder());
  const nn::History history = trainer.fit(data, silent());
  SAYS("a curve that there is not", ValueError, history["accuracy"],
       "History: there is no 'accuracy'; there is loss, lr");
  SAYS("a score that there is not", ValueError, trainer.evaluate(data)["accuracy"],
       "Scores: there is no 'accuracy'; there is loss");
  SAYS("an epoch that there was not", ValueError, history.epoch(1), "History: there is no epoch 1; there are 1");
  SAYS("no epoch to draw", ValueError, nn::History().to_svg(), "History: no epochs to draw");
}

TEST_CASE("reports that cannot be written or have nothing to compare with") {
  nn::Sequential model{nn::Dense{4, 1}, nn::Sigmoid{}};
  optim::SGD optimizer{model.parameters(), {.lr = 0.1}};
  std::size_t calls = 0;
  const nn::Loss counted = [&](const Tensor& p, const Tensor& t) {
    ++calls;
    return nn::mse_loss(p, t);
  };
  nn::Trainer trainer{model, optimizer, counted};
  const auto write = [&](const nn::Examples& test, nn::ReportOptions options, int line) {
    nn::write_report("misuse_report.html", trainer, {}, test, std::move(options), Place{__FILE__, line});
  };
  SAYS("a folder that is not there", FileError, nn::write_report("no/such/folder/report.html", trainer, {}, rows(8)),
       "write_report: cannot write 'no/such/folder/report.html': creating a temporary file beside it: " +
           no_such_folder());
  SAYS("no rows", ValueError, write(rows(0), {}, line), "write_report: the test data has no rows");
  SAYS("no targets", ValueError, write(nn::TensorDataset(rand({8, 4})), {}, line),
       "write_report: the test data has no targets, which a report compares predictions with");
  SAYS("fewer mistakes than none", ValueError, write(rows(8), {.mistakes = -1}, line),
       "write_report: mistakes is -1; expected at least 0");
  SAYS("an image of one axis", ShapeError, write(rows(8), {.image = {4}}, line),
       "write_report: image is (4,); expected (rows, columns), or (channels, rows, columns) with 1 or 3 channels");
  SAYS("an image of another size", ShapeError, write(rows(8), {.image = {2, 3}}, line),
       "write_report: image is (2, 3), and an input has 4 numbers");
  SAYS("too few columns", ValueError, write(rows(8), {.columns = {"a", "b"}}, line),
       "write_report: columns has 2 names, and a batch of inputs is (1, 4); name each column of (rows, columns)");
  CHECK(calls == 0);
  SAYS("too many classes", ValueError, write(rows(8), {.classes = {"a", "b", "c"}}, line),
       "write_report: classes has 3 names, and there are 2 classes");
  SAYS("classes of numbers", ValueError,
       write(nn::TensorDataset(rand({8, 4}), full({8, 1}, 0.5)), {.classes = {"a"}}, line),
       "write_report: classes has 1 names, and the targets are no classes");
  CHECK(!std::filesystem::exists("misuse_report.html"));
}
