#include <autograd/ops/table/row.hpp>

namespace xgrad::op_table {
namespace {

Values transposed(const Values& x) {
  Shape shape = x.shape;
  std::swap(shape[-1], shape[-2]);
  return build(shape, [&](Index at) {
    std::swap(at[at.size() - 1], at[at.size() - 2]);
    return x[at];
  });
}

/// NumPy's matmul, one element after another.
Values product(Values a, Values b) {
  const bool row = a.shape.ndim() == 1, column = b.shape.ndim() == 1;
  if (row) a.shape.insert(0, 1);
  if (column) b.shape.push_back(1);
  const std::int64_t k = a.shape[-1];
  Shape inner_a = a.shape, inner_b = b.shape, shape;
  inner_a[-1] = inner_a[-2] = inner_b[-1] = inner_b[-2] = 1;
  broadcast(inner_a, inner_b, shape);
  shape[-2] = a.shape[-2];
  shape[-1] = b.shape[-1];
  const auto element = [](const Values& x, const Index& at, std::int64_t i, std::int64_t j) {
    Index index(at.end() - x.shape.ndim(), at.end());
    for (int d = 0; d < x.shape.ndim(); ++d)
      if (x.shape[d] == 1) index[static_cast<std::size_t>(d)] = 0;
    index[index.size() - 2] = i;
    index[index.size() - 1] = j;
    return x[index];
  };
  Values c = build(shape, [&](const Index& at) {
    Real s = 0;
    for (std::int64_t i = 0; i < k; ++i)
      s += element(a, at, at[at.size() - 2], i) * element(b, at, i, at[at.size() - 1]);
    return s;
  });
  if (row) c.shape = without(c.shape, -2);
  if (column) c.shape = without(c.shape, -1);
  return c;
}

Variant matrices(const std::string& label, const Function& f, const Reference& reference, const ShapeTuples& shapes) {
  return {.label = label,
          .f = f,
          .reference = reference,
          .domains = std::vector<Domain>(shapes[0].size(), interval(-2, 2)),
          .shapes = shapes,
          .ulps = 8,
          .scale = 12};
}

Variant with_transposes(bool a, bool b, const ShapeTuples& shapes) {
  return matrices(
      text(a ? "transposed a " : "", b ? "transposed b" : ""),
      [=](const Tensors& x) { return matmul(x[0], x[1], {.transpose_a = a, .transpose_b = b}); },
      [=](const std::vector<Values>& x) {
        return product(a && x[0].shape.ndim() > 1 ? transposed(x[0]) : x[0],
                       b && x[1].shape.ndim() > 1 ? transposed(x[1]) : x[1]);
      },
      shapes);
}

/// Sums over every letter that the result lacks; axes of size 1 broadcast.
Reference einstein(const std::vector<std::string>& operands, const std::string& result) {
  return [=](const std::vector<Values>& x) {
    std::string inner;
    const auto shape_of = [&](const std::string& letters) {
      Shape shape;
      for (const char letter : letters) {
        std::int64_t size = 1;
        for (std::size_t i = 0; i < operands.size(); ++i)
          for (std::size_t d = 0; d < operands[i].size(); ++d)
            if (operands[i][d] == letter) size = size == 1 ? x[i].shape[static_cast<int>(d)] : size;
        shape.push_back(size);
      }
      return shape;
    };
    for (const std::string& letters : operands)
      for (const char letter : letters)
        if ((result + inner).find(letter) == std::string::npos) inner += letter;
    const Shape summed = shape_of(inner);
    return build(shape_of(result), [&](const Index& outer) {
      Real total = 0;
      each_index(summed, [&](const Index& at) {
        Index all = outer;
        all.insert(all.end(), at.begin(), at.end());
        Real product = 1;
        for (std::size_t i = 0; i < operands.size(); ++i) {
          Index own;
          for (const char letter : operands[i]) own.push_back(all[(result + inner).find(letter)]);
          product *= broadcast_element(x[i], own);
        }
        total += product;
      });
      return total;
    });
  };
}

Variant einsum_variant(const std::string& formula, const std::vector<std::string>& operands, const std::string& result,
                       const ShapeTuples& shapes) {
  return matrices(
      formula, [=](const Tensors& x) { return einsum(formula, x); }, einstein(operands, result), shapes);
}

Row einsum_row() {
  return {"einsum",
          {einsum_variant("ij,jk->ik", {"ij", "jk"}, "ik",
                          {{{2, 3}, {3, 4}}, {{2, 0}, {0, 3}}, {{0, 2}, {2, 3}}, {{1, 1}, {1, 1}}}),
           einsum_variant("kj, ij -> ki", {"kj", "ij"}, "ki", {{{2, 3}, {4, 3}}}),
           einsum_variant("ji,jk->ki", {"ji", "jk"}, "ki", {{{3, 2}, {3, 4}}}),
           einsum_variant("bij,bjk->bik", {"bij", "bjk"}, "bik", {{{2, 2, 3}, {2, 3, 2}}, {{0, 2, 3}, {0, 3, 2}}}),
           einsum_variant("bhqd,bkhd->bhqk", {"bhqd", "bkhd"}, "bhqk", {{{2, 2, 3, 2}, {2, 2, 2, 2}}}),
           einsum_variant("abcde,ce->dab", {"abcde", "ce"}, "dab", {{{2, 1, 3, 2, 2}, {3, 2}}}),
           einsum_variant("bij,bj->bi", {"bij", "bj"}, "bi", {{{2, 2, 3}, {2, 3}}}),
           einsum_variant("bi,bi->b", {"bi", "bi"}, "b", {{{2, 3}, {2, 3}}}),
           einsum_variant("i,i->", {"i", "i"}, "", {{{3}, {3}}, {{0}, {0}}}),
           einsum_variant("i,j->ji", {"i", "j"}, "ji", {{{2}, {3}}}),
           einsum_variant(",ij->ij", {"", "ij"}, "ij", {{{}, {2, 3}}}),
           einsum_variant("ij,kl->jk", {"ij", "kl"}, "jk", {{{2, 3}, {2, 4}}}),
           einsum_variant("ij,jk,kl->il", {"ij", "jk", "kl"}, "il", {{{2, 3}, {3, 2}, {2, 2}}}),
           einsum_variant("ab,b,bc->ac", {"ab", "b", "bc"}, "ac", {{{2, 3}, {3}, {3, 2}}}),
           einsum_variant("ij,i,i->j", {"ij", "i", "i"}, "j", {{{2, 3}, {2}, {2}}}),
           einsum_variant("ij->", {"ij"}, "", {{{2, 3}}}),
           einsum_variant("ijk->ki", {"ijk"}, "ki", {{{2, 3, 2}}}),
           einsum_variant("ii->i", {"ii"}, "i", {{{3, 3}}, {{0, 0}}}),
           einsum_variant("iji->j", {"iji"}, "j", {{{2, 3, 2}}}),
           einsum_variant("iji,jj->ij", {"iji", "jj"}, "ij", {{{2, 3, 2}, {3, 3}}}),
           einsum_variant("iii->", {"iii"}, "", {{{2, 2, 2}}}),
           einsum_variant("ii", {"ii"}, "", {{{3, 3}}}),
           einsum_variant("ba", {"ba"}, "ab", {{{2, 3}}}),
           einsum_variant("ij,jK", {"ij", "jK"}, "Ki", {{{2, 3}, {3, 2}}}),
           einsum_variant("...ij,...jk->...ik", {"abij", "bjk"}, "abik", {{{2, 1, 2, 3}, {2, 3, 2}}}),
           einsum_variant("...i,...i", {"abi", "bi"}, "ab", {{{2, 3, 2}, {1, 2}}}),
           einsum_variant("i...,ij->j...", {"iab", "ij"}, "jab", {{{2, 2, 3}, {2, 2}}})}};
}

}  // namespace

std::vector<Row> rows_matmul() {
  std::vector<Row> rows;
  const ShapeTuples ranks{{{3}, {3}},
                          {{0}, {0}},
                          {{2, 3}, {3}},
                          {{3}, {3, 2}},
                          {{2, 3}, {3, 4}},
                          {{1, 1}, {1, 1}},
                          {{2, 0}, {0, 3}},
                          {{0, 2}, {2, 3}},
                          {{2, 3}, {3, 0}},
                          {{2, 2, 3}, {3}},
                          {{3}, {2, 3, 2}},
                          {{2, 2, 3}, {3, 2}},
                          {{2, 3}, {2, 3, 2}},
                          {{2, 2, 3}, {2, 3, 2}},
                          {{1, 2, 3}, {2, 3, 2}},
                          {{2, 2, 3}, {1, 3, 2}},
                          {{0, 2, 3}, {3, 2}},
                          {{2, 3}, {0, 3, 2}},
                          {{0, 2, 3}, {1, 3, 2}},
                          {{2, 2, 0}, {2, 0, 2}},
                          {{2, 1, 2, 3}, {3, 3, 2}},
                          {{2, 1, 1, 2, 2}, {1, 2, 2, 1}},
                          {{2, 2}, {2, 1, 2, 2, 1}}};
  rows.push_back(
      {"matmul",
       {with_transposes(false, false, ranks),
        with_transposes(true, false, {{{3}, {3, 2}}, {{3, 2}, {3}}, {{3, 2}, {3, 4}}, {{2, 3, 2}, {3, 2}}}),
        with_transposes(false, true, {{{2, 3}, {4, 3}}, {{3}, {2, 3}}, {{2, 2, 3}, {2, 3}}, {{2, 3}, {2, 2, 3}}}),
        with_transposes(true, true, {{{3, 2}, {4, 3}}, {{2, 1, 3, 2}, {3, 2, 3}}, {{0, 2}, {3, 0}}}),
        matrices(
            "with itself", [](const Tensors& x) { return matmul(x[0], matmul(x[0], x[0])); },
            [](const std::vector<Values>& x) { return product(x[0], product(x[0], x[0])); }, {{{2, 2}}, {{2, 2, 2}}})},
       {},
       scalars});
  Variant whole = with_transposes(false, false, ranks), turned = with_transposes(true, true, {{{3, 2}, {4, 3}}});
  whole.label = "integers", turned.label = "transposed integers";
  for (Variant* v : {&whole, &turned}) {
    v->domains = {integers(-99, 99), integers(-99, 99)};
    v->order = 0;
    rows.back().variants.push_back(*v);
  }
  rows.push_back({"dot",
                  {matrices(
                      "", [](const Tensors& x) { return dot(x[0], x[1]); },
                      [](const std::vector<Values>& x) { return product(x[0], x[1]); },
                      {{{1}, {1}}, {{0}, {0}}, {{2}, {2}}, {{3}, {3}}, {{4}, {4}}, {{9}, {9}}})},
                  {},
                  scalars | rank_five});
  rows.push_back({"outer",
                  {matrices(
                      "", [](const Tensors& x) { return outer(x[0], x[1]); },
                      [](const std::vector<Values>& x) {
                        return build({x[0].shape[0], x[1].shape[0]},
                                     [&](const Index& at) { return x[0][{at[0]}] * x[1][{at[1]}]; });
                      },
                      {{{1}, {1}}, {{0}, {3}}, {{3}, {0}}, {{2}, {3}}, {{3}, {2}}, {{1}, {4}}})},
                  {},
                  scalars | rank_five});
  const auto affine = [](const std::vector<Values>& x) {
    Values y = product(x[0], x[1]);
    each_index(y.shape, [&](const Index& at) { y[at] += x.size() > 2 ? x[2][{at.back()}] : 0; });
    return y;
  };
  rows.push_back({"dense",
                  {matrices("with bias", [](const Tensors& x) { return dense(x[0], x[1], x[2]); }, affine,
                            {{{2, 3}, {3, 2}, {2}},
                             {{3}, {3, 2}, {2}},
                             {{1, 1}, {1, 1}, {1}},
                             {{0, 3}, {3, 2}, {2}},
                             {{2, 0}, {0, 2}, {2}},
                             {{2, 3}, {3, 0}, {0}},
                             {{2, 2, 3}, {3, 2}, {2}},
                             {{1, 2, 1, 2, 3}, {3, 2}, {2}}}),
                   matrices("without bias", [](const Tensors& x) { return dense(x[0], x[1]); }, affine,
                            {{{2, 3}, {3, 2}}, {{3}, {3, 2}}, {{2, 2, 3}, {3, 2}}})},
                  {},
                  scalars});
  rows.push_back(einsum_row());
  return rows;
}

}  // namespace xgrad::op_table
