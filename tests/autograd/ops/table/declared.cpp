#include <algorithm>
#include <autograd/ops/table/declared.hpp>
#include <fstream>
#include <iterator>
#include <regex>

namespace xgrad::op_table {

std::string op_headers() {
  std::string text;
  for (const char* name : {"ops", "activations", "images", "indexing", "normalisation", "sequences", "linalg"}) {
    std::ifstream file(std::string(XGRAD_SOURCE_FOLDER "/autograd/") + name + ".hpp");
    text.append(std::istreambuf_iterator<char>(file), {});
  }
  return text;
}

namespace {

/// "linalg::" where the last namespace that opens before `end` is xgrad::linalg, nothing where it is xgrad.
std::string namespace_at(const std::string& text, std::size_t end) {
  const std::string_view outer = "namespace xgrad";
  const std::size_t at = text.rfind(outer, end);
  if (at == std::string::npos) return "";
  const std::string inner = text.substr(at + outer.size(), text.find(" {", at) - at - outer.size());
  return inner.empty() ? "" : inner.substr(2) + "::";
}

}  // namespace

std::vector<std::string> declared_ops(const std::string& header_text, const std::string& taking) {
  static const std::regex declaration(
      R"((?:^|\n)(?:inline )?(?:Tensor&?|Sorted|std::vector<Tensor>|LstmState|SlogDet|QR|Eigh|SVD) ((?:operator[^\s(]+)|\w+)\(([^)]*))");
  std::vector<std::string> names;
  for (std::sregex_iterator it(header_text.begin(), header_text.end(), declaration), end; it != end; ++it) {
    std::string name = (*it)[1], parameters = (*it)[2];
    name = namespace_at(header_text, static_cast<std::size_t>(it->position())) + name;
    if (!parameters.starts_with(taking)) continue;
    if (name.starts_with("operator") && parameters.find(',') == std::string::npos) name += " (unary)";
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

std::vector<std::vector<std::string>> groups_of_matches(const std::string& text, const std::string& expression) {
  const std::regex regex(expression);
  std::vector<std::vector<std::string>> matches;
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it)
    matches.emplace_back(std::next(it->begin()), it->end());
  return matches;
}

}  // namespace xgrad::op_table
