#pragma once
#include <string>
#include <string_view>
#include <vector>

/// Tables of words for terminals.
namespace xgrad::detail {

/// Rows of words as lines in which columns stand two spaces apart, each as wide as its longest cell and aligned to the
/// left ('l') or right ('r') as `sides` says. A row may end early; a column without a word takes no room.
std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows, std::string_view sides);

}  // namespace xgrad::detail
