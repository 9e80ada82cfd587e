#pragma once
#include <functional>
#include <nn/data/dataset.hpp>
#include <optional>

#pragma GCC visibility push(default)

namespace xgrad::nn {

/// Rows to train or evaluate on: a TensorDataset, or anything else by a batch function. That is given the numbers of
/// some rows, an i64 tensor (n), and returns the tensors of the batch: the model's inputs and last the target.
///
///   nn::Examples{rows, [&](const Tensor& i) { return std::vector{take(a, i, 0), take(b, i, 0), take(t, i, 0)}; }}
///
/// A model that takes two tensors is called as model(a, b); one that takes a std::vector<Tensor> gets them all.
class Examples {
 public:
  using BatchFunction = std::function<std::vector<Tensor>(const Tensor& rows)>;

  Examples(const TensorDataset& dataset);
  /// Throws ValueError if `size` is negative.
  Examples(std::int64_t size, BatchFunction batch, Place place = Place::here());

  /// The number of rows.
  std::int64_t size() const { return size_; }
  /// The tensors of these rows, the target last; undefined where there are no labels.
  std::vector<Tensor> batch(const Tensor& rows) const { return batch_(rows); }
  /// Rows start to stop - 1; those of a TensorDataset share its storage.
  std::vector<Tensor> range(std::int64_t start, std::int64_t stop) const;
  /// All targets, where they are at hand: those of a TensorDataset; else undefined.
  const Tensor& labels() const { return labels_; }
  /// These rows only, an i64 tensor (n).
  Examples subset(const Tensor& rows) const;

 private:
  std::int64_t size_;
  BatchFunction batch_;
  std::optional<TensorDataset> dataset_;
  Tensor labels_;
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
