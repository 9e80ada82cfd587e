// How a run begins: anew, or where a checkpoint stood.
#include <algorithm>
#include <autograd/ops.hpp>
#include <cmath>
#include <iterator>
#include <nn/training/diagnosis.hpp>
#include <nn/training/facts.hpp>
#include <nn/training/fit.hpp>

namespace xgrad::nn::detail {

Fit::Fit(Trainer& trainer, const Examples& data, FitOptions options, Place place)
    : Run(trainer, place), options_(std::move(options)), state_(*trainer.state_), metrics_(trainer.options_.metrics) {
  const OpScope scope("fit", place);
  if (state_.running) scope.fail<ValueError>("this trainer is in a run; a callback cannot begin another one");
  check_options(scope, options_, trainer.loss_, data.size());
  if (!state_.goes_on) {
    state_ = RunState();
    state_.rows = data.size();
    state_.batch_size = options_.batch_size;
    state_.seed = options_.seed ? *options_.seed : detail::drawn_seed();
  } else {
    if (state_.rows != data.size() || state_.batch_size != options_.batch_size)
      scope.fail<ValueError>("the checkpoint is of a run on ", state_.rows, " rows in batches of ", state_.batch_size,
                             ", and this is one on ", data.size(), " in batches of ", options_.batch_size,
                             "; pass the same data and batch_size");
    if (options_.seed && *options_.seed != state_.seed)
      scope.fail<ValueError>("the checkpoint is of a run with seed ", state_.seed, ", and this one has seed ",
                             *options_.seed, "; pass the same seed, or none");
    if (state_.batch > 0 && state_.metrics.size() != metrics_.size())
      scope.fail<ValueError>("the checkpoint is of a run with ", state_.metrics.size(), " metrics, and this one has ",
                             metrics_.size(), "; give the trainer the same metrics");
  }
  split(data);
  std::vector<CallbackHandle> ordered;
  for (const bool last : {false, true})
    std::copy_if(options_.callbacks.begin(), options_.callbacks.end(), std::back_inserter(ordered),
                 [&](const CallbackHandle& c) { return c->comes_last() == last; });
  options_.callbacks = std::move(ordered);
  if (options_.sample_weight.defined()) sample_weight_ = options_.sample_weight.detach();
  epochs_ = options_.epochs;
  batches_ = batch_count(training_->size(), options_.batch_size, false);
}

void Fit::split(const Examples& data) {
  validation_ = options_.validation.data();
  if (options_.validation.share() == 0) {
    training_ = data;
    return;
  }
  const auto held_out =
      static_cast<std::int64_t>(std::llround(options_.validation.share() * static_cast<double>(data.size())));
  const std::int64_t left = data.size() - held_out;
  if (held_out == 0 || left == 0)
    OpScope("fit", place_)
        .fail<ValueError>("a share of ", options_.validation.share(), " of ", data.size(), " rows leaves ", left,
                          " to train on and ", held_out, " to validate on");
  const Tensor order = detail::seeded_order(data.size(), state_.seed, ~std::uint64_t{0});
  const Tensor kept = slice(order, 0, 0, left);
  training_ = data.subset(kept);
  validation_ = data.subset(slice(order, 0, left, data.size()));
  if (options_.sample_weight.defined()) options_.sample_weight = take(options_.sample_weight, kept, 0);
}

void Fit::look_at(const TrainingBatch& first) {
  for (std::string& doubt : doubts(trainer_.loss_, first.inputs, training_->labels())) warn(std::move(doubt));
  state_.history.set_facts(facts_of(options_, trainer_.loss_, trainer_.optimizer_, first, training_->size(),
                                    validation_ ? validation_->size() : 0, state_.seed));
}

void Fit::load_callbacks() {
  std::vector<std::pair<std::string, StateDict>> left = std::move(state_.callbacks);
  state_.callbacks.clear();
  tell([&](Callback& callback) {
    const std::string name = callback.name();
    const auto found = std::find_if(left.begin(), left.end(), [&](const auto& entry) { return entry.first == name; });
    callback.load_state_dict(found == left.end() ? StateDict() : found->second);
    if (found != left.end()) left.erase(found);
  });
}

void Fit::start() {
  load_callbacks();
  trainer_.average_.reset();
  if (options_.average > 0) {
    std::vector<Tensor> trained = trainer_.model_.parameters(place_);
    std::erase_if(trained, [](const Tensor& p) { return !p.requires_grad(); });
    trainer_.average_ = std::make_unique<optim::Averaged>(std::move(trained),
                                                          optim::AveragedOptions{.decay = options_.average}, place_);
    if (!state_.average.empty()) trainer_.average_->load_state_dict(state_.average, place_);
  }
  trainer_.steps_->begin(options_);
  if (options_.progress) progress_.emplace(options_.epochs, training_->size());
  tell([&](Callback& callback) { callback.before_run(*this); });
  trainer_.steps_->check_finite(checks_finite_);
  if (checks_finite_)
    for (auto& [name, buffer] : trainer_.model_.named_buffers(place_)) buffers_.push_back(std::move(buffer));
  if (!std::exchange(state_.goes_on, false)) return;
  set_random_state(state_.random);
  if (state_.batch == 0) return;
  for (std::size_t i = 0; i < metrics_.size(); ++i) metrics_[i].load_state_dict(state_.metrics[i], place_);
}

}  // namespace xgrad::nn::detail
