#include <algorithm>
#include <autograd/ops/einsum_order.hpp>
#include <autograd/ops/reduce.hpp>
#include <string_view>

/// einsum, composed of permute, reshape, matmul, multiply and sum.
namespace xgrad {
namespace {

/// The label of an ellipsis whose axes have not been counted yet.
constexpr int ellipsis = 0;

Labels joined(Labels labels, const Labels& more) {
  labels.insert(labels.end(), more.begin(), more.end());
  return labels;
}

/// A tensor and what its axes are called.
struct Term {
  Tensor t;
  Labels labels;

  int axis(int label) const {
    return static_cast<int>(std::find(labels.begin(), labels.end(), label) - labels.begin());
  }
  std::int64_t size(const Labels& of) const {
    std::int64_t n = 1;
    for (const int label : of) n *= t.shape()[axis(label)];
    return n;
  }
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

Labels parsed(const OpScope& scope, std::string_view term) {
  Labels labels;
  for (std::size_t i = 0; i < term.size(); ++i) {
    if (is_letter(term[i])) {
      labels.push_back(term[i]);
    } else if (term.substr(i).starts_with("...") && !has(labels, ellipsis)) {
      labels.push_back(ellipsis);
      i += 2;
    } else {
      scope.fail<ValueError>("\"", term, "\" holds '", term.substr(i, 1), "'; write letters, and \"...\" at most once");
    }
  }
  return labels;
}

/// The labels with `axes` axes in place of the ellipsis.
Labels expanded(const Labels& labels, int axes) {
  Labels result;
  for (const int label : labels) {
    if (label != ellipsis) result.push_back(label);
    for (int a = label == ellipsis ? -axes : 0; a < 0; ++a) result.push_back(a);
  }
  return result;
}

/// The parts of `list` between commas.
std::vector<std::string> parts_of(const std::string& list) {
  std::vector<std::string> parts{""};
  for (const char c : list) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

Tensor shaped(const Tensor& t, const Shape& shape) { return t.shape() == shape ? t : reshape(t, shape); }

/// x with its axes in the order of `to`, which holds all of them; those that x lacks have size 1.
Tensor arranged(const Term& x, const Labels& to) {
  std::vector<int> order;
  Shape shape;
  for (const int label : to) {
    const bool own = has(x.labels, label);
    if (own) order.push_back(x.axis(label));
    shape.push_back(own ? x.size({label}) : 1);
  }
  return shaped(std::is_sorted(order.begin(), order.end()) ? x.t : permute(x.t, order), shape);
}

/// The sum over all axes but those `kept`.
Term summed(Term x, const Labels& kept) {
  std::vector<int> axes;
  Labels left;
  for (const int label : x.labels) {
    if (has(kept, label)) {
      left.push_back(label);
    } else {
      axes.push_back(x.axis(label));
    }
  }
  return axes.empty() ? x : Term{sum(x.t, axes), left};
}

/// Of two axes that are called alike the diagonal, as the last axis, until no two are.
Term with_diagonals(const Term& x) {
  for (int i = 0; i < x.t.ndim(); ++i) {
    const int label = x.labels[static_cast<std::size_t>(i)];
    const auto second = std::find(x.labels.begin() + i + 1, x.labels.end(), label);
    if (second == x.labels.end()) continue;
    const int j = static_cast<int>(second - x.labels.begin());
    Term rest{diagonal(x.t, 0, i, j), {}};
    for (int d = 0; d < x.t.ndim(); ++d)
      if (d != i && d != j) rest.labels.push_back(x.labels[static_cast<std::size_t>(d)]);
    rest.labels.push_back(label);
    return with_diagonals(rest);
  }
  return x;
}

/// A stack of matrices as matmul takes it: (batch..., rows, columns), or transposed.
struct Matrices {
  Tensor t;
  bool transposed;
  Matrices(const Term& x, const Labels& batch, const Labels& rows, const Labels& columns)
      : transposed(x.labels == joined(joined(batch, columns), rows)) {
    const Labels &first = transposed ? columns : rows, &second = transposed ? rows : columns;
    Shape shape;
    for (const int label : batch) shape.push_back(x.size({label}));
    shape.push_back(x.size(first));
    shape.push_back(x.size(second));
    t = shaped(arranged(x, joined(joined(batch, first), second)), shape);
  }
};

/// The product of two terms, summed over the axes that are not `kept`: by matmul where there is something to sum and
/// something to sum it for. Its axes are in the order `wanted` where exchanging the two is enough for that.
Term product(const Term& a, const Term& b, const Labels& kept, const Labels& wanted) {
  Labels batch, inner, rows, columns;
  for (const int label : a.labels) (!has(b.labels, label) ? rows : has(kept, label) ? batch : inner).push_back(label);
  for (const int label : b.labels)
    if (!has(a.labels, label)) columns.push_back(label);
  const Labels result = joined(joined(batch, rows), columns);
  if (result != wanted && joined(joined(batch, columns), rows) == wanted) return product(b, a, kept, wanted);
  if (inner.empty() || (rows.empty() && columns.empty())) {
    const Labels all = joined(result, inner);
    return summed({arranged(a, all) * arranged(b, all), all}, kept);
  }
  const Matrices p(a, batch, rows, inner), q(b, batch, inner, columns);
  const Tensor y = matmul(p.t, q.t, {.transpose_a = p.transposed, .transpose_b = q.transposed});
  Shape shape(y.shape().begin(), y.shape().begin() + static_cast<std::ptrdiff_t>(batch.size()));
  for (const int label : rows) shape.push_back(a.size({label}));
  for (const int label : columns) shape.push_back(b.size({label}));
  return {shaped(y, shape), result};
}

Order order_of(const std::vector<Term>& terms, const Labels& output) {
  if (terms.size() == 2) return {{{0, 1}}, 0};
  std::vector<Labels> labels;
  std::map<int, std::int64_t> sizes;
  for (const Term& term : terms) {
    labels.push_back(term.labels);
    for (const int label : term.labels) sizes[label] = std::max(sizes[label], term.size({label}));
  }
  return cheapest(labels, output, sizes);
}

/// The operands with their axes' labels. Throws unless the formula fits them.
std::vector<Term> terms_of(const OpScope& scope, const std::vector<std::string>& inputs,
                           const std::vector<Tensor>& operands) {
  struct First {
    std::size_t operand;
    std::int64_t size;
  };
  std::map<int, First> sizes;
  std::vector<Term> terms;
  const auto called = [&](std::size_t i) { return text("operand ", i, " (\"", inputs[i], "\")"); };
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Tensor& t = operands[i];
    if (!t.defined())
      scope.fail<ValueError>("operand ", i, " is an undefined (default-built) tensor; give it a value first");
    if (t.dtype() != operands[0].dtype())
      scope.fail<DtypeError>("operand 0 is ", name_of(operands[0].dtype()), ", operand ", i, " is ", name_of(t.dtype()),
                             "; convert one with .to(...)");
    Labels labels = parsed(scope, inputs[i]);
    const int named = static_cast<int>(labels.size()) - has(labels, ellipsis);
    if (has(labels, ellipsis) ? named > t.ndim() : named != t.ndim())
      scope.fail(called(i), " names ", named, named == 1 ? " axis" : " axes", ", and the tensor is ", t.shape(),
                 "; name each axis, or write \"...\" for those that broadcast");
    labels = expanded(labels, t.ndim() - named);
    for (std::size_t d = 0; d < labels.size(); ++d) {
      const std::int64_t size = t.shape()[static_cast<int>(d)];
      const auto [first, is_new] = sizes.try_emplace(labels[d], First{i, size});
      First& known = first->second;
      if (labels[d] < 0 && known.size == 1) known = {i, size};
      if (is_new || known.size == size || (labels[d] < 0 && size == 1)) continue;
      const std::string axis =
          labels[d] < 0 ? text("axis ", labels[d], " of \"...\"") : text("letter ", std::string(1, char(labels[d])));
      scope.fail(axis, " is ", known.size, " in ", called(known.operand), " of shape ", operands[known.operand].shape(),
                 " and ", size, " in ", called(i), " of shape ", t.shape(), "; they must be equal");
    }
    terms.push_back({t, std::move(labels)});
  }
  return terms;
}

/// The axes of the result: those after "->", or else the ellipsis and, by the alphabet, the letters that stand once.
Labels output_of(const OpScope& scope, const std::string& formula, const std::vector<Term>& terms) {
  std::map<int, int> counts;
  int axes = 0;
  for (const Term& term : terms)
    for (const int label : term.labels) {
      ++counts[label];
      axes = std::max(axes, -label);
    }
  const std::size_t arrow = formula.find("->");
  Labels output;
  if (arrow == formula.npos) {
    for (const auto& [label, count] : counts)
      if (label < 0 || count == 1) output.push_back(label);
    return output;
  }
  output = expanded(parsed(scope, formula.substr(arrow + 2)), axes);
  for (const int label : output) {
    const std::string letter(1, static_cast<char>(label));
    if (label > 0 && counts.count(label) == 0)
      scope.fail<ValueError>("the result's letter ", letter, " is in no operand; name axes of \"",
                             formula.substr(0, arrow), "\"");
    if (std::count(output.begin(), output.end(), label) > 1)
      scope.fail<ValueError>("the result names ", letter, " twice; take the diagonal of an operand instead");
  }
  if (axes > 0 && !has(output, -1))
    scope.fail<ValueError>("the operands have axes under \"...\" and the result has none; write \"...\" there too");
  return output;
}

/// What one matmul computes of two operands as they are, such as "bij,bkj->bik", found without taking the formula
/// apart: for small matrices that would take longer than their product. Undefined for all other formulas, wrong ones
/// included.
Tensor single_product(std::string_view formula, const std::vector<Tensor>& operands) {
  // Letters are looked for in loops: a call of the C library for each takes longer than all of them.
  const auto position = [](std::string_view term, char c) {
    std::size_t i = 0;
    while (i < term.size() && term[i] != c) ++i;
    return i;
  };
  const std::size_t n = position(formula, ',');
  if (operands.size() != 2 || n < 2 || formula.size() != 3 * n + 3 || formula[2 * n + 1] != '-' ||
      formula[2 * n + 2] != '>')
    return {};
  const std::string_view a = formula.substr(0, n), b = formula.substr(n + 1, n), y = formula.substr(2 * n + 3);
  const Tensor &p = operands[0], &q = operands[1];
  if (!p.defined() || !q.defined() || p.dtype() != q.dtype() || p.ndim() != static_cast<int>(n) ||
      q.ndim() != static_cast<int>(n))
    return {};
  for (const std::string_view term : {a, b, y})
    for (std::size_t i = 0; i < n; ++i)
      if (!is_letter(term[i]) || position(term, term[i]) != i) return {};
  for (std::size_t i = 0; i + 2 < n; ++i)
    if (a[i] != b[i] || a[i] != y[i] || p.shape()[static_cast<int>(i)] != q.shape()[static_cast<int>(i)]) return {};
  // Whether the summed letter comes first in a, and last in b, so that they are transposed.
  const bool first = b[n - 2] == a[n - 2] || b[n - 1] == a[n - 2],
             second = b[n - 2] == a[n - 1] || b[n - 1] == a[n - 1];
  if (first == second) return {};
  const char inner = first ? a[n - 2] : a[n - 1], row = first ? a[n - 1] : a[n - 2];
  const bool last = b[n - 1] == inner;
  const char column = last ? b[n - 2] : b[n - 1];
  if (p.shape()[first ? -2 : -1] != q.shape()[last ? -1 : -2]) return {};
  if (y[n - 2] == row && y[n - 1] == column) return matmul(p, q, {.transpose_a = first, .transpose_b = last});
  if (y[n - 2] == column && y[n - 1] == row) return matmul(q, p, {.transpose_a = !last, .transpose_b = !first});
  return {};
}

}  // namespace

Tensor einsum(std::string_view formula, const std::vector<Tensor>& operands, Place place) {
  const OpScope scope("einsum", place);
  if (Tensor product = single_product(formula, operands); product.defined()) return product;
  std::string packed;
  std::copy_if(formula.begin(), formula.end(), std::back_inserter(packed), [](char c) { return c != ' '; });
  const std::vector<std::string> inputs = parts_of(packed.substr(0, packed.find("->")));
  if (inputs.size() != operands.size())
    scope.fail<ValueError>("\"", formula, "\" names ", inputs.size(), inputs.size() == 1 ? " operand" : " operands",
                           ", and there are ", operands.size(), "; write one list of letters for each");
  std::vector<Term> terms = terms_of(scope, inputs, operands);
  const Labels output = output_of(scope, packed, terms);
  // What stands in one operand only is summed before it is multiplied.
  for (std::size_t i = 0; i < terms.size(); ++i) {
    Labels others = output;
    for (std::size_t k = 0; k < terms.size(); ++k)
      if (k != i) others = joined(others, terms[k].labels);
    terms[i] = summed(with_diagonals(terms[i]), others);
  }
  for (const auto& [a, b] : order_of(terms, output).steps) {
    Labels others = output;
    for (std::size_t k = 0; k < terms.size(); ++k)
      if (k != a && k != b) others = joined(others, terms[k].labels);
    Term next = product(terms[a], terms[b], others, terms.size() == 2 ? output : Labels());
    terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(b));  // the later one first
    terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(a));
    terms.push_back(std::move(next));
  }
  return arranged(terms[0], output);
}

}  // namespace xgrad
