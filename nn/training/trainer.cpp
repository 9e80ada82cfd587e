#include <algorithm>
#include <autograd/grad_mode.hpp>
#include <autograd/ops.hpp>
#include <nn/modules/mode.hpp>
#include <nn/training/fit.hpp>
#include <set>

namespace xgrad::nn {
namespace {

void check_batch_size(const OpScope& scope, std::int64_t size) {
  if (size < 1) scope.fail<ValueError>("batch_size is ", size, "; expected at least 1");
}

}  // namespace

std::string Callback::name() const { return detail::type_name(typeid(*this)); }

Trainer::Trainer(Module& model, xgrad::detail::TensorFunction forward, optim::Optimizer& optimizer, Loss loss,
                 TrainerOptions options, Place place)
    : model_(model),
      forward_(forward),
      optimizer_(optimizer),
      loss_(std::move(loss)),
      options_(std::move(options)),
      place_(place),
      steps_(std::make_unique<detail::Steps>(*this)),
      state_(std::make_unique<detail::RunState>()) {
  std::set<std::string> names{"epoch", "loss", "validation_loss", "lr"};
  for (const Metric& metric : options_.metrics)
    for (const std::string& name : {metric.name(), "validation_" + metric.name()})
      if (!names.insert(name).second)
        OpScope("Trainer", place_)
            .fail<ValueError>("two scores are called '", name, "'; give a metric another name by .named(...)");
}

Trainer::~Trainer() = default;

const History& Trainer::history() const { return state_->history; }
const std::string& Trainer::capture_refusal() const { return steps_->refusal(); }

Tensor Trainer::forward(const std::vector<Tensor>& inputs) const {
  forward_.check_takes(OpScope("Trainer", place_), inputs.size());
  std::vector<Tensor> outputs = forward_(inputs);
  if (outputs.size() != 1)
    OpScope("Trainer", place_)
        .fail<ValueError>("the model returned ", outputs.size(),
                          " tensors; expected one, or a "
                          "train_step of your own");
  return std::move(outputs[0]);
}

StepResult Trainer::train_step(const TrainingBatch& batch) { return steps_->run(batch); }

History Trainer::fit(const Examples& data, FitOptions options, Place place) {
  return detail::Fit(*this, data, std::move(options), place).run();
}

Scores Trainer::evaluate(const Examples& data, EvaluateOptions options, Place place) {
  check_batch_size(OpScope("evaluate", place), options.batch_size);
  const NoGrad guard;
  const detail::ModeScope mode(model_, false, place);
  const detail::Averages averages(average_.get(), place);
  Average average;
  std::vector<Metric> metrics = options_.metrics;
  for (Metric& metric : metrics) metric.reset();
  for (std::int64_t at = 0; at < data.size(); at += options.batch_size) {
    const std::int64_t stop = std::min(at + options.batch_size, data.size());
    TrainingBatch batch;
    batch.inputs = data.range(at, stop);
    batch.target = std::move(batch.inputs.back());
    batch.inputs.pop_back();
    const Tensor prediction = forward(batch.inputs);
    average.add(this->loss(prediction, batch).item<double>(), loss_.counted(batch.target, stop - at));
    for (Metric& metric : metrics) metric.update(prediction, batch.target, place);
  }
  Scores scores;
  scores.set("loss", average.value());
  for (const Metric& metric : metrics) scores.set(metric.name(), metric.value());
  return scores;
}

Tensor Trainer::predict(const Tensor& x, EvaluateOptions options, Place place) {
  return predict(std::vector<Tensor>{x}, options, place);
}

Tensor Trainer::predict(const std::vector<Tensor>& inputs, EvaluateOptions options, Place place) {
  {
    const OpScope scope("predict", place);
    check_batch_size(scope, options.batch_size);
    if (inputs.empty()) scope.fail<ValueError>("there is no input");
    for (const Tensor& x : inputs)
      if (x.ndim() == 0 || x.shape()[0] != inputs[0].shape()[0])
        scope.fail("the inputs must have equally many rows; one is ", x.shape(), ", the first is ", inputs[0].shape());
  }
  const NoGrad guard;
  const detail::ModeScope mode(model_, false, place);
  const detail::Averages averages(average_.get(), place);
  const std::int64_t rows = inputs[0].shape()[0];
  std::vector<Tensor> parts;
  std::int64_t at = 0;
  do {
    const std::int64_t stop = std::min(at + options.batch_size, rows);
    std::vector<Tensor> some;
    for (const Tensor& x : inputs) some.push_back(slice(x, 0, at, stop));
    parts.push_back(forward(some).detach());
    at = stop;
  } while (at < rows);
  return parts.size() == 1 ? parts[0] : concatenate(parts, 0, place);
}

}  // namespace xgrad::nn
