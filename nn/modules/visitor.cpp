#include <cxxabi.h>

#include <cstdlib>
#include <functional>
#include <nn/module.hpp>
#include <nn/modules/registry.hpp>
#include <unordered_set>

/// One visit of a model: collects what `members` lists and finds what it does not.
namespace xgrad::nn {

std::string Visitor::joined(std::string_view name) const {
  if (path_.empty()) return std::string(name);
  return name.empty() ? path_ : text(path_, ".", name);
}

template <class Members>
void Visitor::inside(std::string path, Range extent, const Module* self, const std::type_info& type, Members members) {
  std::swap(path_, path);
  const std::size_t first = listed_.size();
  members();
  if (!wanted_) check_all_listed(extent, self, type, first);
  listed_.resize(first);
  listed_.push_back(extent);
  std::swap(path_, path);
}

void Visitor::check_all_listed(Range extent, const Module* self, const std::type_info& type, std::size_t first) const {
  const std::less<const void*> below;
  for (const auto& found : detail::registered_between(extent.begin, extent.end)) {
    const void* const at = found.module ? static_cast<const void*>(found.module) : found.tensor;
    bool listed = at == self || (found.tensor && !found.tensor->defined());
    for (std::size_t i = first; i < listed_.size() && !listed; ++i)
      listed = !below(at, listed_[i].begin) && below(at, listed_[i].end);
    if (!listed) fail_unlisted(type, found, "add visit(\"its_name\", its_name) to members()");
  }
}

void Visitor::fail_unlisted(const std::type_info& type, const detail::Registered& found, const char* remedy) const {
  const OpScope scope("members", {});
  const std::string what =
      found.module ? text("module (", found.module->describe(), ")") : text("tensor of shape ", found.tensor->shape());
  scope.fail<ValueError>(detail::type_name(type), " has a ", what, " that it does not list",
                         path_.empty() ? "" : text(" (path ", path_, ")"), "; ", remedy);
}

void Visitor::module(std::string_view name, Module& m) {
  std::string path = joined(name);
  if (&m == wanted_ && found_.empty()) found_ = path;
  // An error while the model is being constructed asks for names too, and later members do not exist yet.
  if (wanted_ && (!found_.empty() || !detail::is_registered(&m))) return;
  entries_.push_back({.path = path, .module = &m});
  inside(std::move(path), {m.begin(), m.end()}, &m, typeid(m), [&] { m.members(*this); });
}

void Visitor::structure(std::string_view name, void* self, std::size_t size, const std::type_info& type,
                        void (*members)(void*, Visitor&)) {
  std::string path = joined(name);
  entries_.push_back({.path = path, .type = &type});
  inside(std::move(path), {self, static_cast<std::byte*>(self) + size}, nullptr, type, [&] { members(self, *this); });
}

void Visitor::tensor(std::string_view name, detail::OwnedTensor& t, std::size_t size, bool is_parameter) {
  if (wanted_) return;
  listed_.push_back({&t, reinterpret_cast<std::byte*>(&t) + size});
  if (t.defined()) entries_.push_back({.path = joined(name), .tensor = &t, .is_parameter = is_parameter});
}

/// What was visited, each tensor where it came first.
std::vector<Visitor::Entry> Visitor::take_entries() {
  std::unordered_set<const void*> tensors;
  std::erase_if(entries_, [&](const Entry& e) { return e.tensor && !tensors.insert(e.tensor).second; });
  std::unordered_set<std::string_view> names;
  for (const Entry& e : entries_) {
    if (!e.tensor || names.insert(e.path).second) continue;
    const OpScope scope("members", {});
    scope.fail<ValueError>("two members are called ", e.path, "; give each a name of its own");
  }
  return std::move(entries_);
}

void Visitor::function(std::string_view name, const std::type_info& type, const std::vector<detail::Registered>& held) {
  if (wanted_) return;
  entries_.push_back({.path = joined(name), .type = &type});
  for (const detail::Registered& found : held) {
    if (found.tensor && !found.tensor->defined()) continue;
    path_ = joined(name);
    fail_unlisted(type, found, "make it a struct with members(), and add visit(\"its_name\", its_name) there");
  }
}

std::string detail::type_name(const std::type_info& type) {
  char* const demangled = abi::__cxa_demangle(type.name(), nullptr, nullptr, nullptr);
  std::string name = demangled ? demangled : type.name();
  std::free(demangled);
  // What follows the last :: that stands outside all brackets.
  std::size_t start = 0;
  int depth = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (c == '<' || c == '(' || c == '{') ++depth;
    if (c == '>' || c == ')' || c == '}') --depth;
    if (depth == 0 && c == ':') start = i + 1;
  }
  name.erase(0, start);
  for (const char* const unnamed : {"{lambda", "'lambda", "$_", "function<"})  // the last is std::function
    if (name.starts_with(unnamed)) return "function";
  return name.find("(*)") != std::string::npos ? "function" : name;
}

}  // namespace xgrad::nn
