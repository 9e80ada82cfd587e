// Aligns the columns of a table of words.
#include <algorithm>
#include <autograd/support/table.hpp>

namespace xgrad::detail {

std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows, std::string_view sides) {
  std::vector<std::size_t> widths(sides.size());
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (widths[c] == 0) continue;
      const std::string gap(widths[c] - row[c].size(), ' ');
      line += (line.empty() ? "" : "  ") + (sides[c] == 'r' ? gap + row[c] : row[c] + gap);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace xgrad::detail
