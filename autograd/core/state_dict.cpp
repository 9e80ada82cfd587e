#include <autograd/state_dict.hpp>
#include <set>

// Named tensors in the order in which they were set.
namespace xgrad {

StateDict::StateDict(std::initializer_list<Entry> entries, Place place)
    : StateDict(std::vector<Entry>(entries), place) {}

StateDict::StateDict(std::vector<Entry> entries, Place place) : entries_(std::move(entries)) {
  std::set<std::string_view> names;
  for (const auto& [name, value] : entries_) {
    if (names.insert(name).second) continue;
    const OpScope scope("StateDict", place);
    scope.fail<ValueError>("the name '", name, "' occurs twice; give each tensor a name of its own");
  }
}

void StateDict::set(std::string_view name, Tensor value) {
  for (auto& [existing, old] : entries_) {
    if (existing != name) continue;
    old = std::move(value);
    return;
  }
  entries_.emplace_back(name, std::move(value));
}

const Tensor* StateDict::find(std::string_view name) const {
  for (const auto& [existing, value] : entries_)
    if (existing == name) return &value;
  return nullptr;
}

const Tensor& StateDict::at(std::string_view name, Place place) const {
  if (const Tensor* const found = find(name)) return *found;
  const OpScope scope("state_dict", place);
  std::string names;
  for (const auto& entry : entries_) names += text(names.empty() ? "" : ", ", entry.first);
  scope.fail<ValueError>("there is no ", name, "; the names are: ", names);
}

}  // namespace xgrad
