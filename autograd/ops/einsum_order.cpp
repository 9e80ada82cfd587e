#include <autograd/ops/einsum_order.hpp>

/// In which order einsum multiplies its operands.
namespace xgrad {
namespace {

/// What is left of the axes of two terms that are multiplied, for the other terms and the result.
Labels kept_of(const std::vector<Labels>& terms, std::size_t a, std::size_t b, const Labels& output) {
  Labels kept;
  for (const std::size_t i : {a, b})
    for (const int label : terms[i]) {
      bool needed = has(output, label) && !has(kept, label);
      for (std::size_t k = 0; k < terms.size() && !needed; ++k)
        needed = k != a && k != b && has(terms[k], label) && !has(kept, label);
      if (needed) kept.push_back(label);
    }
  return kept;
}

/// The terms with the product of two of them as the last.
std::vector<Labels> without(const std::vector<Labels>& terms, std::size_t a, std::size_t b, const Labels& output) {
  std::vector<Labels> left;
  for (std::size_t i = 0; i < terms.size(); ++i)
    if (i != a && i != b) left.push_back(terms[i]);
  left.push_back(kept_of(terms, a, b, output));
  return left;
}

}  // namespace

Order cheapest(const std::vector<Labels>& terms, const Labels& output, const std::map<int, std::int64_t>& sizes) {
  constexpr std::size_t few = 5;
  Order best;
  if (terms.size() < 2) return best;
  for (std::size_t a = 0; a < terms.size(); ++a)
    for (std::size_t b = a + 1; b < terms.size(); ++b) {
      double cost = 1;
      for (const int label : terms[a]) cost *= static_cast<double>(sizes.at(label));
      for (const int label : terms[b])
        if (!has(terms[a], label)) cost *= static_cast<double>(sizes.at(label));
      Order order{{{a, b}}, cost};
      if (terms.size() > 2 && terms.size() <= few) {
        const Order rest = cheapest(without(terms, a, b, output), output, sizes);
        order.steps.insert(order.steps.end(), rest.steps.begin(), rest.steps.end());
        order.cost += rest.cost;
      }
      if (best.steps.empty() || order.cost < best.cost) best = std::move(order);
    }
  if (terms.size() > few) {
    const auto [a, b] = best.steps[0];
    const Order rest = cheapest(without(terms, a, b, output), output, sizes);
    best.steps.insert(best.steps.end(), rest.steps.begin(), rest.steps.end());
  }
  return best;
}

}  // namespace xgrad
