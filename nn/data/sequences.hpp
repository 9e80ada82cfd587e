#pragma once
#include <autograd/sequences.hpp>
#include <optional>
#include <vector>

#pragma GCC visibility push(default)

/// Sequences of unequal length: padding them to batches, and loading batches of like length.
namespace xgrad::nn {

/// Sequences as one tensor (n, longest, ...), each followed by padding, and their lengths, i64 (n).
struct PaddedSequences {
  Tensor values, lengths;
  /// Boolean (n, longest): true where a step counts.
  Tensor mask() const { return sequence_mask(lengths, values.shape()[1]); }
};
/// Sequences (length, ...) that agree in all but their lengths. Throws ValueError for none, ShapeError or DtypeError
/// for others.
PaddedSequences pad_sequences(const std::vector<Tensor>& sequences, Number padding = 0, Place place = Place::here());

/// A batch: `auto& [x, lengths, y] = batch`.
struct SequenceBatch {
  Tensor x, lengths;  // (n, longest, ...), i64 (n)
  Tensor y;           // labels (n, ...), or (n, longest, ...) padded like x; undefined where there are none
};

/// Sequences (length, ...), each with a label or, step by step, with a sequence of labels.
class SequenceDataset {
 public:
  /// Labels are the rows of a tensor (n, ...). Throws ShapeError unless there are as many as sequences.
  explicit SequenceDataset(std::vector<Tensor> sequences, const Tensor& labels = {}, Place place = Place::here());
  /// A sequence of labels for each one, as long as it. Throws ShapeError otherwise.
  SequenceDataset(std::vector<Tensor> sequences, std::vector<Tensor> labels, Place place = Place::here());

  std::int64_t size() const { return static_cast<std::int64_t>(sequences_.size()); }
  std::int64_t length(std::int64_t i) const { return sequences_[static_cast<std::size_t>(i)].shape()[0]; }
  /// These, padded to the longest among them. Throws ValueError for no or for other indices.
  SequenceBatch take(const std::vector<std::int64_t>& indices, Number padding = 0, Number label_padding = 0,
                     Place place = Place::here()) const;

 private:
  std::vector<Tensor> sequences_, label_sequences_;
  Tensor labels_;
};

struct SequenceLoaderOptions {
  std::int64_t batch_size = 32;
  bool shuffle = false;
  std::optional<std::uint64_t> seed = {};  // of the shuffling; unless told, drawn from manual_seed's generator
  bool drop_last = false;                  // leave out a last batch that is not full
  bool like_lengths = true;                // batches of sequences of about one length, so that little is padded
  Number padding = 0, label_padding = 0;   // of labels of steps: a class that the loss is told to ignore
};

/// Goes through a dataset in batches; each loop over it is one epoch, as over a Loader:
///
///   for (const auto& [x, lengths, y] : loader) loss(lstm(x, {.lengths = lengths}), y) ...
///
/// Every sequence comes once an epoch. Shuffled ones are sorted by length among those of 64 batches, so that an epoch's
/// batches are like in length and yet random, and come in random order; all that depends on seed and epoch only. Throws
/// ValueError if batch_size < 1.
class SequenceLoader {
 public:
  explicit SequenceLoader(SequenceDataset dataset, SequenceLoaderOptions options = {}, Place place = Place::here());

  class Iterator {
   public:
    SequenceBatch& operator*() { return batch_; }
    SequenceBatch* operator->() { return &batch_; }
    Iterator& operator++();
    bool done() const { return next_ > batches_.size(); }

   private:
    friend class SequenceLoader;
    Iterator(const SequenceLoader& loader, std::vector<std::vector<std::int64_t>> batches);
    const SequenceLoader* loader_;
    std::vector<std::vector<std::int64_t>> batches_;  // the indices of each
    std::size_t next_ = 0;                            // the one after the batch; past their number: the epoch is over
    SequenceBatch batch_;
  };
  struct End {
    friend bool operator==(const Iterator& i, End) { return i.done(); }
  };

  /// Begins the next epoch.
  Iterator begin();
  End end() const { return {}; }

  /// The number of batches in an epoch.
  std::int64_t size() const;
  const SequenceDataset& dataset() const { return dataset_; }
  /// The number of the next epoch, from 0; set it to continue an interrupted run with the same shuffling.
  std::uint64_t epoch() const { return epoch_; }
  void set_epoch(std::uint64_t epoch) { epoch_ = epoch; }

 private:
  std::vector<std::vector<std::int64_t>> batches_of(std::uint64_t epoch) const;

  SequenceDataset dataset_;
  SequenceLoaderOptions options_;
  std::uint64_t epoch_ = 0;
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
