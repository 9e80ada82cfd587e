// Follows a traced program while it runs again, and replaces results on the way.
#include <autograd/observers/replay.hpp>
#include <autograd/primitive.hpp>
#include <cstring>

namespace xgrad::detail {

std::vector<const TracedOp*> outermost(const std::vector<TracedOp>& ops) {
  std::vector<const TracedOp*> result;
  for (const TracedOp& op : ops)
    if (op.outer < 0) result.push_back(&op);
  return result;
}

bool Replay::follows(const OpCall& call) {
  if (next_ >= ops_.size()) return false;
  const TracedOp& traced = *ops_[next_];
  if (std::strcmp(traced.name, call.name) != 0 || traced.inputs.size() != call.input_count) return false;
  for (std::size_t i = 0; i < call.input_count; ++i) {
    if (call.inputs[i].is_number() == traced.inputs[i].tensor.defined()) return false;
    if (sees_number && call.inputs[i].is_number() && call.inputs[i].number().real() != traced.inputs[i].number.real())
      sees_number(next_, i);
  }
  return true;
}

void Replay::op_starts(const OpCall& call) {
  if (depth_++ > 0 || lost_ || follows(call)) return;
  lost_ = true;
  other_ = call.name;
}

void Replay::op_computed(const OpCall& call, Array& result) {
  if (depth_ != 1 || lost_ || !ops_[next_]->output.defined()) return;
  const Array& traced = ops_[next_]->output.array();
  if (traced.dtype() != result.dtype() || traced.shape() != result.shape()) {
    lost_ = true;
    other_ = call.name;
    return;
  }
  if (sees) sees(next_, result);
  if (given[next_]) result = *given[next_];
}

void Replay::op_ends(const OpCall&, const Tensor& result) {
  if (--depth_ > 0 || lost_) return;
  if (!result.defined() && threw_ < 0) threw_ = static_cast<int>(next_);
  ++next_;
}

std::string Replay::difference() const {
  if (!lost_ && next_ == ops_.size()) return "";
  const char* const before = next_ < ops_.size() ? ops_[next_]->name : "(nothing)";
  const char* const now = lost_ ? other_ : "(nothing)";
  if (std::strcmp(before, now) == 0) return text(now, " with other arguments than before");
  return text(now, " where it had run ", before);
}

MovedInput::MovedInput(const Array& input, const Array& numbers) : input_(input), before_(input.clone()) {
  std::memcpy(input_.data(), numbers.data(), input_.bytes());
}

MovedInput::~MovedInput() {
  if (input_.defined()) std::memcpy(input_.data(), before_.data(), input_.bytes());
}

}  // namespace xgrad::detail
