#include <autograd/ops.hpp>
#include <nn/training/examples.hpp>

namespace xgrad::nn {

Examples::Examples(const TensorDataset& dataset)
    : size_(dataset.size()),
      batch_([dataset](const Tensor& rows) -> std::vector<Tensor> {
        Batch batch = dataset.take(rows);
        return {std::move(batch.x), std::move(batch.y)};
      }),
      dataset_(dataset),
      labels_(dataset.labels()) {}

Examples::Examples(std::int64_t size, BatchFunction batch, Place place) : size_(size), batch_(std::move(batch)) {
  const OpScope scope("Examples", place);
  if (size < 0) scope.fail<ValueError>("there cannot be ", size, " rows");
  if (!batch_) scope.fail<ValueError>("the batch function is empty");
}

std::vector<Tensor> Examples::range(std::int64_t start, std::int64_t stop) const {
  if (!dataset_) return batch_(arange(start, stop, 1, {.dtype = i64}));
  Batch batch = dataset_->rows(start, stop);
  return {std::move(batch.x), std::move(batch.y)};
}

Examples Examples::subset(const Tensor& rows) const {
  Examples part(rows.size(), [batch = batch_, rows](const Tensor& some) { return batch(take(rows, some, 0)); });
  if (labels_.defined()) part.labels_ = take(labels_, rows, 0);
  return part;
}

}  // namespace xgrad::nn
