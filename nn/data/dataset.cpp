#include <autograd/kernels/table.hpp>
#include <autograd/ops/random_scope.hpp>
#include <nn/data/dataset.hpp>

/// Rows of datasets: slices, copies and seeded random orders.
namespace xgrad::nn {
namespace {

Tensor rows_of(const Tensor& t, std::int64_t start, std::int64_t stop) {
  if (!t.defined()) return {};
  Shape shape = t.shape();
  shape[0] = stop - start;
  return Tensor(t.array().viewed(shape, start * t.shape().product(1, t.ndim())));
}

Tensor copy_of(const Tensor& t, const std::int64_t* indices, std::int64_t count) {
  if (!t.defined()) return {};
  Shape shape = t.shape();
  shape[0] = count;
  Array rows(t.dtype(), shape);
  kernels::table().take[int(t.dtype())](t.array().data(), indices, rows.data(), 1, t.shape()[0], count,
                                        shape.product(1, t.ndim()));
  return Tensor(std::move(rows));
}

}  // namespace

TensorDataset::TensorDataset(const Tensor& features, const Tensor& labels, Place place)
    : features_(features.detach()), labels_(labels.detach()) {
  const OpScope scope("TensorDataset", place);
  if (!features.defined()) scope.fail<ValueError>("the features are undefined (default-built)");
  if (features.ndim() == 0) scope.fail("the features are a single number; expected rows along the first axis");
  if (!labels.defined()) return;
  if (labels.ndim() == 0 || labels.shape()[0] != size())
    scope.fail("the features ", features.shape(), " and the labels ", labels.shape(),
               " differ in their number of rows");
}

Batch TensorDataset::rows(std::int64_t start, std::int64_t stop, Place place) const {
  const OpScope scope("rows", place);
  if (start < 0 || start > stop || stop > size())
    scope.fail<ValueError>("there are no rows ", start, " to ", stop, "; the dataset has ", size());
  return {rows_of(features_, start, stop), rows_of(labels_, start, stop)};
}

Batch TensorDataset::copy_rows(const std::int64_t* indices, std::int64_t count) const {
  return {copy_of(features_, indices, count), copy_of(labels_, indices, count)};
}

Batch TensorDataset::take(const Tensor& indices, Place place) const {
  const OpScope scope("take", place);
  if (indices.dtype() != i64)
    scope.fail<DtypeError>("the indices are ", name_of(indices.dtype()), ", not i64; convert them with .to(i64)");
  if (indices.ndim() != 1) scope.fail("the indices are ", indices.shape(), "; expected (n,)");
  const std::int64_t* const at = indices.data<std::int64_t>();
  for (std::int64_t i = 0; i < indices.size(); ++i)
    if (at[i] < 0 || at[i] >= size())
      scope.fail<ValueError>("index ", i, " is ", at[i], "; the dataset has ", size(), " rows");
  return copy_rows(at, indices.size());
}

Tensor detail::seeded_order(std::int64_t n, std::uint64_t seed, std::uint64_t round) {
  // Other bits than those that manual_seed(seed) gives to weights and dropout.
  const RandomScope random({seed ^ 0x9e3779b97f4a7c15, round});
  return randperm(n);
}

std::uint64_t detail::drawn_seed() {
  RandomState state = random_state();
  const std::uint64_t seed = state.seed + 0x2545f4914f6cdd1d * state.stream;
  ++state.stream;
  set_random_state(state);
  return seed;
}

std::vector<TensorDataset> random_split(const TensorDataset& dataset, const std::vector<std::int64_t>& sizes,
                                        std::uint64_t seed, Place place) {
  const OpScope scope("random_split", place);
  std::int64_t left = dataset.size();
  std::string listed;
  for (const std::int64_t size : sizes) {
    listed += text(listed.empty() ? "" : ", ", size);
    if (size < 0) scope.fail<ValueError>("a size is ", size, "; expected at least 0");
    left = size > left ? -1 : left - size;
    if (left < 0) break;
  }
  if (left != 0)
    scope.fail<ValueError>("the sizes ", listed, left < 0 ? " add up to more" : " add up to fewer", " than the ",
                           dataset.size(), " rows of the dataset");
  const Tensor order = detail::seeded_order(dataset.size(), seed, 0);
  const Batch shuffled = dataset.take(order);
  const TensorDataset all(shuffled.x, shuffled.y);
  std::vector<TensorDataset> parts;
  std::int64_t start = 0;
  for (const std::int64_t size : sizes) {
    const Batch part = all.rows(start, start + size);
    parts.emplace_back(part.x, part.y);
    start += size;
  }
  return parts;
}

}  // namespace xgrad::nn
