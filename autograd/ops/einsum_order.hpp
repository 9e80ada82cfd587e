#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

/// In which order einsum multiplies its operands.
namespace xgrad {

/// What a formula calls the axes of an operand: letters; -3, -2, -1 for those of an ellipsis, counted from the last.
using Labels = std::vector<int>;
inline bool has(const Labels& labels, int label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

/// At each step two of the terms that are left are multiplied, and their product comes last.
struct Order {
  std::vector<std::pair<std::size_t, std::size_t>> steps;
  double cost = 0;  // multiplications
};

/// The cheapest order, found by trying all; of many terms, which have too many, by taking the cheapest step first.
Order cheapest(const std::vector<Labels>& terms, const Labels& output, const std::map<int, std::int64_t>& sizes);

}  // namespace xgrad
