#pragma once
#include <autograd/tensor.hpp>
#include <utility>
#include <vector>

#pragma GCC visibility push(default)

/// Datasets: tensors of features and labels that are read by rows.
namespace xgrad::nn {

/// Some rows of a dataset: `auto& [x, y] = batch`.
struct Batch {
  Tensor x, y;  // y is undefined where there are no labels
};

/// Features (n, ...) and their labels (n, ...), row by row. Holds the tensors that it was given, without history.
class TensorDataset {
 public:
  /// Throws ShapeError unless both have equally many rows; labels may be left out.
  explicit TensorDataset(const Tensor& features, const Tensor& labels = {}, Place place = Place::here());

  /// The number of rows.
  std::int64_t size() const { return features_.shape()[0]; }
  const Tensor& features() const { return features_; }
  const Tensor& labels() const { return labels_; }

  /// Rows start to stop - 1; shares storage. Throws ValueError unless 0 <= start <= stop <= size().
  Batch rows(std::int64_t start, std::int64_t stop, Place place = Place::here()) const;
  /// A copy of the rows that a one-dimensional i64 tensor names. Throws ValueError at an index outside.
  Batch take(const Tensor& indices, Place place = Place::here()) const;

 private:
  friend class Loader;
  Batch copy_rows(const std::int64_t* indices, std::int64_t count) const;

  Tensor features_, labels_;
};

/// The rows in a random order that depends on the seed only, cut into parts of these sizes, which must add up to the
/// number of rows. Throws ValueError otherwise.
std::vector<TensorDataset> random_split(const TensorDataset& dataset, const std::vector<std::int64_t>& sizes,
                                        std::uint64_t seed = 0, Place place = Place::here());

namespace detail {
/// A random order of 0 ... n - 1 for this seed and round; the calling thread's generator stays where it is.
Tensor seeded_order(std::int64_t n, std::uint64_t seed, std::uint64_t round);
/// A seed of the calling thread's generator, which moves on.
std::uint64_t drawn_seed();
/// How many batches an epoch of so many rows has; the last one may not be full.
inline std::int64_t batch_count(std::int64_t rows, std::int64_t batch_size, bool drop_last) {
  return rows / batch_size + (rows % batch_size != 0 && !drop_last);
}
}  // namespace detail

}  // namespace xgrad::nn
#pragma GCC visibility pop
