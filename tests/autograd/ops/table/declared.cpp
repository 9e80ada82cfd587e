#include <algorithm>
#include <autograd/ops/table/declared.hpp>
#include <fstream>
#include <iterator>
#include <regex>

namespace xgrad::op_table {

std::string op_headers() {
  std::string text;
  for (const char* name : {"ops", "activations", "indexing", "normalisation"}) {
    std::ifstream file(std::string(XGRAD_SOURCE_FOLDER "/autograd/") + name + ".hpp");
    text.append(std::istreambuf_iterator<char>(file), {});
  }
  return text;
}

std::vector<std::string> declared_ops(const std::string& header_text, const std::string& taking) {
  static const std::regex declaration(
      R"((?:^|\n)(?:inline )?(?:Tensor&?|Sorted|std::vector<Tensor>) ((?:operator[^\s(]+)|\w+)\(([^)]*))");
  std::vector<std::string> names;
  for (std::sregex_iterator it(header_text.begin(), header_text.end(), declaration), end; it != end; ++it) {
    std::string name = (*it)[1], parameters = (*it)[2];
    if (!parameters.starts_with(taking)) continue;
    if (name.starts_with("operator") && parameters.find(',') == std::string::npos) name += " (unary)";
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

}  // namespace xgrad::op_table
