#include <algorithm>
#include <autograd/state_dict.hpp>
#include <numeric>

// Named tensors in the order in which they were set.
namespace xgrad {

StateDict::StateDict(std::initializer_list<Entry> entries, Place place)
    : StateDict(std::vector<Entry>(entries), place) {}

StateDict::StateDict(std::vector<Entry> entries, Place place) : entries_(std::move(entries)) {
  by_name_.resize(entries_.size());
  std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
  const auto name_at = [this](std::size_t i) -> const std::string& { return entries_[i].first; };
  std::sort(by_name_.begin(), by_name_.end(), [&](std::size_t a, std::size_t b) { return name_at(a) < name_at(b); });
  const auto twice = std::adjacent_find(by_name_.begin(), by_name_.end(),
                                        [&](std::size_t a, std::size_t b) { return name_at(a) == name_at(b); });
  if (twice == by_name_.end()) return;
  const OpScope scope("StateDict", place);
  scope.fail<ValueError>("the name '", name_at(*twice), "' occurs twice; give each tensor a name of its own");
}

StateDict::Places::const_iterator StateDict::first_not_below(std::string_view name) const {
  return std::lower_bound(by_name_.begin(), by_name_.end(), name,
                          [this](std::size_t i, std::string_view wanted) { return entries_[i].first < wanted; });
}

void StateDict::set(std::string_view name, Tensor value) {
  const auto at = first_not_below(name);
  if (at != by_name_.end() && entries_[*at].first == name) {
    entries_[*at].second = std::move(value);
    return;
  }
  entries_.emplace_back(name, std::move(value));
  try {
    by_name_.insert(at, entries_.size() - 1);
  } catch (...) {
    entries_.pop_back();
    throw;
  }
}

const Tensor* StateDict::find(std::string_view name) const {
  const auto at = first_not_below(name);
  return at != by_name_.end() && entries_[*at].first == name ? &entries_[*at].second : nullptr;
}

const Tensor& StateDict::at(std::string_view name, Place place) const {
  if (const Tensor* const found = find(name)) return *found;
  const OpScope scope("state_dict", place);
  std::string names;
  for (const auto& entry : entries_) names += text(names.empty() ? "" : ", ", entry.first);
  scope.fail<ValueError>("there is no ", name, "; the names are: ", names);
}

}  // namespace xgrad
