#include <algorithm>
#include <autograd/explain/runs.hpp>
#include <autograd/grad_mode.hpp>
#include <cmath>
#include <cstring>

namespace xgrad::detail {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

void store_at(const Array& a, std::int64_t element, double value) {
  Number(value).store(a.dtype(), static_cast<std::byte*>(a.data()) + at(element) * size_of(a.dtype()));
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

/// Knows which op of the traced run the one in progress is.
class Runs::Watching : public Observer {
 public:
  explicit Watching(const Runs& runs) : runs_(runs) {}
  ~Watching() override = default;

  /// Throws unless the run did what the traced one did.
  void check() const {
    const std::vector<TracedOp>& ops = runs_.trace_.ops();
    if (!other_ && next_ != static_cast<int>(ops.size())) other_ = "(nothing)";
    if (other_)
      runs_.scope_.fail<ValueError>("the loss ran ", other_, " where it had run ",
                                    differs_at_ < ops.size() ? ops[differs_at_].name : "(nothing)",
                                    "; a function to explain must do the same each time it is called");
  }

 protected:
  void op_starts(const OpCall& call) override {
    const std::vector<TracedOp>& ops = runs_.trace_.ops();
    if (!other_ && (at(next_) >= ops.size() || std::strcmp(ops[at(next_)].name, call.name) != 0)) other_ = call.name;
    if (!other_) ++differs_at_;
    open_.push_back(next_++);
  }
  void op_ends(const OpCall&, const Tensor& result) override {
    const int op = open_.back();
    open_.pop_back();
    if (follows()) ended(op, result);
  }
  virtual void ended(int, const Tensor&) {}

  int current() const { return open_.back(); }
  /// Whether this run has done what the traced one did, so far.
  bool follows() const { return !other_; }

  const Runs& runs_;

 private:
  std::vector<int> open_;
  int next_ = 0;
  mutable const char* other_ = nullptr;
  std::size_t differs_at_ = 0;
};

/// Finds out which numbers differ from those of the traced run.
class Runs::Comparing : public Watching {
 public:
  Comparing(const Runs& runs, std::vector<std::vector<bool>>& moved) : Watching(runs), moved_(moved) {}

 private:
  void ended(int op, const Tensor& result) override {
    const Tensor& before = runs_.before_[at(op)];
    if (!result.defined() || !before.defined() || result.shape() != before.shape()) return;
    const std::size_t bytes = size_of(result.dtype());
    const auto* const a = static_cast<const std::byte*>(result.array().data());
    const auto* const b = static_cast<const std::byte*>(before.array().data());
    std::vector<bool>& moved = moved_[at(op)];
    for (std::size_t i = 0; i < moved.size(); ++i)
      if (std::memcmp(a + i * bytes, b + i * bytes, bytes) != 0) moved[i] = true;
  }

  std::vector<std::vector<bool>>& moved_;
};

/// Changes one number on its way, and can hold all others where they were.
class Runs::Nudging : public Watching {
 public:
  Nudging(const Runs& runs, int op, std::int64_t element, double by, std::vector<Spot> places = {})
      : Watching(runs), op_(op), element_(element), by_(by), places_(std::move(places)), found(places_.size(), NAN) {}

 private:
  void op_computed(const OpCall&, Array& result) override {
    const int op = current();
    if (!follows()) return;
    const Tensor& before = runs_.before_[at(op)];
    if (!before.defined() || result.shape() != before.shape()) return;
    for (std::size_t i = 0; i < places_.size(); ++i)
      if (places_[i].op == op) found[i] = number_at(Tensor(result), places_[i].element);
    if (op == op_) {
      result = result.clone();
      store_at(result, element_, number_at(before, element_) + by_);
    } else if (!places_.empty() && runs_.trace_.ops()[at(op)].outer < 0) {
      result = before.array();
    }
  }

  const int op_;
  const std::int64_t element_;
  const double by_;
  const std::vector<Spot> places_;

 public:
  std::vector<double> found;  // the places' numbers, before they were held
};

Runs::Runs(const Program& program, const Trace& trace, const Tensor& parameter, RandomState random,
           const OpScope& scope)
    : program_(program), trace_(trace), parameter_(parameter), random_(random), scope_(scope) {
  for (const TracedOp& op : trace.ops()) {
    moved_.emplace_back(op.output.defined() ? at(op.output.size()) : 0);
    Tensor before = op.output.detach();
    // A view of the parameter would change with it.
    if (before.defined() && before.array().storage() == parameter.array().storage())
      before = Tensor(before.array().clone());
    before_.push_back(std::move(before));
  }
}

double Runs::step_at(double value) const {
  return std::cbrt(parameter_.dtype() == f32 ? 1.2e-7 : 2.2e-16) * std::max(1., std::fabs(value));
}

double Runs::run(Observer& observer) {
  const EnableGrad guard;
  const DetachedScope detached;
  set_random_state(random_);
  const Observing observing(observer);
  return number_at(program_(), 0);
}

template <class F>
double Runs::nudged(std::int64_t element, double by, F&& run) {
  struct Restored {
    const Array& array;
    std::int64_t element;
    double was;
    ~Restored() { store_at(array, element, was); }
  } const restored{parameter_.array(), element, number_at(parameter_, element)};
  store_at(restored.array, element, restored.was + by);
  const double now = number_at(parameter_, element);
  run();
  return now;
}

double Runs::loss_by_parameter(std::int64_t element) {
  const double h = step_at(number_at(parameter_, element));
  double loss[2], value[2];
  for (const int side : {0, 1}) {
    Comparing comparing(*this, moved_);
    value[side] = nudged(element, side ? h : -h, [&] { loss[side] = run(comparing); });
    comparing.check();
  }
  return (loss[1] - loss[0]) / (value[1] - value[0]);
}

double Runs::loss_by(int op, std::int64_t element) {
  const Tensor& output = trace_.ops()[at(op)].output;
  const double was = number_at(output, element), h = step_at(was);
  double loss[2], value[2];
  for (const int side : {0, 1}) {
    Nudging nudging(*this, op, element, side ? h : -h);
    loss[side] = run(nudging);
    value[side] = output.dtype() == f32 ? static_cast<float>(was + (side ? h : -h)) : was + (side ? h : -h);
  }
  return (loss[1] - loss[0]) / (value[1] - value[0]);
}

std::vector<double> Runs::by(int op, std::int64_t element, const std::vector<Spot>& places) {
  const Tensor& changed = op < 0 ? parameter_ : trace_.ops()[at(op)].output;
  const double was = number_at(changed, element), h = step_at(was);
  std::vector<double> found[2];
  double value[2];
  for (const int side : {0, 1}) {
    const double by = side ? h : -h;
    Nudging nudging(*this, op, element, by, places);
    value[side] = changed.dtype() == f32 ? static_cast<float>(was + by) : was + by;
    if (op < 0) {
      nudged(element, by, [&] { run(nudging); });
    } else {
      run(nudging);
    }
    found[side] = nudging.found;
  }
  std::vector<double> slopes;
  for (std::size_t i = 0; i < places.size(); ++i) slopes.push_back((found[1][i] - found[0][i]) / (value[1] - value[0]));
  return slopes;
}

}  // namespace xgrad::detail
