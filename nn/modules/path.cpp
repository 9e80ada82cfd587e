#include <nn/module.hpp>
#include <nn/modules/registry.hpp>

/// What a running module is called, for messages: its path in the outermost model around it.
namespace xgrad::nn {

std::string Visitor::name_of(const Module& wanted, const Module& in) {
  Visitor visitor;
  visitor.wanted_ = &wanted;
  try {
    const_cast<Module&>(in).members(visitor);  // as in Module::walk
  } catch (...) {
    // `members` may be the user's, and what it throws is for another message.
  }
  return visitor.found_;
}

void detail::append_module(const void* self, PathScope::Path& path) {
  const auto* const module = static_cast<const Module*>(self);
  const auto* const around = static_cast<const Module*>(path.module);
  if (module == around) return;  // its hooks run around it by another frame
  std::string& words = path.words;
  std::string name = around ? Visitor::name_of(*module, *around) : "";
  const std::string member = std::exchange(path.member, "");
  path.module = module;
  if (!name.empty() && name == member) return;  // the container has named it
  if (!name.empty() && (member.empty() || name.starts_with(member + "."))) {
    if (!member.empty()) name.erase(0, member.size() + 1);
    words.resize(path.named);
    if (!words.empty() && !words.ends_with(' ')) words += '.';
  } else {
    name.clear();
    if (const Module* const outermost = enclosing(module)) name = Visitor::name_of(*module, *outermost);
    if (!words.empty()) words += ", ";
  }
  words += name;
  path.named = words.size();
  words += name.empty() ? module->describe() : text(" (", module->describe(), ")");
}

}  // namespace xgrad::nn
