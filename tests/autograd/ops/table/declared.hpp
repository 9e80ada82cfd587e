#pragma once
#include <string>
#include <vector>

namespace xgrad::op_table {

/// The text of the headers that declare ops.
std::string op_headers();

/// The names of the ops that a header declares, as rows spell them: every function at the left margin that returns a
/// Tensor or several, if what it takes begins so; within a namespace of xgrad with its name, "linalg::inv". An operator
/// with a single operand is "operator- (unary)".
std::vector<std::string> declared_ops(const std::string& header_text, const std::string& taking = "");

/// The groups of each match of a regular expression in a text.
std::vector<std::vector<std::string>> groups_of_matches(const std::string& text, const std::string& expression);

}  // namespace xgrad::op_table
