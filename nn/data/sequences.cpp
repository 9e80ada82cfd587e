#include <algorithm>
#include <autograd/kernels/table.hpp>
#include <nn/data/dataset.hpp>
#include <nn/data/sequences.hpp>
#include <numeric>

/// Sequences of unequal length as batches.
namespace xgrad::nn {
namespace {

using Indices = std::vector<std::int64_t>;

constexpr std::int64_t batches_sorted_together = 64;

/// The shape of a step of all sequences, after checks.
Shape step_of(const OpScope& scope, const std::vector<Tensor>& sequences) {
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const Tensor &first = sequences[0], &t = sequences[i];
    if (!t.defined()) scope.fail<ValueError>("sequence ", i, " is undefined (default-built)");
    if (t.ndim() == 0) scope.fail("sequence ", i, " is a single number; expected (length, ...)");
    if (t.dtype() != first.dtype())
      scope.fail<DtypeError>("sequence 0 is ", name_of(first.dtype()), ", sequence ", i, " is ", name_of(t.dtype()),
                             "; convert one with .to(...)");
    if (Shape(t.shape().begin() + 1, t.shape().end()) != Shape(first.shape().begin() + 1, first.shape().end()))
      scope.fail("sequence 0 is ", first.shape(), ", sequence ", i, " is ", t.shape(),
                 "; they must agree in all but their lengths");
  }
  return sequences.empty() ? Shape() : Shape(sequences[0].shape().begin() + 1, sequences[0].shape().end());
}

PaddedSequences padded(const std::vector<Tensor>& sequences, Number padding) {
  Shape shape = sequences[0].shape();
  Indices lengths;
  for (const Tensor& t : sequences) {
    lengths.push_back(t.shape()[0]);
    shape[0] = std::max(shape[0], t.shape()[0]);
  }
  const std::int64_t step = shape.product(1, shape.ndim()), row = shape[0] * step;
  shape.insert(0, std::ssize(sequences));
  const Dtype dtype = sequences[0].dtype();
  const Array values = full(shape, padding, {.dtype = dtype}).array();
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const std::int64_t count = lengths[i] * step;
    if (count > 0)
      kernels::table().copy[int(dtype)](sequences[i].array().data(),
                                        values.viewed({count}, static_cast<std::int64_t>(i) * row).data(),
                                        kernels::Loop<2>::row(count, 1, 1));
  }
  return {Tensor(values), from_values(lengths)};
}

std::vector<Tensor> detached(std::vector<Tensor> tensors) {
  for (Tensor& t : tensors) t = t.detach();
  return tensors;
}

}  // namespace

PaddedSequences pad_sequences(const std::vector<Tensor>& sequences, Number padding, Place place) {
  const OpScope scope("pad_sequences", place);
  if (sequences.empty()) scope.fail<ValueError>("there are no sequences; expected at least one");
  step_of(scope, sequences);
  return padded(sequences, padding);
}

SequenceDataset::SequenceDataset(std::vector<Tensor> sequences, const Tensor& labels, Place place) {
  const OpScope scope("SequenceDataset", place);
  step_of(scope, sequences);
  sequences_ = detached(std::move(sequences));
  if (!labels.defined()) return;
  if (labels.ndim() == 0 || labels.shape()[0] != size())
    scope.fail("there are ", size(), " sequences, and the labels are ", labels.shape(), "; expected a row for each");
  labels_ = labels.detach();
}

SequenceDataset::SequenceDataset(std::vector<Tensor> sequences, std::vector<Tensor> labels, Place place) {
  const OpScope scope("SequenceDataset", place);
  step_of(scope, sequences);
  step_of(scope, labels);
  if (sequences.size() != labels.size())
    scope.fail("there are ", sequences.size(), " sequences and labels for ", labels.size());
  for (std::size_t i = 0; i < sequences.size(); ++i)
    if (sequences[i].shape()[0] != labels[i].shape()[0])
      scope.fail("sequence ", i, " has ", sequences[i].shape()[0], " steps and labels for ", labels[i].shape()[0]);
  sequences_ = detached(std::move(sequences));
  label_sequences_ = detached(std::move(labels));
}

SequenceBatch SequenceDataset::take(const Indices& indices, Number padding, Number label_padding, Place place) const {
  const OpScope scope("take", place);
  if (indices.empty()) scope.fail<ValueError>("there are no indices; expected at least one");
  std::vector<Tensor> sequences, labels;
  for (const std::int64_t i : indices) {
    if (i < 0 || i >= size()) scope.fail<ValueError>("index ", i, " is out of range; the dataset has ", size());
    sequences.push_back(sequences_[static_cast<std::size_t>(i)]);
    if (!label_sequences_.empty()) labels.push_back(label_sequences_[static_cast<std::size_t>(i)]);
  }
  const auto [values, lengths] = padded(sequences, padding);
  SequenceBatch batch{values, lengths, {}};
  if (!labels.empty()) batch.y = padded(labels, label_padding).values;
  if (labels_.defined()) batch.y = TensorDataset(labels_).take(from_values(indices)).x;
  return batch;
}

SequenceLoader::SequenceLoader(SequenceDataset dataset, SequenceLoaderOptions options, Place place)
    : dataset_(std::move(dataset)), options_(options) {
  const OpScope scope("SequenceLoader", place);
  if (options.batch_size < 1) scope.fail<ValueError>("batch_size is ", options.batch_size, "; expected at least 1");
  if (options.shuffle && !options.seed) options_.seed = detail::drawn_seed();
}

std::int64_t SequenceLoader::size() const {
  return detail::batch_count(dataset_.size(), options_.batch_size, options_.drop_last);
}

std::vector<Indices> SequenceLoader::batches_of(std::uint64_t epoch) const {
  const std::int64_t n = dataset_.size(), batch = options_.batch_size;
  Indices order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  if (options_.shuffle) order = to_vector<std::int64_t>(detail::seeded_order(n, *options_.seed, 2 * epoch));
  if (options_.like_lengths) {
    const std::int64_t all = std::max<std::int64_t>(n, 1);
    const std::int64_t together = options_.shuffle ? std::min(batch, all) * batches_sorted_together : all;
    for (std::int64_t i = 0; i < n; i += together)
      std::stable_sort(order.begin() + i, order.begin() + std::min(n, i + together),
                       [this](std::int64_t a, std::int64_t b) { return dataset_.length(a) < dataset_.length(b); });
  }
  std::vector<Indices> batches;
  for (std::int64_t i = 0, left = size(); left > 0; --left) {
    const std::int64_t end = i + std::min(batch, n - i);
    batches.emplace_back(order.begin() + i, order.begin() + end);
    i = end;
  }
  if (!options_.shuffle || !options_.like_lengths) return batches;
  std::vector<Indices> mixed;
  for (const auto i : to_vector<std::size_t>(detail::seeded_order(std::ssize(batches), *options_.seed, 2 * epoch + 1)))
    mixed.push_back(std::move(batches[i]));
  return mixed;
}

SequenceLoader::Iterator SequenceLoader::begin() { return Iterator(*this, batches_of(epoch_++)); }

SequenceLoader::Iterator::Iterator(const SequenceLoader& loader, std::vector<Indices> batches)
    : loader_(&loader), batches_(std::move(batches)) {
  ++*this;
}

SequenceLoader::Iterator& SequenceLoader::Iterator::operator++() {
  batch_ = {};  // frees the memory before the next batch allocates
  if (next_ < batches_.size())
    batch_ = loader_->dataset_.take(batches_[next_], loader_->options_.padding, loader_->options_.label_padding);
  ++next_;
  return *this;
}

}  // namespace xgrad::nn
