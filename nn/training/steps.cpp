#include <algorithm>
#include <autograd/core/capturing.hpp>
#include <autograd/ops.hpp>
#include <autograd/ops/numbers_read.hpp>
#include <cmath>
#include <nn/training/diagnosis.hpp>
#include <nn/training/steps.hpp>
#include <optim/clip.hpp>

#include <cstring>

namespace xgrad::nn::detail {
namespace {

// A shape that comes once an epoch, the last batch's, is worth a capture; a new shape in each batch is not.
constexpr std::size_t most_signatures = 6;

// A capture is tried, and confirmed by another one or two; until then what a step changes can be put back.
constexpr int calls_to_confirm = 4;

/// Whether all exponents are below the largest one, which infinities and NaN have.
template <class Bits>
bool all_below(const void* numbers, std::int64_t n, Bits exponent) {
  const auto* const p = static_cast<const std::byte*>(numbers);
  Bits found = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    Bits bits;
    std::memcpy(&bits, p + i * static_cast<std::int64_t>(sizeof bits), sizeof bits);
    found |= static_cast<Bits>((bits & exponent) == exponent);
  }
  return found == 0;
}

bool all_finite(const Array& array) {
  return array.dtype() == f32 ? all_below<std::uint32_t>(array.data(), array.size(), 0x7f800000)
                              : all_below<std::uint64_t>(array.data(), array.size(), 0x7ff0000000000000);
}

template <class T>
void check_loss(const T* loss) {
  if (!std::isfinite(*loss)) throw NotFinite{"the loss"};
}

bool is_refusal(const GraphError& error) {
  return std::string_view(error.what()).find("capture: ") != std::string::npos;
}

}  // namespace

void Steps::begin(const FitOptions& options) {
  clip_norm_ = options.clip_norm;
  clip_value_ = options.clip_value;
  checks_finite_ = false;
  named_ = trainer_.model_.named_parameters(trainer_.place_);
  parameters_ = trainer_.model_.parameters(trainer_.place_);
  captured_.reset();
  signatures_.clear();
  refusal_.clear();
  unused_.clear();
  first_ = true;
}

void Steps::check_finite(bool on) {
  if (checks_finite_ == on) return;
  checks_finite_ = on;
  captured_.reset();
}

void Steps::clip() const {
  if (clip_value_ > 0) optim::clip_grad_value(parameters_, clip_value_, trainer_.place_);
  if (clip_norm_ > 0) optim::clip_grad_norm(named_, clip_norm_, {}, trainer_.place_);
}

void Steps::check_gradients(const Steps* self) {
  for (const Tensor& p : self->parameters_)
    if (const Tensor g = p.grad(); g.defined() && !all_finite(g.array())) throw NotFinite{"a gradient"};
}

StepResult Steps::eager(const TrainingBatch& batch, bool applies) {
  const Place place = trainer_.place_;
  const Tensor prediction = trainer_.forward(batch.inputs);
  if (first_) check_output(trainer_.loss_, prediction, place);
  const Tensor loss = trainer_.loss(prediction, batch);
  if (batch.first) trainer_.optimizer_.zero_grad();
  (batch.share == 1 ? loss : Tensor(Operand(loss, place) * Operand(batch.share, place.file, place.line)))
      .backward({}, place);
  if (std::exchange(first_, false)) {
    for (const auto& [name, p] : named_)
      if (p.requires_grad() && !p.has_grad()) unused_.push_back(name);
  }
  if (checks_finite_ && applies) {
    capturing::keep(loss);
    if (loss.dtype() == f32) {
      capturing::repeat(check_loss<float>, loss.data<float>());
    } else {
      capturing::repeat(check_loss<double>, loss.data<double>());
    }
  }
  if (batch.last && applies) {
    if (checks_finite_) capturing::repeat(check_gradients, this);
    clip();
    trainer_.optimizer_.step(place);
    if (trainer_.average_) trainer_.average_->update(place);
  }
  return {loss.detach(), prediction.detach()};
}

Steps::Signature* Steps::signature_of(const TrainingBatch& batch) {
  Signature now;
  const auto add = [&](const Tensor& t) {
    now.parts.emplace_back(t.defined(), t.defined() ? t.dtype() : f32, t.defined() ? t.shape() : Shape{});
  };
  for (const Tensor& input : batch.inputs) add(input);
  add(batch.target);
  add(batch.weight);
  const auto found =
      std::find_if(signatures_.begin(), signatures_.end(), [&](const Signature& s) { return s.parts == now.parts; });
  if (found != signatures_.end()) return &*found;
  if (signatures_.size() == most_signatures) return nullptr;
  signatures_.push_back(std::move(now));
  return &signatures_.back();
}

StepResult Steps::run(const TrainingBatch& batch) {
  if (!trainer_.options_.capture || first_ || !refusal_.empty() || !batch.first || !batch.last ||
      xgrad::detail::runs_plainly())
    return eager(batch);
  Signature* const signature = signature_of(batch);
  if (!signature || signature->calls++ == 0) return eager(batch);
  if (signature->calls > calls_to_confirm) return captured(batch);

  const StateDict model = trainer_.model_.state_dict(trainer_.place_), optimizer = trainer_.optimizer_.state_dict();
  const StateDict average = trainer_.average_ ? trainer_.average_->state_dict(trainer_.place_) : StateDict();
  const RandomState random = random_state();
  try {
    return captured(batch);
  } catch (const GraphError& error) {
    if (!is_refusal(error)) throw;
    refusal_ = error.what();
  }
  captured_.reset();
  trainer_.model_.load_state_dict(model, {}, trainer_.place_);
  trainer_.optimizer_.load_state_dict(optimizer, trainer_.place_);
  if (trainer_.average_) trainer_.average_->load_state_dict(average, trainer_.place_);
  set_random_state(random);
  return eager(batch);
}

StepResult Steps::captured(const TrainingBatch& batch) {
  std::vector<const Tensor*> arguments;
  for (const Tensor& input : batch.inputs) arguments.push_back(&input);
  arguments.push_back(&batch.target);
  arguments.push_back(&batch.weight);
  arguments.push_back(nullptr);
  const std::size_t inputs = batch.inputs.size();
  const auto body = [&](const Tensor* passed, std::vector<Tensor>& results) {
    TrainingBatch same;
    same.inputs.assign(passed, passed + inputs);
    same.target = passed[inputs];
    same.weight = passed[inputs + 1];
    StepResult result = eager(same);
    results = {std::move(result.loss), std::move(result.prediction)};
  };
  capturing::numbers_read = false;
  captured_.run(arguments.data(), arguments.size() - 1, body);
  StepResult result{captured_.result(0), captured_.result(1)};
  if (capturing::numbers_read) {  // this step was captured, and so done op by op; replays would go another way
    refusal_ = "the step reads numbers by item(), and may do by them what a replay would not do";
    captured_.reset();
  }
  return result;
}

}  // namespace xgrad::nn::detail
