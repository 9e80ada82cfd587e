#pragma once
#include <string>
#include <string_view>
#include <vector>

/// What keeps a text from being well-formed XML, or nothing: tags that do not close, attributes without quotes or given
/// twice, bare < and &. (Comments, CDATA and document types beyond <!doctype html> are not for our pages.)
inline std::string xml_fault(std::string_view s) {
  std::vector<std::string> open;
  std::size_t i = 0;
  const auto fault = [&](const char* what) {
    return std::string(what) + " at: " + std::string(s.substr(i > 40 ? i - 40 : 0, 100));
  };
  const auto name = [&] {
    const std::size_t from = i;
    while (i < s.size() && (std::isalnum(static_cast<unsigned char>(s[i])) || s[i] == '-' || s[i] == ':')) ++i;
    return std::string(s.substr(from, i - from));
  };
  const auto space = [&] {
    while (i < s.size() && std::isspace(static_cast<unsigned char>(s[i]))) ++i;
  };
  /// Text up to `end`.
  const auto words = [&](char end) {
    for (; i < s.size() && s[i] != end; ++i) {
      if (s[i] == '<') return false;
      if (s[i] != '&') continue;
      bool known = false;
      for (const char* entity : {"&lt;", "&gt;", "&amp;", "&quot;", "&#39;"}) known |= s.substr(i).starts_with(entity);
      if (!known) return false;
    }
    return true;
  };
  if (s.starts_with("<!doctype html>")) i = 15;
  space();
  for (bool first = true; i < s.size(); first = false) {
    if (!first && open.empty()) {
      space();
      return i == s.size() ? "" : fault("something after the root");
    }
    if (!words('<')) return fault("a bare < or &");
    if (i == s.size()) break;
    ++i;
    if (s[i] == '/') {
      ++i;
      const std::string closing = name();
      if (open.empty() || open.back() != closing || s[i] != '>') return fault("a tag that closes another");
      open.pop_back();
      ++i;
      continue;
    }
    const std::string tag = name();
    if (tag.empty()) return fault("a tag without a name");
    std::vector<std::string> attributes;
    for (space(); i < s.size() && s[i] != '>' && s[i] != '/'; space()) {
      const std::string attribute = name();
      if (attribute.empty() || s.substr(i, 1) != "=") return fault("an attribute without a value");
      for (const std::string& other : attributes)
        if (other == attribute) return fault("an attribute given twice");
      attributes.push_back(attribute);
      const char quote = s[++i];
      if (quote != '\'' && quote != '"') return fault("an attribute without quotes");
      ++i;
      if (!words(quote)) return fault("a bare < or & in an attribute");
      ++i;
    }
    if (s.substr(i, 2) == "/>") {
      i += 2;
    } else if (s.substr(i, 1) == ">") {
      ++i;
      open.push_back(tag);
    } else {
      return fault("a tag without an end");
    }
  }
  return open.empty() ? "" : fault(("not closed: " + open.back()).c_str());
}
