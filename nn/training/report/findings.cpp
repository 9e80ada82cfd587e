// Looks at what a trained model does with test data.
#include <algorithm>
#include <autograd/grad_mode.hpp>
#include <autograd/ops.hpp>
#include <autograd/support/markup.hpp>
#include <cmath>
#include <nn/training/metrics/common.hpp>
#include <nn/training/report/findings.hpp>

namespace xgrad::nn::detail {
namespace {

constexpr std::int64_t rows_at_once = 1000;

bool all_are_0_or_1(const Tensor& t) { return all(logical_or(t == 0, t == 1)).item<bool>(); }

/// Which class each row of (..., classes) says.
std::vector<std::int64_t> largest(const Tensor& scores) {
  const Tensor t = argmax(scores, -1);
  return {t.data<std::int64_t>(), t.data<std::int64_t>() + t.size()};
}

Tensor row_of(const Tensor& t, std::int64_t row) { return slice(t, 0, row, row + 1); }

}  // namespace

Findings Findings::of(Trainer& trainer, const Examples& test, const ReportOptions& options, Place place) {
  const NoGrad guard;
  Findings found;
  found.predict(trainer, test, place);
  found.scores = trainer.evaluate(test, {}, place);
  const Tensor raw = found.prediction;  // as the loss takes it
  found.tell_task(trainer.loss_);
  found.name_classes(options, place);
  found.rank(trainer, test, raw, options.mistakes);
  return found;
}

void Findings::predict(Trainer& trainer, const Examples& test, Place place) {
  rows = test.size();
  UnitWatch watch;
  std::vector<Tensor> predictions, targets;
  for (std::int64_t at = 0; at < rows; at += rows_at_once) {
    const std::int64_t stop = std::min(at + rows_at_once, rows);
    std::vector<Tensor> batch = test.range(at, stop);
    targets.push_back(std::move(batch.back()));
    batch.pop_back();
    watch.begin(stop - at);
    {
      const Observing observing(watch);
      predictions.push_back(trainer.predict(batch, {.batch_size = rows_at_once}, place));
    }
    watch.end();
  }
  prediction = concatenate(predictions, 0);
  target = concatenate(targets, 0);
  units = watch.found();
}

void Findings::tell_task(const Loss& loss) {
  if (prediction.shape() == target.shape() && all_are_0_or_1(target)) {
    const bool probable = all(logical_and(prediction >= 0, prediction <= 1)).item<bool>();
    const bool one_of_several =
        is_of_classes(prediction) && !loss.is_binary() && all(sum(target.to(f64), -1) == 1).item<bool>();
    task = one_of_several ? Task::classes : loss.is_binary() || probable ? Task::binary : Task::other;
  } else if (is_of_classes(prediction) && target.dtype() == i64 && target.ndim() == prediction.ndim() - 1 &&
             all(logical_and(target >= 0, target < prediction.shape()[-1])).item<bool>()) {
    task = Task::classes;
  }
  if (task == Task::other) return;
  if (task == Task::binary && loss.takes_logits()) prediction = sigmoid(prediction);
  // Two classes are counted element by element, also where each row has several answers.
  const bool flat = task == Task::binary;
  Metric table = confusion_table;
  table.update(flat ? flatten(prediction) : prediction, flat ? flatten(target) : target);
  counts = table.counts();
}

void Findings::name_classes(const ReportOptions& options, Place place) {
  const OpScope scope("write_report", place);
  const auto count = task == Task::other ? std::size_t{0} : static_cast<std::size_t>(counts.shape()[0]);
  classes = options.classes;
  if (!classes.empty() && classes.size() != count)
    scope.fail<ValueError>("classes has ", classes.size(), " names, and ",
                           count == 0 ? "the targets are no classes" : text("there are ", count, " classes"));
  for (std::size_t c = classes.size(); c < count; ++c) classes.push_back(std::to_string(c));
}

/// Whether each answer is right; nothing where there are no classes.
std::vector<bool> Findings::right() const {
  std::vector<bool> is_right;
  if (task == Task::binary) {
    const std::vector<double> p = numbers_of(prediction), t = numbers_of(target);
    for (std::size_t i = 0; i < p.size(); ++i) is_right.push_back((p[i] > 0.5) == (t[i] == 1));
  } else if (task == Task::classes) {
    const std::vector<std::int64_t> said = largest(prediction), truth = class_targets(prediction, target);
    for (std::size_t i = 0; i < said.size(); ++i) is_right.push_back(said[i] == truth[i]);
  }
  return is_right;
}

void Findings::rank(const Trainer& trainer, const Examples& test, const Tensor& raw, std::int64_t most) {
  const std::vector<bool> is_right = right();
  const auto answers = static_cast<std::ptrdiff_t>(is_right.size()) / rows;
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto first = is_right.begin() + row * answers;
    if (answers > 0 && std::all_of(first, first + answers, [](bool r) { return r; })) continue;
    TrainingBatch batch;
    batch.target = row_of(target, row);
    if (trainer.loss_.counted(batch.target, 1) == 0) continue;
    mistakes.push_back({row, trainer.loss(row_of(raw, row), batch).item<double>(), {}, {}, {}});
  }
  wrong = static_cast<std::int64_t>(mistakes.size());
  std::stable_sort(mistakes.begin(), mistakes.end(), [](const Mistake& a, const Mistake& b) {
    return std::isnan(a.loss) ? !std::isnan(b.loss) : a.loss > b.loss;
  });
  mistakes.resize(std::min(mistakes.size(), static_cast<std::size_t>(most)));
  for (Mistake& m : mistakes) {
    m.predicted = words(row_of(prediction, m.row));
    m.truth = words(row_of(target, m.row));
    const std::vector<Tensor> parts = test.batch(full({1}, m.row, {.dtype = i64}));
    if (parts.size() > 1 && parts[0].defined()) m.input = select(parts[0], 0, 0);
  }
}

/// A row of predictions or targets as one would say it.
std::string Findings::words(const Tensor& values) const {
  const std::vector<double> v = numbers_of(values);
  const auto name = [this](std::size_t c) { return c < classes.size() ? classes[c] : std::to_string(c); };
  if (task == Task::classes && values.ndim() == 2) return name(static_cast<std::size_t>(largest(values)[0]));
  if (task == Task::classes && v.size() == 1) return name(static_cast<std::size_t>(v[0]));
  if (task == Task::binary && v.size() == 1) {
    const bool whole = v[0] == 0 || v[0] == 1;
    return text(name(v[0] > 0.5 ? 1 : 0), whole ? "" : text(" (", xgrad::detail::brief(v[0], 3), ")"));
  }
  std::string all;
  constexpr std::size_t most = 6;
  for (std::size_t i = 0; i < std::min(v.size(), most); ++i)
    all += text(i > 0 ? ", " : "", xgrad::detail::brief(v[i], 3));
  return all + (v.size() > most ? ", …" : "");
}

}  // namespace xgrad::nn::detail
