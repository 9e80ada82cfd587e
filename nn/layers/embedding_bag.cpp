#include <nn/embedding_bag.hpp>

#include <autograd/core/capturing.hpp>
#include <autograd/ops.hpp>

/// Bags of embeddings, by take, and sum or index_add.
namespace xgrad::nn {
namespace {

/// The bag of each of `count` indices.
void number_bags(const std::int64_t* offsets, std::int64_t* to, std::int64_t n, std::int64_t count) {
  for (std::int64_t i = 0, at = 0; i < n; ++i) {
    const std::int64_t end = i + 1 < n ? offsets[i + 1] : count;
    if (i == 0 ? offsets[0] != 0 : offsets[i] < offsets[i - 1] || offsets[i] > count)
      xgrad::detail::fail<ValueError>("offset ", i, " is ", offsets[i], " of ", count,
                                      " indices; offsets ascend from 0");
    for (; at < end && at < count; ++at) to[at] = i;
  }
}

void check_indices(const OpScope& scope, const Operand& x, const char* what, int ndim) {
  if (x.dtype() != i64)
    scope.fail<DtypeError>("the ", what, " are ", name_of(x.dtype()), ", not i64; convert them with .to(i64)");
  if (x.ndim() != ndim) scope.fail("the ", what, " are ", x.shape(), "; expected ", ndim == 1 ? "(m,)" : "(n, k)");
}

}  // namespace

EmbeddingBag::EmbeddingBag(std::int64_t count, std::int64_t features, EmbeddingBagOptions options, Place place)
    : mode_(options.mode), padding_(options.padding) {
  const OpScope scope("EmbeddingBag", place);
  if (count < 0 || features < 0)
    scope.fail<ValueError>("negative size: ", count, " rows of ", features, " features; both must be at least 0");
  if (padding_ < -1 || padding_ >= count)
    scope.fail<ValueError>("the padding is ", padding_, ", and there are ", count, " rows; give -1 for none");
  weight = Parameter(options.weight_init({count, features}, {.dtype = options.dtype}));
}

Tensor EmbeddingBag::takes_part(const Operand& at) const {
  return logical_and(at != padding_, at != padding_ - weight.shape()[0]);
}

Tensor EmbeddingBag::operator()(const Operand& indices) const {
  return hooked(indices, [this](const Operand& at) {
    const OpScope scope("embedding_bag", at.place());
    check_indices(scope, at, "indices", 2);
    Tensor rows = take(weight, at), count;
    if (padding_ >= 0) {
      const Tensor counts = unsqueeze(takes_part(at), 2);
      rows = where(counts, rows, 0);
      count = sum(counts.to(rows.dtype()), {1});
    }
    const Tensor total = sum(rows, {1});
    if (mode_ == BagMode::sum) return total;
    if (count.defined()) return total / maximum(count, 1);
    return total / std::max<std::int64_t>(at.shape()[1], 1);
  });
}

Tensor EmbeddingBag::operator()(const Operand& indices, const Operand& offsets) const {
  return hooked(indices, [&](const Operand& at) {
    const OpScope scope("embedding_bag", at.place());
    check_indices(scope, at, "indices", 1);
    check_indices(scope, offsets, "offsets", 1);
    const std::int64_t n = offsets.size(), count = at.size();
    if (n == 0 && count > 0) scope.fail("there are ", count, " indices and no offsets; the first bag begins at 0");
    const Array bags(i64, {count});
    capturing::keep(offsets.tensor());
    capturing::repeat(number_bags, offsets.array().data<std::int64_t>(), bags.data<std::int64_t>(), n, count);
    Tensor rows = take(weight, at);
    Tensor counts = ones({count, 1}, {.dtype = rows.dtype()});
    if (padding_ >= 0) {
      const Tensor counted = unsqueeze(takes_part(at), 1);
      rows = where(counted, rows, 0);
      counts = counted.to(rows.dtype());
    }
    const auto per_bag = [&](const Tensor& x) {
      return index_add(zeros({n, x.shape()[1]}, {.dtype = x.dtype()}), 0, Tensor(bags), x);
    };
    const Tensor total = per_bag(rows);
    return mode_ == BagMode::sum ? total : total / maximum(per_bag(counts), 1);
  });
}

void EmbeddingBag::members(Visitor& visit) { visit("weight", weight); }

std::string EmbeddingBag::describe() const {
  return weight.defined() ? text("EmbeddingBag ", weight.shape()[0], " -> ", weight.shape()[1],
                                 mode_ == BagMode::mean ? ", mean" : ", sum")
                          : "EmbeddingBag (moved from)";
}

std::int64_t EmbeddingBag::output_features(std::int64_t) const { return weight.defined() ? weight.shape()[1] : -1; }

}  // namespace xgrad::nn
