#include <nn/embedding.hpp>

#include <autograd/ops.hpp>

/// Tables of vectors.
namespace xgrad::nn {

Embedding::Embedding(std::int64_t count, std::int64_t features, EmbeddingOptions options, Place place)
    : padding_index_(options.padding_index) {
  const OpScope scope("Embedding", place);
  if (count < 0 || features < 0)
    scope.fail<ValueError>("negative size: ", count, " rows of ", features, " features; both must be at least 0");
  if (padding_index_ < -1 || padding_index_ >= count)
    scope.fail<ValueError>("the padding index is ", padding_index_, "; expected one of ", count,
                           " rows, or -1 for none");
  Tensor values = options.weight_init({count, features}, {.dtype = options.dtype});
  if (padding_index_ >= 0) values = index_put(values, {from_values(std::vector<std::int64_t>{padding_index_}, {1})}, 0);
  weight = Parameter(std::move(values));
}

Tensor Embedding::operator()(const Operand& indices) const {
  return hooked(indices, [this](const Operand& at) {
    return embedding({weight, at.place()}, at, {.padding_index = padding_index_});
  });
}

void Embedding::members(Visitor& visit) { visit("weight", weight); }

std::string Embedding::describe() const {
  return weight.defined() ? text("Embedding ", weight.shape()[0], " x ", weight.shape()[1]) : "Embedding (moved from)";
}

}  // namespace xgrad::nn
