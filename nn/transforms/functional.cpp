#include <algorithm>
#include <nn/functional.hpp>

/// Putting other tensors in the places of a model's parameters, and names to results.
namespace xgrad::nn {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += text(all.empty() ? "" : ", ", name);
  return all;
}

}  // namespace

detail::Substituted::Substituted(const std::vector<OwnedTensor*>& members, const std::vector<Tensor>& by)
    : members_(members), others_(by) {
  swap();
}

detail::Substituted::~Substituted() { swap(); }

void detail::Substituted::swap() {
  for (std::size_t i = 0; i < members_.size(); ++i) std::swap(static_cast<Tensor&>(*members_[i]), others_[i]);
}

detail::Parameters::Parameters(const OpScope& scope, const Module& model, Place place) {
  for (const auto& [name, member] : model.parameter_members("parameters", place)) {
    if (!member->requires_grad()) continue;
    names.push_back(name);
    members.push_back(member);
    values.push_back(member->is_leaf() ? member->detach() : *member);
  }
  if (names.empty()) scope.fail<ValueError>("the model has no parameter that requires a gradient");
}

detail::Parameters::Parameters(const OpScope& scope, const Module& model, const StateDict& like, Place place) {
  const auto own = model.parameter_members("parameters", place);
  for (const auto& entry : like) {
    const auto& [name, value] = entry;
    const auto it =
        std::find_if(own.begin(), own.end(), [&entry](const auto& member) { return member.first == entry.first; });
    if (it == own.end()) scope.fail<ValueError>("the model has no parameter ", name);
    const Tensor& mine = *it->second;
    if (!value.defined()) scope.fail<ValueError>(name, " is undefined (default-built)");
    if (value.shape() != mine.shape())
      scope.fail(name, " is ", value.shape(), ", the model's is ", mine.shape(), "; they must be equal");
    if (value.dtype() != mine.dtype())
      scope.fail<DtypeError>(name, " is ", name_of(value.dtype()), ", the model's is ", name_of(mine.dtype()),
                             "; convert it with .to(...)");
    names.push_back(name);
    members.push_back(it->second);
  }
}

StateDict detail::Parameters::named(std::vector<Tensor>&& list) const {
  std::vector<StateDict::Entry> entries;
  for (std::size_t i = 0; i < names.size(); ++i) entries.emplace_back(names[i], std::move(list[i]));
  return entries;
}

std::vector<Tensor> detail::Parameters::ordered(const OpScope& scope, const StateDict& dict) const {
  std::vector<Tensor> list;
  for (const std::string& name : names) {
    const Tensor* const found = dict.find(name);
    if (!found) scope.fail<ValueError>("there is no tangent for ", name, "; give one for each of ", joined(names));
    list.push_back(*found);
  }
  for (const auto& [name, value] : dict)
    if (std::find(names.begin(), names.end(), name) == names.end())
      scope.fail<ValueError>("there is a tangent for ", name, ", and the parameters are ", joined(names));
  return list;
}

const Tensor& HessianBlocks::at(std::string_view row, std::string_view column, Place place) const {
  const auto index = [&](std::string_view name) {
    const auto it = std::find(names.begin(), names.end(), name);
    const OpScope scope("hessian", place);
    if (it == names.end()) scope.fail<ValueError>("there is no ", name, "; the names are: ", joined(names));
    return static_cast<std::size_t>(it - names.begin());
  };
  return blocks[index(row)][index(column)];
}

}  // namespace xgrad::nn
