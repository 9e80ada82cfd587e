// Finds the steps that a loop ran alike, and leaves the last of them.
#include <autograd/picture/history.hpp>
#include <autograd/support/index.hpp>
#include <map>
#include <set>

namespace xgrad::detail {
namespace {

constexpr std::size_t fewest_steps = 4, fewest_saved = 20, longest_step = 1000;

/// Ops `first` to `first + count * length` of a history, step after step.
struct Run {
  std::size_t first = 0, length = 0, count = 0;
  std::size_t saved() const { return count < fewest_steps ? 0 : (count - 1) * length; }
};

class Folding {
 public:
  explicit Folding(History& history) : h_(history), ordinal_(history.items.size(), -1), inputs_(history.items.size()) {
    for (const int i : h_.order) {
      if (!item(i).is_op()) continue;
      ordinal_[at(i)] = static_cast<int>(ops_.size());
      ops_.push_back(i);
    }
    std::vector<int> users(h_.items.size());
    for (const History::Link& link : h_.links) {
      inputs_[at(link.to)].push_back(link.from);
      ++users[at(link.from)];
    }
    used_once_.resize(users.size());
    for (std::size_t i = 0; i < users.size(); ++i) used_once_[i] = users[i] == 1;
    std::map<std::string, int> known;
    for (const int i : ops_)
      kinds_.push_back(known.try_emplace(kind_of(i), static_cast<int>(known.size())).first->second);
  }

  /// The run that saves most.
  Run find() const {
    Run best;
    for (std::size_t length = 1; length <= longest_step && fewest_steps * length <= ops_.size(); ++length) {
      find(length, best);
      if (2 * best.saved() >= ops_.size()) break;
    }
    return best;
  }

  void fold(const Run& run) {
    run_ = run;
    const int repeat = static_cast<int>(h_.repeats.size());
    h_.repeats.push_back(static_cast<int>(run.count));
    for (std::size_t o = last(); o < end(); ++o) {
      item(ops_[o]).repeat = repeat;
      for (const int input : inputs_[at(ops_[o])])
        if (is_constant(input) && used_once_[at(input)]) item(input).repeat = repeat;
    }
    fold_links(repeat);
    fold_order();
  }

 private:
  History::Item& item(int i) const { return h_.items[at(i)]; }
  bool is_constant(int i) const { return !item(i).node && !item(i).is_op() && item(i).before < 0; }

  /// What must be the same in each step. An op that has been folded is like no other.
  std::string kind_of(int i) const {
    const History::Item& x = item(i);
    if (x.repeat >= 0) return text("folded ", i);
    const TracedOp* const op = h_.traced(x);
    std::string kind = op ? text(op->name, "|", op->path) : x.node->name;
    for (std::size_t k = 0; op && k < op->inputs.size(); ++k)
      if (!op->inputs[k].tensor.defined()) kind += text("|", k, "=", op->inputs[k].number.real());
    kind += x.node ? text("|", x.node->shape(), name_of(x.node->dtype))
                   : text("|", x.value.shape(), name_of(x.value.dtype()));
    return text(kind, "|", inputs_[at(i)].size());
  }

  /// Whether an op takes what the op one step before took, one step later: the same tensor from before the run, a
  /// constant of its own, or another op's result.
  bool follows(std::size_t before, std::size_t length, std::size_t first) const {
    const int early = ops_[before], late = ops_[before + length];
    if (!item(early).node != !item(late).node) return false;
    const std::vector<int>&a = inputs_[at(early)], &b = inputs_[at(late)];
    for (std::size_t k = 0; k < a.size(); ++k) {
      const int from = ordinal_[at(a[k])], to = ordinal_[at(b[k])];
      if (a[k] == b[k] && from < static_cast<int>(first)) continue;
      if (from >= 0 && to >= 0 && to - from == static_cast<int>(length)) continue;
      const bool own = is_constant(a[k]) && is_constant(b[k]) && used_once_[at(a[k])] && used_once_[at(b[k])];
      if (!own || item(a[k]).value.shape() != item(b[k]).value.shape()) return false;
    }
    return true;
  }

  void find(std::size_t length, Run& best) const {
    const std::size_t n = ops_.size();
    for (std::size_t begin = 0; begin + length < n;) {
      std::size_t alike = begin;
      while (alike + length < n && kinds_[alike] == kinds_[alike + length]) ++alike;
      // The first step may begin from something else than a step.
      for (std::size_t first = begin; first + (fewest_steps - 1) * length <= alike;) {
        std::size_t next = first + length;
        while (next < alike && follows(next, length, first)) ++next;
        const Run run{first, length, (next + length - first) / length};
        if (run.saved() > best.saved()) best = run;
        first = next - length + 1;
      }
      begin = alike + 1;
    }
  }

  std::size_t last() const { return run_.first + (run_.count - 1) * run_.length; }
  std::size_t end() const { return run_.first + run_.count * run_.length; }
  bool is_dropped(int i) const {
    return ordinal_[at(i)] >= static_cast<int>(run_.first) && ordinal_[at(i)] < static_cast<int>(last());
  }
  bool is_drawn_step(int i) const {
    return ordinal_[at(i)] >= static_cast<int>(last()) && ordinal_[at(i)] < static_cast<int>(end());
  }
  /// The op of the last step that stands for one of an earlier step, or for itself.
  int standing_for(int i) const {
    if (!is_dropped(i)) return i;
    return ops_[last() + (at(ordinal_[at(i)]) - run_.first) % run_.length];
  }
  int steps_back(int i) const {
    return static_cast<int>(run_.count - 1 - (at(ordinal_[at(i)]) - run_.first) / run_.length);
  }

  void fold_links(int repeat) {
    std::vector<History::Link> kept;
    std::set<std::pair<int, int>> joined;
    std::map<int, int> earlier;  // items for results of earlier steps, by the op that gave them
    std::vector<std::size_t> slots(h_.items.size());
    for (const History::Link& link : h_.links) {
      if (is_dropped(link.to) || is_dropped(link.from)) continue;
      joined.insert({link.from, link.to});
      kept.push_back(link);
    }
    for (const History::Link& link : std::vector<History::Link>(h_.links)) {
      const std::size_t slot = slots[at(link.to)]++;
      if (is_drawn_step(link.to) && is_dropped(link.from)) {
        const auto [it, fresh] = earlier.try_emplace(link.from, static_cast<int>(h_.items.size()));
        if (fresh) {
          before_.push_back(it->second);
          h_.items.push_back({.value = item(link.from).value,
                              .repeat = repeat,
                              .before = standing_for(link.from),
                              .steps_back = steps_back(link.from)});
        }
        kept.push_back({it->second, link.to, link.edge, link.note});
        continue;
      }
      const bool into = is_dropped(link.to), out = is_dropped(link.from);
      if (into == out) continue;  // kept above, or both are gone
      const int to = standing_for(link.to), from = standing_for(link.from);
      // A constant of an earlier step's own has one of the last step that stands for it.
      if (into && is_constant(from) && used_once_[at(from)] && is_constant(inputs_[at(to)][slot])) continue;
      if (joined.insert({from, to}).second) kept.push_back({from, to, link.edge, link.note});
    }
    h_.links = std::move(kept);
  }

  void fold_order() {
    std::set<int> linked;
    for (const History::Link& link : h_.links) linked.insert(link.from);
    std::vector<int> order;
    for (const int i : h_.order) {
      if (i == ops_[last()]) order.insert(order.end(), before_.begin(), before_.end());
      if (!is_dropped(i) && (item(i).is_op() || linked.contains(i))) order.push_back(i);
    }
    h_.order = std::move(order);
  }

  History& h_;
  std::vector<int> ops_, kinds_;  // in the order in which they ran
  std::vector<int> ordinal_;      // of an item among them, -1 for none
  std::vector<std::vector<int>> inputs_;
  std::vector<bool> used_once_;
  Run run_;
  std::vector<int> before_;
};

}  // namespace

void fold_repeats(History& history) {
  for (;;) {
    Folding folding(history);
    const Run run = folding.find();
    if (run.saved() < fewest_saved) return;
    folding.fold(run);
  }
}

}  // namespace xgrad::detail
