// Notes the ops that a thread runs.
#include <autograd/primitive.hpp>
#include <autograd/trace.hpp>

namespace xgrad {

int Trace::maker_of(const Tensor& t) const {
  if (!t.defined()) return -1;
  if (t.requires_grad()) {
    const auto it = by_node_.find(t.node().get());
    return it == by_node_.end() ? -1 : it->second;
  }
  const auto it = by_numbers_.find(t.array().data());
  if (it == by_numbers_.end()) return -1;
  return ops_[static_cast<std::size_t>(it->second)].output.shape() == t.shape() ? it->second : -1;
}

void Trace::op_starts(const OpCall& call) {
  TracedOp op{call.name, call.place, PathScope::path(), {}, {}};
  for (std::size_t i = 0; i < call.input_count; ++i) {
    const OperandRef& input = call.inputs[i];
    if (input.is_number()) {
      op.inputs.push_back({Tensor(), input.number()});
      continue;
    }
    TracedOp::Argument argument{input.tensor(), 0, maker_of(input.tensor())};
    argument.cut = argument.from >= 0 && !argument.tensor.requires_grad() &&
                   ops_[static_cast<std::size_t>(argument.from)].output.requires_grad();
    op.inputs.push_back(std::move(argument));
  }
  if (!open_.empty()) op.outer = open_.back();
  op.in_vjp = call.differentiating != nullptr;
  op.called = OpScope::name();
  open_.push_back(static_cast<int>(ops_.size()));
  ops_.push_back(std::move(op));
}

void Trace::op_ends(const OpCall&, const Tensor& result) {
  if (open_.empty()) return;  // it began before the trace
  const int index = open_.back();
  open_.pop_back();
  if (!result.defined()) return;
  ops_[static_cast<std::size_t>(index)].output = result;
  if (result.requires_grad()) by_node_[result.node().get()] = index;
  if (result.size() > 0) by_numbers_[result.array().data()] = index;
}

}  // namespace xgrad
