#pragma once
#include <nn/data/dataset.hpp>
#include <optional>

#pragma GCC visibility push(default)

/// Batches of a dataset, shuffled or in order.
namespace xgrad::nn {

struct LoaderOptions {
  std::int64_t batch_size = 32;
  bool shuffle = false;
  std::optional<std::uint64_t> seed = {};  // of the shuffling; unless told, drawn from manual_seed's generator
  bool drop_last = false;                  // leave out a last batch that is not full
};

/// Goes through a dataset in batches; each loop over it is one epoch:
///
///   for (auto& [x, y] : loader) ...
///
/// Every row comes once an epoch, shuffled in an order that depends on seed and epoch only, or as stored; then batches
/// share the dataset's storage. An empty dataset gives no batch. Throws ValueError if batch_size < 1.
class Loader {
 public:
  explicit Loader(TensorDataset dataset, LoaderOptions options = {}, Place place = Place::here());

  class Iterator {
   public:
    Batch& operator*() { return batch_; }
    Batch* operator->() { return &batch_; }
    Iterator& operator++();
    /// Whether the epoch is over.
    bool done() const { return next_ < 0; }

   private:
    friend class Loader;
    explicit Iterator(const Loader& loader, Tensor order);
    const Loader* loader_;
    Tensor order_;           // undefined unless shuffled
    std::int64_t next_ = 0;  // first row after the batch, -1 past the last batch
    Batch batch_;
  };
  struct End {
    friend bool operator==(const Iterator& i, End) { return i.done(); }
  };

  /// Begins the next epoch.
  Iterator begin();
  End end() const { return {}; }

  /// The number of batches in an epoch, and of rows in the dataset.
  std::int64_t size() const;
  const TensorDataset& dataset() const { return dataset_; }
  const LoaderOptions& options() const { return options_; }

  /// The number of the next epoch, from 0; set it to continue an interrupted run with the same shuffling.
  std::uint64_t epoch() const { return epoch_; }
  void set_epoch(std::uint64_t epoch) { epoch_ = epoch; }

 private:
  TensorDataset dataset_;
  LoaderOptions options_;
  std::uint64_t epoch_ = 0;
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
