#pragma once
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// What a timing depends on besides the program: processor, instruction set in use, compiler, versions of the
/// libraries, OpenBLAS' core type; as pairs of a name and a value.
using Machine = std::vector<std::pair<std::string, std::string>>;
Machine describe_machine();

}  // namespace bench
