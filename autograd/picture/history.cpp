// Collects what a tensor was computed from, from its graph and a trace.
#include <autograd/picture/history.hpp>
#include <autograd/support/index.hpp>
#include <cstring>
#include <queue>

namespace xgrad::detail {
History::History(const Tensor& y, const Trace* trace) : trace_(trace) {
  if (trace) {
    for (std::size_t i = 0; i < trace->ops().size(); ++i) {
      const Tensor& output = trace->ops()[i].output;
      if (output.requires_grad()) op_of_[output.node().get()] = static_cast<int>(i);
    }
  }
  item_of(y, trace ? trace->maker_of(y) : -1);
  for (std::size_t next = 0; next < items.size(); ++next) connect(static_cast<int>(next));
  if (trace) add_met_ops();
  sort();
}

int History::item_of(Node* node) {
  const auto [it, fresh] = by_node_.try_emplace(node, static_cast<int>(items.size()));
  if (!fresh) return it->second;
  Item item{.node = node};
  if (const auto op = op_of_.find(node); op != op_of_.end()) item.op = op->second;
  item.value = item.op >= 0 ? traced(item)->output : node->output;
  items.push_back(std::move(item));
  return it->second;
}

int History::item_of(const Tensor& t, int from) {
  int index;
  if (t.requires_grad()) {
    index = item_of(t.node().get());
  } else {
    const void* const key = from >= 0 ? static_cast<const void*>(&trace_->ops()[at(from)]) : t.array().data();
    const auto [it, fresh] = by_key_.try_emplace(key, static_cast<int>(items.size()));
    index = it->second;
    if (fresh) items.push_back({.op = from});
  }
  items[at(index)].value = t;
  return index;
}

void History::connect(int to) {
  Node* const node = items[at(to)].node;
  if (const TracedOp* const op = traced(items[at(to)])) {
    for (std::size_t i = 0; i < op->inputs.size(); ++i) {
      const TracedOp::Argument& argument = op->inputs[i];
      if (!argument.tensor.defined()) continue;
      const Edge* edge = nullptr;
      for (std::uint32_t k = 0; node && k < node->edge_count; ++k)
        if (node->edges()[k].argument == i) edge = &node->edges()[k];
      links.push_back({item_of(argument.tensor, argument.from), to, edge, argument.cut ? "detached" : ""});
    }
  } else if (node) {
    for (std::uint32_t k = 0; k < node->edge_count; ++k)
      links.push_back({item_of(node->edges()[k].input.get()), to, &node->edges()[k]});
  }
}

/// A loss of probabilities takes the logits that their sigmoid was computed from. The sigmoid is no part of the graph
/// then, but the program ran it, and a reader looks for it.
void History::add_met_ops() {
  const std::vector<TracedOp>& ops = trace_->ops();
  for (std::size_t i = 0; i < items.size(); ++i) {
    const TracedOp* const loss = traced(items[i]);
    if (!loss || !loss->called || std::strcmp(loss->called, "binary_cross_entropy") != 0) continue;
    for (int p = items[i].op - 1; p >= 0; --p) {
      const Tensor& output = ops[at(p)].output;
      if (!output.requires_grad() || output.is_leaf()) continue;
      const Tensor& logits = output.node()->source();
      if (!logits.requires_grad() || loss->inputs.empty() || !loss->inputs[0].tensor.requires_grad()) continue;
      if (logits.node() != loss->inputs[0].tensor.node()) continue;
      const auto known = static_cast<int>(items.size());
      const int sigmoid = item_of(output.node().get());
      if (sigmoid != known) break;  // it is drawn anyway
      links.push_back({item_of(logits, -1), sigmoid, nullptr});
      links.push_back({sigmoid, static_cast<int>(i), nullptr, met});
      break;
    }
  }
}

/// In the order in which the program ran, as far as a trace knows it; a tensor that no op made stands before the first
/// op that takes it.
void History::sort() {
  std::vector<int> waits_for(items.size());
  std::vector<std::vector<int>> inputs(items.size()), users(items.size());
  for (const Link& link : links) {
    inputs[at(link.to)].push_back(link.from);
    users[at(link.from)].push_back(link.to);
    waits_for[at(link.to)] += items[at(link.from)].is_op();
  }
  const auto later = [&](int a, int b) {
    const Item &x = items[at(a)], &y = items[at(b)];
    if (x.op != y.op) return x.op > y.op;
    return x.node && y.node && x.node->id != y.node->id ? x.node->id > y.node->id : a > b;
  };
  std::priority_queue<int, std::vector<int>, decltype(later)> ready(later);
  for (std::size_t i = 0; i < items.size(); ++i)
    if (items[i].is_op() && waits_for[i] == 0) ready.push(static_cast<int>(i));
  std::vector<bool> placed(items.size());
  while (!ready.empty()) {
    const int i = ready.top();
    ready.pop();
    for (const int input : inputs[at(i)]) {
      if (!placed[at(input)]) order.push_back(input);
      placed[at(input)] = true;
    }
    order.push_back(i);
    placed[at(i)] = true;
    for (const int user : users[at(i)])
      if (--waits_for[at(user)] == 0) ready.push(user);
  }
}

}  // namespace xgrad::detail
