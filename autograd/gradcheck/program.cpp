// Records the program that a check differentiates, and replays it from moved numbers.
#include <autograd/backward/sweep.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/gradcheck/program.hpp>
#include <autograd/ops.hpp>
#include <autograd/primitive.hpp>
#include <cstring>
#include <optional>

namespace xgrad::checking {

namespace {

Array with_numbers(const Array& like, const Numbers& numbers) {
  Array array(like.dtype(), like.shape());
  const Tensor t{Array(array)};
  for (std::int64_t i = 0; i < t.size(); ++i) set(t, i, numbers[static_cast<std::size_t>(i)]);
  return array;
}

}  // namespace

/// What a Trace does not tell: in whose rule an op ran, and what rules were handed and returned.
class Program::Recorder : public Observer {
 public:
  struct Handed {
    const Node* returned_by;  // null: it was given to a rule
    int argument;
    std::size_t ops_before;
    Tensor t;
  };
  void op_starts(const OpCall& call) override {
    differentiating.push_back(call.differentiating);
    arguments.push_back(argument_);
  }
  void vjp_starts(const Node&, const Edge& edge, const Tensor& g) override {
    note(nullptr, 0, g);
    argument_ = static_cast<int>(edge.argument);
  }
  void vjp_ends(const Node& node, const Edge& edge, Tensor& result) override {
    note(&node, static_cast<int>(edge.argument), result);
  }
  void note(const Node* returned_by, int argument, const Tensor& t) {
    if (t.defined()) handed.push_back({returned_by, argument, differentiating.size(), t});
  }

  std::vector<const Node*> differentiating;  // for each op
  std::vector<int> arguments;
  std::vector<Handed> handed;

 private:
  int argument_ = 0;
};

Program::Program(Gradchecker& checker, int order) : checker_(checker), order_(order), random_(random_state()) {
  for (std::size_t i = 0; i < checker.probes_.size(); ++i) add_slot(checker.probes_[i], checker.checked_[i]);
  inputs_ = slots_.size();
  visit_elsewhere(1e-3);
  Recorder recorder;
  {
    const Observing observing(recorder);
    Trace trace;
    outputs_ = checker.outputs(order, checker.probes_, true);
    traced_ = trace.ops();
  }
  replayed_ = detail::outermost(traced_);
  for (const Tensor& y : outputs_) recorder.note(nullptr, 0, y);
  const auto op_of_node = [&](const Node* node) {
    const auto it = by_node_.find(node);
    return it == by_node_.end() ? -1 : op_of(it->second);
  };
  const auto add_cut = [&](const Source& source, int rule_of, int argument) {
    if (source.slot < 0 || source.connected || is_cut(source.slot) ||
        !slots_[static_cast<std::size_t>(source.slot)].moves)
      return;
    if (rule_of < 0 && op_of(source.slot) >= 0) rule_of = op(op_of(source.slot)).rule_of;
    if (rule_of >= 0) cuts_.push_back({rule_of, argument, source.slot});
  };
  std::size_t handed = 0;
  const auto take_handed = [&](std::size_t ops) {
    for (; handed < recorder.handed.size() && recorder.handed[handed].ops_before <= ops; ++handed) {
      const Recorder::Handed& h = recorder.handed[handed];
      add_cut(source_of(h.t), h.returned_by ? op_of_node(h.returned_by) : -1, h.argument);
    }
  };
  for (std::size_t i = 0; i < traced_.size(); ++i) {
    take_handed(i);
    const TracedOp& traced = traced_[i];
    if (traced.outer >= 0) continue;
    Op made{&traced,
            nullptr,
            static_cast<int>(slots_.size()),
            op_of_node(recorder.differentiating[i]),
            recorder.arguments[i],
            {}};
    bool active = false;
    for (const TracedOp::Argument& argument : traced.inputs) {
      Source source = argument.tensor.defined() ? source_of(argument.tensor) : Source{};
      // What the sweep adds up comes from rules.
      if (made.rule_of < 0) add_cut(source, -1, 0);
      if (!source.connected && is_cut(source.slot)) source = {};  // the rule that cut it is to blame
      active |= source.slot >= 0 && slots_[static_cast<std::size_t>(source.slot)].moves;
      made.sources.push_back(source);
    }
    if (traced.output.defined() && traced.output.requires_grad()) made.node = traced.output.node().get();
    if (traced.output.defined()) {
      add_slot(traced.output, made.node && active);
    } else {
      slots_.push_back({});
    }
    ops_.push_back(std::move(made));
  }
  take_handed(traced_.size());
}

void Program::add_slot(const Tensor& t, bool moves) {
  const int index = static_cast<int>(slots_.size());
  Slot slot{t.array(), {}, moves && t.size() > 0};
  if (is_floating(t.dtype())) slot.numbers = values({t});
  if (is_floating(t.dtype())) slot.recorded = with_numbers(t.array(), slot.numbers);
  slots_.push_back(std::move(slot));
  if (t.requires_grad()) by_node_[t.node().get()] = index;
  if (t.size() > 0) by_numbers_[t.array().data()].push_back(index);
}

/// Whose numbers a tensor has. The links that `grad` makes stand for what they link to.
Program::Source Program::source_of(const Tensor& t) {
  const Node* node = t.requires_grad() ? t.node().get() : nullptr;
  if (node && by_node_.contains(node)) return {by_node_.at(node), true};
  const auto it = t.size() > 0 ? by_numbers_.find(t.array().data()) : by_numbers_.end();
  if (it == by_numbers_.end()) return {};
  const std::vector<int>& slots = it->second;
  const auto same_shape = [&](int slot) {
    return slots_[static_cast<std::size_t>(slot)].recorded.shape() == t.shape();
  };
  const auto found = std::find_if(slots.rbegin(), slots.rend(), same_shape);
  const int slot = found == slots.rend() ? slots.back() : *found;
  const Node* linked = node;
  while (linked && !by_node_.contains(linked))
    linked = std::strcmp(linked->name, "gradient") == 0 && linked->edge_count > 0
                 ? const_cast<Node*>(linked)->edges()[0].input.get()
                 : nullptr;
  if (!linked || by_node_.at(linked) != slot) return {slot, false};
  by_node_[node] = slot;
  return {slot, true};
}

Numbers Program::vjp(const Op& op, const Edge& edge, const Numbers& cotangent) const {
  const detail::GradMode quiet(false);
  Node& node = *op.node;
  const Tensor g(with_numbers(result(op).recorded, cotangent));
  const Tensor h = apply_rule(node, edge, g, node.output);
  if (h.defined()) return values({h});
  return Numbers(static_cast<std::size_t>(edge.input->shape().size()));
}

void Program::visit_elsewhere(double distance) {
  const auto put = [&](double by) {
    for (std::size_t i = 0; i < inputs_; ++i)
      for (std::size_t x = 0; slots_[i].moves && x < slots_[i].numbers.size(); ++x) {
        const double here = slots_[i].numbers[x];
        set(checker_.probes_[i], static_cast<std::int64_t>(x), here + by * std::max(1.0, std::fabs(here)));
      }
  };
  put(distance);
  try {
    (void)checker_.outputs(order_, checker_.probes_, true);
  } catch (const std::exception&) {
    // Outside the domain.
  }
  put(0);
}

Program::Run Program::run(const std::vector<Moved>& moved, bool fresh, int free, Observer* besides) {
  ++runs_;
  detail::Replay replay(replayed_);
  for (std::size_t i = 0; i < ops_.size(); ++i)
    if (free < 0 || ops_[i].rule_of != free) replay.given[i] = &result(ops_[i]).recorded;
  std::vector<Array> arrays;
  arrays.reserve(moved.size());
  std::vector<detail::MovedInput> moved_inputs;
  for (const auto& [slot, numbers] : moved) {
    const Array& to = arrays.emplace_back(with_numbers(slots_[static_cast<std::size_t>(slot)].recorded, numbers));
    if (const int op = op_of(slot); op >= 0) {
      replay.given[static_cast<std::size_t>(op)] = &to;
    } else {
      moved_inputs.emplace_back(checker_.probes_[static_cast<std::size_t>(slot)].array(), to);
    }
  }
  Run run;
  run.ops.resize(ops_.size());
  replay.sees = [&run](std::size_t op, const Array& computed) {
    if (is_floating(computed.dtype())) run.ops[op].numbers = values({Tensor(computed)});
  };
  replay.sees_number = [&run](std::size_t op, std::size_t argument) {
    run.ops[op].number_moved = static_cast<int>(argument);
  };
  if (!fresh) set_random_state(random_);
  try {
    const Observing observing(replay);
    std::optional<Observing> inner;
    if (besides) inner.emplace(*besides);
    (void)checker_.outputs(order_, checker_.probes_, true);
  } catch (const std::exception&) {
    // Outside the domain of an op, or of the user's code: what has not come to compute says so.
  }
  run.threw = replay.threw();
  return run;
}

}  // namespace xgrad::checking
