#pragma once
#include <autograd/gradcheck.hpp>

/// What the report's table and its pages say in the same words.
namespace xgrad::checking {

constexpr int verdict_count = 5;

/// "[1, 2]" for a flat index; nothing for a 0-d tensor or an unknown index.
std::string index_in(const Shape& shape, std::int64_t flat);
/// Which op, which of its inputs, and of which order.
std::string headline(const GradcheckCulprit& c);
/// "3", or "sum 1" for a random sum of all outputs.
std::string output_name(const GradcheckEntry& e);

}  // namespace xgrad::checking
