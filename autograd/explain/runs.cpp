// Measures an explanation's derivatives by running the loss again.
#include <algorithm>
#include <autograd/explain/runs.hpp>
#include <autograd/grad_mode.hpp>
#include <cmath>
#include <cstring>
#include <optional>

namespace xgrad::detail {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

/// The same numbers, but for one element.
Array with_element(const Array& numbers, std::int64_t element, double value) {
  const Array copy = numbers.clone();
  Number(value).store(copy.dtype(), static_cast<std::byte*>(copy.data()) + at(element) * size_of(copy.dtype()));
  return copy;
}

}  // namespace

double number_at(const Tensor& t, std::int64_t element) {
  switch (t.dtype()) {
    case Dtype::f32:
      return static_cast<double>(t.data<float>()[element]);
    case Dtype::f64:
      return t.data<double>()[element];
    case Dtype::i64:
      return static_cast<double>(t.data<std::int64_t>()[element]);
    case Dtype::boolean:
      break;
  }
  return t.data<bool>()[element];
}

Runs::Runs(const Program& program, const std::vector<const TracedOp*>& ops, const Tensor& parameter, RandomState random,
           const OpScope& scope)
    : program_(program), ops_(ops), parameter_(parameter), random_(random), scope_(scope) {
  for (const TracedOp* op : ops) {
    moved_.emplace_back(op->output.defined() ? at(op->output.size()) : 0);
    before_.push_back(op->output.defined() ? op->output.array() : Array());
    // A view of the parameter would change with it.
    if (before_.back().defined() && before_.back().storage() == parameter.array().storage())
      before_.back() = before_.back().clone();
  }
}

double Runs::step_at(double value) const {
  return std::cbrt(parameter_.dtype() == f32 ? 1.2e-7 : 2.2e-16) * std::max(1., std::fabs(value));
}

double Runs::run(Replay& replay) {
  const EnableGrad guard;
  const DetachedScope detached;
  set_random_state(random_);
  const Observing observing(replay);
  return number_at(program_(), 0);
}

void Runs::note_moved(std::size_t op, const Array& computed) {
  const std::size_t bytes = size_of(computed.dtype());
  const auto* const a = static_cast<const std::byte*>(computed.data());
  const auto* const b = static_cast<const std::byte*>(before_[op].data());
  std::vector<bool>& moved = moved_[op];
  for (std::size_t i = 0; i < moved.size(); ++i)
    if (std::memcmp(a + i * bytes, b + i * bytes, bytes) != 0) moved[i] = true;
}

double Runs::loss_by_parameter(std::int64_t element) {
  const double was = number_at(parameter_, element), h = step_at(was);
  double loss[2], value[2];
  for (const int side : {0, 1}) {
    Replay replay(ops_);
    replay.sees = [this](std::size_t op, const Array& computed) { note_moved(op, computed); };
    const MovedInput moved(parameter_.array(), with_element(parameter_.array(), element, was + (side ? h : -h)));
    value[side] = number_at(parameter_, element);
    loss[side] = run(replay);
    if (const std::string difference = replay.difference(); !difference.empty())
      scope_.fail<ValueError>("the loss ran ", difference,
                              "; a function to explain must do the same each time it is called");
  }
  return (loss[1] - loss[0]) / (value[1] - value[0]);
}

double Runs::loss_by(int op, std::int64_t element) {
  const double was = number_at(output(op), element), h = step_at(was);
  double loss[2], value[2];
  for (const int side : {0, 1}) {
    const Array moved = with_element(before_[at(op)], element, was + (side ? h : -h));
    Replay replay(ops_);
    replay.given[at(op)] = &moved;
    value[side] = number_at(Tensor(moved), element);
    loss[side] = run(replay);
  }
  return (loss[1] - loss[0]) / (value[1] - value[0]);
}

std::vector<double> Runs::by(int op, std::int64_t element, const std::vector<Spot>& places) {
  const double was = number_at(output(op), element), h = step_at(was);
  std::vector<double> found[2];
  double value[2];
  for (const int side : {0, 1}) {
    const Array moved = with_element(op < 0 ? parameter_.array() : before_[at(op)], element, was + (side ? h : -h));
    value[side] = number_at(Tensor(moved), element);
    std::optional<MovedInput> moved_parameter;
    if (op < 0) moved_parameter.emplace(parameter_.array(), moved);
    Replay replay(ops_);
    for (std::size_t i = 0; i < ops_.size(); ++i) replay.given[i] = &before_[i];
    if (op >= 0) replay.given[at(op)] = &moved;
    found[side].assign(places.size(), NAN);
    replay.sees = [&](std::size_t seen, const Array& computed) {
      for (std::size_t i = 0; i < places.size(); ++i)
        if (at(places[i].op) == seen) found[side][i] = number_at(Tensor(computed), places[i].element);
    };
    run(replay);
  }
  std::vector<double> slopes;
  for (std::size_t i = 0; i < places.size(); ++i) slopes.push_back((found[1][i] - found[0][i]) / (value[1] - value[0]));
  return slopes;
}

}  // namespace xgrad::detail
