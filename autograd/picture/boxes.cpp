// Puts the items of a history into the boxes of modules and repeated steps.
#include <algorithm>
#include <autograd/picture/boxes.hpp>
#include <autograd/support/index.hpp>

namespace xgrad::detail {
Names::Names(const std::vector<std::pair<std::string, Tensor>>& names) {
  for (const auto& [name, t] : names) {
    if (!t.defined()) continue;
    if (t.requires_grad()) values_[t.node().get()] = t;
    names_[t.requires_grad() ? static_cast<const void*>(t.node().get()) : t.array().data()] = name;
  }
}

const std::string* Names::of(const Node* node, const Tensor& value) const {
  const auto it = names_.find(node ? static_cast<const void*>(node) : value.defined() ? value.array().data() : nullptr);
  return it == names_.end() ? nullptr : &it->second;
}

Tensor Names::value_of(const Node* node) const {
  const auto it = values_.find(node);
  return it == values_.end() ? Tensor() : it->second;
}

namespace {

/// A box that an op asks for.
struct Wanted {
  std::string name, title;
  bool inferred;  // a module of the user's that no path names by itself
  bool operator==(const Wanted& other) const { return name == other.name && inferred == other.inferred; }
};
using Chain = std::vector<Wanted>;  // the outermost first

/// The modules around a member: `a` and `a.b` for `a.b.weight`, `model[1]` for `model[1][0]`.
Chain modules_around(std::string_view member) {
  Chain chain;
  for (std::size_t i = 1; i < member.size(); ++i) {
    if (member[i] != '.' && member[i] != '[') continue;
    const std::string name(member.substr(0, i));
    if (name != "model") chain.push_back({name, name, true});
  }
  return chain;
}

class Boxing {
 public:
  Boxing(const History& history, const Names& names) : h_(history), chains_(history.items.size()) {
    find_chains(names);
    add_repeats();
    result_.of_item.assign(h_.items.size(), -1);
    place_ops();
    place_others();
  }
  Boxes take() { return std::move(result_); }

 private:
  const Chain& chain(int i) const { return chains_[at(i)]; }

  void find_chains(const Names& names) {
    std::unordered_map<std::string, std::string> titles;  // of modules that some path names
    for (const int i : h_.order) {
      const TracedOp* const op = h_.traced(h_.items[at(i)]);
      if (!op || op->path.empty()) continue;
      const std::string name = op->path.substr(0, op->path.find(" ("));
      if (op->path.find(", ") == std::string::npos) chains_[at(i)] = modules_around(name);
      chains_[at(i)].push_back({name, op->path, false});
      titles[name] = op->path;
    }
    for (const History::Link& link : h_.links) {
      const History::Item &from = h_.items[at(link.from)], &to = h_.items[at(link.to)];
      const TracedOp* const op = h_.traced(to);
      if (!op || !op->path.empty() || from.is_op() || !from.node) continue;
      if (const std::string* const name = names.of(from.node, from.value))
        if (Chain found = modules_around(*name); found.size() > chain(link.to).size()) chains_[at(link.to)] = found;
    }
    for (Chain& c : chains_)
      for (Wanted& w : c)
        if (const auto it = titles.find(w.name); w.inferred && it != titles.end()) w = {w.name, it->second, false};
  }

  static std::size_t common(const Chain& a, const Chain& b) {
    std::size_t n = 0;
    while (n < a.size() && n < b.size() && a[n] == b[n]) ++n;
    return n;
  }

  /// The box of a repeat lies inside the modules that hold all of its step.
  void add_repeats() {
    for (std::size_t r = 0; r < h_.repeats.size(); ++r) {
      std::vector<int> step;
      for (const int i : h_.order)
        if (h_.items[at(i)].is_op() && h_.items[at(i)].repeat == static_cast<int>(r)) step.push_back(i);
      std::size_t around = chain(step[0]).size();
      for (const int i : step) around = std::min(around, common(chain(i), chain(step[0])));
      const Wanted box{text("repeat ", r), text(h_.repeats[r], " times"), false};
      for (const int i : step) chains_[at(i)].insert(chain(i).begin() + static_cast<std::ptrdiff_t>(around), box);
    }
  }

  /// Follows the ops as the program ran them, and opens and closes boxes.
  void place_ops() {
    std::vector<int> ops;
    for (const int i : h_.order)
      if (h_.items[at(i)].is_op()) ops.push_back(i);
    Chain open;
    std::vector<int> boxes, first_ops;  // for each open box
    // How many open boxes an op stays in.
    const auto goes_on = [&](int op, const Chain& wanted) {
      std::size_t kept = common(open, wanted);
      for (std::size_t d = kept; d-- > 0;)
        if (begins_again(first_ops[d], op, open[d])) kept = d;
      return kept;
    };
    std::size_t next = 0;  // an op that asks for a box
    for (std::size_t k = 0; k < ops.size(); ++k) {
      const int op = ops[k];
      Chain wanted = chain(op);
      if (wanted.empty()) {
        // Between two ops of an own module, it is one too.
        next = std::max(next, k);
        while (next < ops.size() && chain(ops[next]).empty()) ++next;
        std::size_t shared = next < ops.size() ? goes_on(ops[next], chain(ops[next])) : 0;
        while (shared > 0 && !open[shared - 1].inferred) --shared;
        wanted.assign(open.begin(), open.begin() + static_cast<std::ptrdiff_t>(shared));
      }
      const std::size_t kept = goes_on(op, wanted);
      open.resize(kept);
      boxes.resize(kept);
      first_ops.resize(kept);
      for (std::size_t d = kept; d < wanted.size(); ++d) {
        boxes.push_back(static_cast<int>(result_.boxes.size()));
        result_.boxes.push_back({wanted[d].title, d == 0 ? -1 : boxes[d - 1]});
        open.push_back(wanted[d]);
        first_ops.push_back(op);
      }
      if (!boxes.empty()) result_.of_item[at(op)] = boxes.back();
    }
  }

  /// Whether an own module is called once more: by the op that its box begins with.
  bool begins_again(int first, int op, const Wanted& box) const {
    const TracedOp *const a = h_.traced(h_.items[at(first)]), *const b = h_.traced(h_.items[at(op)]);
    return box.inferred && first != op && a && b && a->name == std::string_view(b->name) && a->path == b->path &&
           a->place.line == b->place.line;
  }

  /// Parameters and what comes from earlier steps stand beside what uses them.
  void place_others() {
    std::vector<int> place(h_.items.size(), -2);
    for (const History::Link& link : h_.links) {
      int& p = place[at(link.from)];
      p = p == -2 ? result_.of_item[at(link.to)] : around(p, result_.of_item[at(link.to)]);
    }
    for (std::size_t i = 0; i < h_.items.size(); ++i) {
      const History::Item& item = h_.items[i];
      if (!item.is_op() && (item.node || item.repeat >= 0)) result_.of_item[i] = std::max(place[i], -1);
    }
  }
  /// The innermost box around two, -1 for none.
  int around(int a, int b) const {
    while (a != b) (a > b ? a : b) = result_.boxes[at(std::max(a, b))].parent;
    return a;
  }

  const History& h_;
  std::vector<Chain> chains_;
  Boxes result_;
};

}  // namespace

Boxes find_boxes(const History& history, const Names& names) { return Boxing(history, names).take(); }

}  // namespace xgrad::detail
