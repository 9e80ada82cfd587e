// The learning-rate range test.
#include <algorithm>
#include <autograd/backward.hpp>
#include <autograd/chart.hpp>
#include <autograd/grad_mode.hpp>
#include <cmath>
#include <limits>
#include <nn/training/find_lr.hpp>

namespace xgrad::nn {
namespace {

void check(const OpScope& scope, const FindLrOptions& o) {
  if (!(o.min_lr > 0 && o.min_lr < o.max_lr && std::isfinite(o.max_lr)))
    scope.fail<ValueError>("the rates go from ", o.min_lr, " to ", o.max_lr, "; expected 0 < min_lr < max_lr");
  if (o.steps < 2) scope.fail<ValueError>("steps is ", o.steps, "; expected at least 2");
  if (!(o.smoothing >= 0 && o.smoothing < 1))
    scope.fail<ValueError>("smoothing is ", o.smoothing, "; expected a number in [0, 1)");
  if (!(o.divergence > 1)) scope.fail<ValueError>("divergence is ", o.divergence, "; expected a number above 1");
}

/// All that training changes, to be put back.
class Before {
 public:
  Before(Module& model, optim::Optimizer& optimizer, Loader& loader, Place place)
      : model_(model),
        optimizer_(optimizer),
        loader_(loader),
        place_(place),
        model_state_(model.state_dict(place)),
        optimizer_state_(optimizer.state_dict()),
        parameters_(model.parameters(place)),
        epoch_(loader.epoch()),
        random_(random_state()) {
    for (Tensor& p : parameters_) {
      gradients_.push_back(p.grad());
      p.zero_grad();
    }
  }
  void restore() {
    model_.load_state_dict(model_state_, {}, place_);
    optimizer_.load_state_dict(optimizer_state_, place_);
    for (std::size_t i = 0; i < parameters_.size(); ++i) parameters_[i].set_grad(gradients_[i], place_);
    loader_.set_epoch(epoch_);
    set_random_state(random_);
  }

 private:
  Module& model_;
  optim::Optimizer& optimizer_;
  Loader& loader_;
  Place place_;
  StateDict model_state_, optimizer_state_;
  std::vector<Tensor> parameters_, gradients_;
  std::uint64_t epoch_;
  RandomState random_;
};

/// The batches of one epoch after the other.
class Batches {
 public:
  explicit Batches(Loader& loader) : loader_(loader), next_(loader.begin()) {}
  Batch take() {
    if (next_.done()) next_ = loader_.begin();
    Batch batch = *next_;
    ++next_;
    return batch;
  }
  bool empty() const { return next_.done(); }

 private:
  Loader& loader_;
  Loader::Iterator next_;
};

}  // namespace

LrRange detail::find_lr(Module& model, const xgrad::detail::TensorFunction& forward, optim::Optimizer& optimizer,
                        const Loss& loss, Loader& loader, const FindLrOptions& options, Place place) {
  check(OpScope("find_lr", place), options);
  if (loader.size() == 0) OpScope("find_lr", place).fail<ValueError>("the loader has no batch to train on");
  const EnableGrad recording;
  Before before(model, optimizer, loader, place);
  LrRange range;
  try {
    Batches batches(loader);
    double average = 0, least = std::numeric_limits<double>::infinity();
    for (std::int64_t i = 0; i < options.steps; ++i) {
      const double way = static_cast<double>(i) / static_cast<double>(options.steps - 1);
      const double lr = options.min_lr * std::pow(options.max_lr / options.min_lr, way);
      optimizer.set_lr(lr, place);
      const Batch batch = batches.take();
      const Tensor value = loss(forward({batch.x}).at(0), batch.y, Tensor(), place);
      const double now = value.item<double>(place);
      average = options.smoothing * average + (1 - options.smoothing) * now;
      const double smoothed = average / (1 - std::pow(options.smoothing, static_cast<double>(i + 1)));
      if (i == 0 && !std::isfinite(now))
        OpScope("find_lr", place).fail<ValueError>("the loss is ", now, " at min_lr ", lr, ", before any step");
      range.lr.push_back(lr);
      range.loss.push_back(now);
      range.smoothed.push_back(smoothed);
      if (!std::isfinite(smoothed) || smoothed > least + (options.divergence - 1) * std::abs(least)) break;
      least = std::min(least, smoothed);
      optimizer.zero_grad();
      value.backward({}, place);
      optimizer.step(place);
    }
  } catch (...) {
    before.restore();
    throw;
  }
  before.restore();
  const auto best = std::min_element(range.smoothed.begin(), range.smoothed.end());
  range.suggestion = range.lr[static_cast<std::size_t>(best - range.smoothed.begin())] / 10;
  return range;
}

std::string LrRange::to_svg() const {
  double top = -std::numeric_limits<double>::infinity();
  for (const double v : smoothed)
    if (std::isfinite(v)) top = std::max(top, v);
  Curve batches{.x = lr, .y = loss, .name = "loss", .dots = true};
  const Curve average{.x = lr, .y = smoothed, .name = "smoothed", .colour = "#d9622b"};
  for (double& v : batches.y)  // single batches that shot up would leave the rest flat
    if (v > std::max(2 * top, top)) v = std::numeric_limits<double>::quiet_NaN();
  return xgrad::to_svg(Charts{
      {{.title = "Loss by learning rate", .curves = {batches, average}, .x = {.label = "lr", .logarithmic = true}}}});
}

}  // namespace xgrad::nn
